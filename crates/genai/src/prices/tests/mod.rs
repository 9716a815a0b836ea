//! Prices as a whole: known prices, how names are found, and properties of the sum.

mod amounts;
mod matching;
mod properties;
mod texts;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, TokenUsage};
use llm_observatory_core::time::UnixNanos;

use super::*;

const PROJECT: ProjectId = ProjectId(7);

/// 2025-12-01: after the price of `o3` fell, before the catalogue was made.
const START: UnixNanos = UnixNanos(1_764_547_200_000_000_000);

/// A call that asks a model of a provider.
fn call(provider: &str, model: &str, usage: TokenUsage) -> LlmReading {
    let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
    reading.provider = (!provider.is_empty()).then(|| provider.into());
    reading.request_model = Some(model.into());
    reading.usage = usage;
    reading
}

fn tokens(input: i64, output: i64) -> TokenUsage {
    TokenUsage { input: Some(input), output: Some(output), ..TokenUsage::default() }
}

/// The price in a line of text.
fn price(line: &str) -> Price {
    priced(line, None)
}

fn priced(line: &str, project: Option<ProjectId>) -> Price {
    let line = line.split_whitespace().collect::<Vec<_>>();
    let (head, rates) = line.split_at(4);
    parse(&format!("{}\t{}", head.join("\t"), rates.join(" ")), project).unwrap().remove(0)
}

fn book(lines: &[&str]) -> PriceBook {
    PriceBook::new(lines.iter().map(|line| price(line)).collect())
}
