#![doc = include_str!("../README.md")]

mod account;
mod binaries;
mod cluster;
mod config;
mod error;
mod keeper;
mod layout;
mod lock;
mod postmaster;
mod server;
mod settings;
mod socket;
#[cfg(test)]
mod tests;

pub use config::PrivatePostgresConfig;
pub use error::PrivatePostgresError;
pub use server::{PrivatePostgres, StartOptions};
