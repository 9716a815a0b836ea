#![doc = include_str!("../README.md")]

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod connections;
pub mod grpc;
pub mod health;
pub mod jobs;
