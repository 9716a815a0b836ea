#![doc = include_str!("../README.md")]

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod connections;
mod console;
pub mod grpc;
pub mod health;
mod identity;
mod jaeger;
pub mod jobs;
pub mod otlp;
