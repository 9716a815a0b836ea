//! Reading back: one repository a signal, and one for the dictionaries that all signals share.
//!
//! * A repository reads one project: [`ProjectId::DEFAULT`](llm_observatory_core::ids::ProjectId::DEFAULT), or the one
//!   that `of` names.
//! * Every list has a time range where there is a time, a limit, and a cursor that says where the page before ended;
//!   there is no OFFSET, so the last page costs what the first one does.
//! * No statement runs longer than `database.query_timeout_ms`, nor past the time that `within` gives; one that nobody
//!   waits for any more is cancelled.

mod conditions;
mod page;
mod parameter;
mod read;
mod repository;

pub mod log;
pub mod metric;
pub mod resource;
pub mod trace;

pub use log::LogRepository;
pub use metric::MetricRepository;
pub use page::{MAX_ROWS, Page, TimeRange};
pub use resource::ResourceRepository;
pub use trace::TraceRepository;

use crate::statement::Statement;

/// The statements of this room, module by module.
pub(crate) const STATEMENTS: &[&[&Statement]] =
    &[read::STATEMENTS, resource::STATEMENTS, trace::STATEMENTS, metric::STATEMENTS, log::STATEMENTS];
