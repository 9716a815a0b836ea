#![doc = include_str!("../README.md")]

mod account;
mod binaries;
mod cluster;
mod error;
mod layout;
mod lock;
mod postmaster;
mod server;
mod settings;
mod socket;
#[cfg(test)]
mod tests;

pub use error::PrivatePostgresError;
pub use server::{PrivatePostgres, StartOptions};
