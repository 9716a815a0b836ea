#![doc = include_str!("../README.md")]

pub mod config;
pub mod encode;
pub mod error;
mod kind;
pub mod log;
pub mod metric;
pub mod metrics;
mod query;
pub mod question;
mod size;
mod sources;
pub mod token;
pub mod trace;

pub use config::QueryConfig;
pub use encode::ValueLimit;
pub use error::Error;
pub use metrics::Metrics;
pub use query::Query;
pub use question::{Caller, Page, PageSize, Paging, Period};
pub use token::PageToken;
