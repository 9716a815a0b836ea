//! Invented conversations with a model: escaped, accented, sized and repeated like real ones.

use std::sync::LazyLock;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// A conversation longer than this is begun anew, as agents do when they compact their history.
const LIMIT_BYTES: usize = 2_000;

static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "account after agent amount answer any april are balance because before billing cancel card change check \
     city client contract could customer data date delivery details do document each email error every \
     expected find first for from has have however if in invoice is it last latency limit list model month \
     need new next not number of on order over page payment plan please policy price query question receipt \
     refund region report request result retry return review rows search service shall should since source \
     status summary support table team than that the their therefore this ticket time to token total two \
     update user value was week when which will with year you your café naïve größer 東京 → ✅"
        .split(' ')
        .collect()
});

/// The messages of one trace so far.
pub(crate) struct Conversation {
    pub(crate) id: String,
    instructions: String,
    messages: Vec<Value>,
}

/// The messages of one call, as the JSON text that the semantic conventions ask for.
pub(crate) struct Turn {
    pub(crate) input: String,
    pub(crate) output: String,
}

impl Conversation {
    pub(crate) fn new(instructions: &str, rng: &mut StdRng) -> Self {
        let id = format!("conv_{:032x}", rng.random::<u128>());
        Self { id, instructions: instructions.to_owned(), messages: Vec::new() }
    }

    /// The next call: everything said before is sent again, with a new question, and answered.
    pub(crate) fn turn(&mut self, rng: &mut StdRng) -> Turn {
        if self.messages.iter().map(|message| message.to_string().len()).sum::<usize>() > LIMIT_BYTES {
            self.messages.clear();
        }
        if self.messages.is_empty() {
            self.messages.push(message("system", self.instructions.clone()));
        }
        let length = rng.random_range(150..500);
        self.messages.push(message("user", prose(rng, length)));
        let input = json!(self.messages).to_string();
        let length = rng.random_range(200..700);
        let mut answer = message("assistant", prose(rng, length));
        self.messages.push(answer.clone());
        answer["finish_reason"] = json!("stop");
        Turn { input, output: json!([answer]).to_string() }
    }
}

fn message(role: &str, content: String) -> Value {
    json!({ "role": role, "parts": [{ "type": "text", "content": content }] })
}

/// Sentences of about `length` bytes, with the quotes and line breaks that make JSON escape.
pub(crate) fn prose(rng: &mut StdRng, length: usize) -> String {
    let mut text = String::with_capacity(length + 16);
    let mut left_in_sentence = 0;
    while text.len() < length {
        let word = word(rng);
        if left_in_sentence == 0 {
            text.extend(word.chars().next().map(|first| first.to_ascii_uppercase()));
            text.extend(word.chars().skip(1));
            left_in_sentence = rng.random_range(6..16);
            continue;
        }
        text.push(' ');
        match rng.random_range(0..40) {
            0 => text.extend(["\"", word, "\""]),
            1 => text.push_str(&rng.random_range(2..5000).to_string()),
            _ => text.push_str(word),
        }
        left_in_sentence -= 1;
        if left_in_sentence == 0 {
            text.push_str(if rng.random_ratio(1, 6) { ".\n\n" } else { ". " });
        }
    }
    text
}

/// One word.
pub(crate) fn word(rng: &mut StdRng) -> &'static str {
    WORDS[rng.random_range(0..WORDS.len())]
}
