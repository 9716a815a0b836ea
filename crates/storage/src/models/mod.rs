//! The shape of a row of each table: its columns, their types, and how a row is written.
//!
//! `row` tells how a row is declared, `column` which kinds of columns there are; `encoder` and `fields` are the two
//! directions of PostgreSQL's binary form. `resource` holds the dictionaries that the signals share, `attributes` the jsonb
//! columns.

pub mod arena;
pub mod attributes;
pub mod column;
pub mod encoder;
pub mod fields;
mod json;
pub mod log;
pub mod metric;
pub mod resource;
pub mod row;
mod time;
pub mod trace;

pub use arena::Arena;
pub use attributes::Attributes;
pub use log::LogRow;
pub use metric::{DataPointRow, MetricRow, SeriesRow};
pub use resource::{ResourceRow, ScopeRow};
pub use row::{Row, Table};
pub use trace::{EventRow, SpanRow, TraceRow};
