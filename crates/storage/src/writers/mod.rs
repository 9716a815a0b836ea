//! Ways to write rows.
//!
//! * [`CopyWriter`] sends rows of one table through binary COPY, and nothing else.
//! * [`TraceWriter`], [`MetricWriter`] and [`LogWriter`] gather rows, and write them with all that belongs to them
//!   (dictionary rows, summaries) in one transaction; by INSERT unless configured otherwise.
//! * [`commit`] is that transaction, for callers with batches and connections of their own; [`commit_requests`] is the
//!   same with the ledger, which makes a request that comes again harmless.

mod batch;
mod buffered;
mod commit;
mod copy;
mod dictionary;
mod insert;
mod ledger;
mod log;
mod metric;
mod rejection;
mod request;
mod trace;
mod transaction;

use crate::statement::Statement;

pub use batch::{Batch, RecordCounts, Way};
pub use buffered::BufferedWriter;
pub use commit::commit;
pub use copy::CopyWriter;
pub use dictionary::Dictionary;
pub use log::{LogBatch, LogWriter};
pub use metric::{MetricBatch, MetricWriter};
pub use rejection::{RejectionRow, UNSTORABLE};
pub use request::{Committed, RequestRows, Search, commit_apart, commit_requests, is_unstorable};
pub use trace::{TraceBatch, TraceWriter};

/// The statements of this room, module by module, each behind the scripts that it needs.
pub(crate) fn statements() -> Vec<&'static Statement> {
    let modules =
        [ledger::STATEMENTS, rejection::STATEMENTS, metric::STATEMENTS, &trace::STATEMENTS.concat()];
    modules.concat()
}
