#![doc = include_str!("../README.md")]

pub mod config;
pub mod error;
pub mod health;
pub mod maintenance;
pub mod migrate;
pub mod models;
pub mod pool;
pub mod postgres;
pub mod repositories;
pub mod writers;

pub use config::StorageConfig;
pub use error::Error;
pub use pool::StoragePool;
pub use repositories::{LogRepository, MetricRepository, TraceRepository};
pub use tokio_postgres::Client;
pub use writers::{CopyWriter, LogWriter, MetricWriter, TraceWriter};
