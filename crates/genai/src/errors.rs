//! What class of error ended a step.

use llm_observatory_core::text::Text;

use crate::events::Told;
use crate::seen::Seen;
use crate::slots::Slot::*;

/// Longest name of an error at the beginning of a message.
const MAX_NAME_BYTES: usize = 100;

/// The class of the error: as the span tells, by its last exception, by what its message begins with, by why the model
/// stopped, by a tool's status, or by that of HTTP.
pub(crate) fn error_type(seen: &Seen<'_>, told: &Told, finish_reasons: &[Text]) -> Option<Text> {
    let said = seen.str(&[ErrorType, ExceptionType, LitellmErrorCode, PlainErrorType]);
    if let Some(said) = said {
        return Some(Text::from(bare(&said)));
    }
    if let Some(exception) = &told.exception {
        return Some(Text::from(bare(exception)));
    }
    let level_error = seen.is(LangfuseLevel, "ERROR");
    if level_error && let Some(message) = seen.str(&[LangfuseStatusMessage]) {
        return of_message(&message).map(Text::from);
    }
    let failed = seen.span.filter(|_| seen.failed());
    if let Some(name) = failed.and_then(|span| of_message(span.status_message)) {
        return Some(Text::from(name));
    }
    if finish_reasons.iter().any(|reason| &**reason == "error") {
        return Some(Text::from_static("error"));
    }
    if seen.is(ToolStatus, "error") {
        return Some(Text::from_static("tool_error"));
    }
    let status = seen.whole(&[HttpStatus]).filter(|status| failed.is_some() && *status >= 400)?;
    Some(Text::from(status.to_string()))
}

/// `x.Y` of Python's `<class 'x.Y'>`.
fn bare(name: &str) -> &str {
    name.strip_prefix("<class '").and_then(|name| name.strip_suffix("'>")).unwrap_or(name)
}

/// The name of an error that a message begins with: `openai.RateLimitError: slow down`.
fn of_message(message: &str) -> Option<&str> {
    // OpenAI's and Anthropic's SDKs: `Error code: 429 - ...`. The status names the class, as the conventions have it.
    if let Some(rest) = message.strip_prefix("Error code: ") {
        return rest
            .split(' ')
            .next()
            .filter(|code| code.len() == 3 && code.bytes().all(|digit| digit.is_ascii_digit()));
    }
    let (name, _) = message.split_once(':')?;
    let is_name = name.len() <= MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_'))
        && ["Error", "Exception", "Timeout", "Failure"].iter().any(|ending| name.ends_with(ending));
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::failed;

    #[test]
    fn messages_begin_with_the_name_of_an_error_or_not() {
        assert_eq!(of_message("openai.RateLimitError: slow down"), Some("openai.RateLimitError"));
        assert_eq!(of_message("Error code: 429 - slow down"), Some("429"));
        for message in ["slow down", "Error code: lost", "http://host: no", ""] {
            assert_eq!(of_message(message), None, "{message}");
        }
    }

    #[test]
    fn a_failed_span_tells_its_error() {
        let attributes = [llm_observatory_core::attributes::Attribute::new("gen_ai.operation.name", "chat")];
        let read = |message| failed("", "chat", message, &attributes).unwrap().error_type;
        assert_eq!(read("ValueError: no").as_deref(), Some("ValueError"));
        assert_eq!(read("no"), None);
    }
}
