//! The shape of a row of each table: its columns, their types, and how a row is written.
//!
//! `resource` holds the dictionaries that the signals share, `attributes` the jsonb columns, `row` the binary form.

pub mod arena;
pub mod attributes;
mod json;
pub mod log;
pub mod metric;
pub mod resource;
pub mod row;
pub mod trace;

pub use arena::Arena;
pub use attributes::Attributes;
pub use log::LogRow;
pub use metric::{DataPointRow, MetricRow, SeriesRow};
pub use resource::{ResourceRow, ScopeRow};
pub use row::{Row, Table};
pub use trace::{EventRow, SpanRow, TraceRow};
