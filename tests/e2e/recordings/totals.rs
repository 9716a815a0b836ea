//! Sums over the billable calls of a trace, and what they should be.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::PriceBook;
use serde_json::Value;

use super::world::Found;

/// Counts that are summed up, by their names in the truth.
pub(super) const COUNTS: &[&str] = &[
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "reasoning_tokens",
];

/// The count of a span with this name in the truth.
pub(super) fn count(found: &Found, name: &str) -> Option<i64> {
    let usage = found.usage();
    match name {
        "input_tokens" => usage.input,
        "output_tokens" => usage.output,
        "cache_read_tokens" => usage.cache_read,
        "cache_write_tokens" => usage.cache_creation,
        "cache_write_1h_tokens" => usage.cache_creation_1h,
        "audio_input_tokens" => usage.input_audio,
        "reasoning_tokens" => usage.reasoning,
        _ => panic!("{name}"),
    }
}

/// The count that an instrumentation could tell: none if the provider did not tell it.
pub(super) fn true_count(call: &Value, name: &str) -> Option<i64> {
    call[name].as_i64().filter(|_| call["usage_on_wire"] == true)
}

/// The names of the provider behind one of the fakes' APIs.
pub(super) fn providers(call: &Value) -> &'static [&'static str] {
    match call["api"].as_str().unwrap().split('.').next() {
        Some("openai") => &["openai"],
        Some("bedrock") => &["aws.bedrock"],
        Some("anthropic") => &["anthropic"],
        Some("google") => &["gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai"],
        other => panic!("{other:?}"),
    }
}

/// What the call costs, in billionths of a dollar, by the price book and by what the provider told; `None` if that is not enough.
pub(super) fn true_cost(book: &PriceBook, call: &Value, start: i64) -> Option<i64> {
    let text = |name: &str| call[name].as_str().map(|text| text.to_owned().into());
    let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
    reading.provider = Some(providers(call)[0].into());
    reading.request_model = text("request_model");
    reading.response_model = text("response_model");
    reading.service_tier = text("service_tier");
    let usage = &mut reading.usage;
    usage.input = true_count(call, "input_tokens");
    usage.output = true_count(call, "output_tokens");
    usage.cache_read = true_count(call, "cache_read_tokens");
    usage.cache_creation = true_count(call, "cache_write_tokens");
    usage.cache_creation_1h = true_count(call, "cache_write_1h_tokens");
    usage.input_audio = true_count(call, "audio_input_tokens");
    usage.reasoning = true_count(call, "reasoning_tokens");
    let cost = book.cost(ProjectId::DEFAULT, &reading, UnixNanos(start.cast_unsigned()), None).ok()?;
    assert_eq!(cost.currency.as_str(), "USD");
    Some(cost.amount)
}
