//! Upkeep of the tables: creates partitions, deletes old rows of the ledger and old dead letters, analyses tables as
//! they grow.

pub(crate) mod family;
pub mod job;
pub mod partitions;
pub mod retention;
pub mod run;
mod settler;
pub mod settling;
pub mod statistics;

use crate::statement::Statement;

pub use family::Family;

/// The statements of the submodules.
pub(crate) fn statements() -> Vec<&'static Statement> {
    let jobs = [
        partitions::STATEMENTS,
        retention::STATEMENTS,
        statistics::STATEMENTS,
        &run::STATEMENTS.concat(),
        &settling::STATEMENTS.concat(),
    ];
    jobs.concat()
}
