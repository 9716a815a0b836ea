//! Repositories read rows back: one per signal, and one for the dictionary rows that all signals share.
//!
//! * A repository reads one project: [`ProjectId::DEFAULT`](llm_observatory_core::ids::ProjectId::DEFAULT), or the one
//!   that `of` names.
//! * A list has a limit, and a cursor that names the last row of the previous page. It uses no OFFSET, so the last page costs as
//!   much as the first. Lists of spans, traces, points and log records also have a time range.
//! * A statement runs for at most `database.query_timeout_ms`, and not beyond the time that `within` grants. When a caller drops its
//!   future, the repository cancels the statement.

mod conditions;
mod page;
mod parameter;
mod read;
mod repository;

pub mod llm;
pub mod log;
pub mod metric;
pub mod resource;
pub mod trace;

pub use llm::LlmRepository;
pub use log::LogRepository;
pub use metric::MetricRepository;
pub use page::{MAX_ROWS, Page, TimeRange};
pub use resource::ResourceRepository;
pub use trace::TraceRepository;

use crate::statement::Statement;

/// The statements of the submodules.
pub(crate) const STATEMENTS: &[&[&Statement]] = &[
    read::STATEMENTS,
    resource::STATEMENTS,
    trace::STATEMENTS,
    llm::STATEMENTS[0],
    llm::STATEMENTS[1],
    metric::STATEMENTS,
    log::STATEMENTS,
];
