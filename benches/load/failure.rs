//! The exception event of a span that failed.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::conversation::word;
use crate::span::Event;

/// The `exception` event of a span that failed at `time`.
pub(crate) fn exception(rng: &mut StdRng, time: u64) -> Event {
    let frames: String = (0..6)
        .map(|_| {
            format!("  File \"/srv/app/{}.py\", line {}, in {}\n", word(rng), rng.random::<u8>(), word(rng))
        })
        .collect();
    let attributes = vec![
        ("exception.type", json!("TimeoutError")),
        ("exception.message", json!("the upstream did not answer in 30 s")),
        ("exception.stacktrace", json!(format!("Traceback (most recent call last):\n{frames}"))),
    ];
    Event { time, name: "exception", attributes }
}
