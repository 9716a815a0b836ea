#![doc = include_str!("../README.md")]

mod admin;
mod app;
pub mod cli;
mod config;
mod connections;
mod console;
mod grpc;
mod health;
mod identity;
mod jaeger;
mod jobs;
mod otlp;
