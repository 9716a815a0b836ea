#![doc = include_str!("../README.md")]

pub mod config;
pub mod error;
pub mod health;
mod key;
pub mod maintenance;
pub mod migrate;
pub mod models;
mod payload;
pub mod pool;
pub mod postgres;
pub mod prices;
pub mod repositories;
mod score;
pub mod statement;
pub mod tally;
mod usage;
pub mod writers;

pub use config::StorageConfig;
pub use error::Error;
pub use pool::StoragePool;
pub use repositories::{LogRepository, MetricRepository, TraceRepository};
pub use tokio_postgres::Client;
pub use writers::{CopyWriter, LogWriter, MetricWriter, TraceWriter};

use statement::Statement;

/// Every statement of this crate. Scripts that create a temporary table come before the statements that use it, so that the
/// statements can be prepared in this order.
pub fn statements() -> Vec<&'static Statement> {
    let rooms = [
        migrate::STATEMENTS,
        health::STATEMENTS,
        &postgres::STATEMENTS.concat(),
        prices::STATEMENTS,
        &writers::statements(),
        &repositories::STATEMENTS.concat(),
        &maintenance::statements(),
    ];
    rooms.concat()
}
