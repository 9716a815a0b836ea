//! What a call costs: a catalogue of prices that is compiled in, the prices that people set over it, and the sum.
//!
//! ```
//! use llm_observatory_core::ids::ProjectId;
//! use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
//! use llm_observatory_core::time::UnixNanos;
//! use llm_observatory_genai::prices::PriceBook;
//!
//! let book = PriceBook::new(Vec::new());
//! let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
//! reading.provider = Some("openai".into());
//! reading.request_model = Some("gpt-4o".into());
//! reading.usage.input = Some(1000);
//! reading.usage.output = Some(100);
//! let start = UnixNanos(1_760_000_000_000_000_000);
//! let cost = book.cost(ProjectId::DEFAULT, &reading, start, None).expect("a price");
//! // 1000 tokens at $2.50 and 100 at $10 a million.
//! assert_eq!((cost.amount, cost.currency.as_str()), (3_500_000, "USD"));
//! ```

mod book;
mod catalogue;
mod cost;
mod found;
mod index;
mod moment;
mod names;
mod price;
mod providers;
mod text;

pub use book::{PriceBook, PriceFilter};
pub use catalogue::{about, catalogue};
pub use cost::{Cost, EXACT, Explanation, Line, NoCost};
pub use found::{Layer, Match, NameOf, Rule};
pub use price::{ANY_PROVIDER, Currency, Price, PriceError, Rate, ServiceTier, Unit};
pub use text::{ParseError, parse, parse_rates, write, write_rates};

#[cfg(test)]
mod tests;
