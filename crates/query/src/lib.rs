#![doc = include_str!("../README.md")]

mod config;
mod encode;
pub mod error;
mod kind;
pub mod llm;
pub mod log;
pub mod metric;
mod metrics;
mod query;
mod question;
mod size;
mod sources;
mod token;
pub mod trace;

pub use config::QueryConfig;
pub use encode::ValueLimit;
pub use error::Error;
pub use metrics::Metrics;
pub use query::Query;
pub use question::{Caller, Page, PageSize, Paging, Period};
pub use token::PageToken;
