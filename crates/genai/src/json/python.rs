//! What Python prints.

use super::quote;

/// JSON of what Python's `repr` shows of a dictionary (LangSmith and LiteLLM send those): single quotes, `None`, `True`.
pub(super) fn as_json(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len() + 16);
    let mut rest = text.chars();
    let mut word = String::new();
    while let Some(next) = rest.next() {
        if next.is_ascii_alphanumeric() {
            word.push(next);
            continue;
        }
        push_word(&mut json, &mut word);
        match next {
            '\'' | '"' => quote(&quoted(next, &mut rest)?, &mut json),
            other => json.push(other),
        }
    }
    push_word(&mut json, &mut word);
    Some(json)
}

fn push_word(json: &mut String, word: &mut String) {
    json.push_str(match word.as_str() {
        "None" => "null",
        "True" => "true",
        "False" => "false",
        other => other,
    });
    word.clear();
}

/// The rest of a Python text up to its closing quote.
fn quoted(end: char, rest: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            next if next == end => return Some(text),
            '\\' => match rest.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}
