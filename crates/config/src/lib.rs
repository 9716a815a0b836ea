#![doc = include_str!("../README.md")]

mod error;
mod file;
mod layers;
mod load;
mod problem;
mod problems;
mod secret;

pub use error::ConfigError;
pub use layers::{Flag, Layers, Names, variables};
pub use load::load;
pub use problem::Problem;
pub use problems::{Problems, Validate};
pub use secret::Secret;

#[cfg(test)]
mod tests;
