//! Writers of rows.
//!
//! * [`CopyWriter`] sends rows of one table by binary COPY, and nothing else.
//! * [`TraceWriter`], [`MetricWriter`] and [`LogWriter`] gather rows. They write dictionary rows first, and then
//!   records with their events and trace summaries in one transaction; by INSERT unless configured otherwise.
//! * [`commit`] is that transaction, for callers with their own batches and connections. [`commit_requests`] also
//!   uses the ledger, so that a repeated request stores nothing. [`commit_apart`] stores one request without the
//!   records that PostgreSQL does not take.

pub(crate) mod apart;
mod batch;
mod buffered;
mod commit;
mod copy;
mod dictionary;
mod insert;
mod ledger;
mod log;
mod metric;
mod price;
mod rejection;
mod request;
mod settling;
mod trace;
pub(crate) mod transaction;

use crate::statement::Statement;

pub(crate) use batch::micros;
pub use batch::{Batch, RecordCounts, Way};
pub use buffered::BufferedWriter;
pub use commit::commit;
pub use copy::CopyWriter;
pub(crate) use copy::copy_rows;
pub use dictionary::Dictionary;
pub use log::{LogBatch, LogWriter};
pub(crate) use log::{by_halves, insert_calls, insert_new};
pub use metric::{MetricBatch, MetricWriter};
pub use price::{PricesSet, Withdrawal, set_prices, withdraw_price};
pub use rejection::{RejectionRow, UNSTORABLE};
pub use request::{Committed, RequestRows, Search, commit_apart, commit_requests};
pub(crate) use settling::Notes;
pub(crate) use trace::calls::recount;
pub use trace::{TraceBatch, TraceWriter};

/// The statements of the submodules. Scripts come before the statements that need them.
pub(crate) fn statements() -> Vec<&'static Statement> {
    let modules = [
        apart::STATEMENTS,
        ledger::STATEMENTS,
        rejection::STATEMENTS,
        metric::STATEMENTS,
        price::STATEMENTS,
        settling::STATEMENTS,
        &trace::STATEMENTS.concat(),
    ];
    modules.concat()
}
