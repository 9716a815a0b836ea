//! One row type per table: its columns, and how they are encoded and decoded.
//!
//! `row` declares rows, `column` holds the kinds of columns. `encoder` writes PostgreSQL's binary form, `fields` reads it.
//! `resource` holds the dictionary rows that all signals share, `attributes` the jsonb columns.

pub mod arena;
pub mod attributes;
pub(crate) mod column;
pub mod encoder;
pub(crate) mod fields;
mod json;
pub mod llm;
pub mod log;
mod log_call;
pub mod metric;
pub mod observed;
pub mod price;
pub mod resource;
pub mod row;
mod speakers;
pub(crate) mod time;
pub mod trace;

pub use arena::Arena;
pub use attributes::Attributes;
pub use llm::LlmRow;
pub use log::LogRow;
pub use metric::{DataPointRow, MetricRow, SeriesRow};
pub use observed::{Observed, ObservedLog};
pub use price::PriceRow;
pub use resource::{ResourceRow, ScopeRow};
pub use row::{Row, Table};
pub use speakers::Speakers;
pub use trace::{EventRow, SpanRow, TraceRow};
