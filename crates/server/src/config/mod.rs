//! The configuration of the daemon: every crate's own section, under one roof.

mod load;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use llm_observatory_ingest::IngestConfig;
use llm_observatory_private_postgres::PrivatePostgresConfig;
use llm_observatory_query::QueryConfig;
use llm_observatory_storage::StorageConfig;
use llm_observatory_storage::config::Problem;
use serde::{Deserialize, Serialize};

use crate::connections::ConnectionsConfig;
use crate::health::HealthConfig;
use crate::jobs::JobsConfig;

pub use load::{Layers, load};

/// Everything that the daemon needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the private PostgreSQL lives when no database is configured.
    pub data_dir: PathBuf,
    /// Which half of the observatory runs in this process.
    pub role: Role,
    /// Where OTLP/gRPC is taken.
    pub ingest_listen: SocketAddr,
    /// Where queries are answered.
    pub query_listen: SocketAddr,
    /// Where `/metrics`, `/healthz` and `/readyz` are served over HTTP.
    pub admin_listen: SocketAddr,
    /// Must be true to listen beyond loopback: whoever reaches the ports can write and read everything.
    pub allow_unauthenticated: bool,
    /// Longest time to finish what is in flight after SIGTERM, in seconds.
    pub shutdown_s: u64,
    /// Connections to the ports of OTLP and of queries, each of which has all of these limits for itself.
    pub connections: ConnectionsConfig,
    /// What is logged, as in `RUST_LOG`: `info`, or `info,llm_observatory_ingest=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// The PostgreSQL of the daemon's own, when no database is configured.
    pub private_postgres: PrivatePostgresConfig,
    /// PostgreSQL and Redis.
    pub storage: StorageConfig,
    /// The way in.
    pub ingest: IngestConfig,
    /// The way out.
    pub query: QueryConfig,
    /// The watch over PostgreSQL.
    pub health: HealthConfig,
    /// Upkeep that repeats.
    pub jobs: JobsConfig,
}

/// Which half of the observatory runs in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Both.
    All,
    /// Only the way in.
    Ingest,
    /// Only the way out.
    Query,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            role: Role::All,
            ingest_listen: SocketAddr::from(([127, 0, 0, 1], 4317)),
            query_listen: SocketAddr::from(([127, 0, 0, 1], 4320)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 9464)),
            allow_unauthenticated: false,
            shutdown_s: 25,
            connections: ConnectionsConfig::default(),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            private_postgres: PrivatePostgresConfig::default(),
            storage: StorageConfig::default(),
            ingest: IngestConfig::default(),
            query: QueryConfig::default(),
            health: HealthConfig::default(),
            jobs: JobsConfig::default(),
        }
    }
}

/// `/var/lib/observatory` for root, whose home PostgreSQL may not enter; else the user's own data directory.
fn default_data_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib/observatory");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    data.unwrap_or_else(|| PathBuf::from(".")).join("observatory")
}

impl Role {
    /// Whether the way in runs.
    pub const fn ingests(self) -> bool {
        matches!(self, Self::All | Self::Ingest)
    }

    /// Whether the way out runs.
    pub const fn answers(self) -> bool {
        matches!(self, Self::All | Self::Query)
    }
}

impl Config {
    /// Longest time to finish what is in flight.
    pub const fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_s)
    }

    /// Everything that is wrong with the values, each with what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let private = self.private_postgres.problems().into_iter();
        let private = private.map(|(key, message)| Problem::new(key, message)).collect();
        let mut problems: Vec<_> = [
            ("connections", self.connections.problems()),
            ("private_postgres", private),
            ("storage", self.storage.problems()),
            ("ingest", self.ingest.problems()),
            ("query", self.query.problems()),
            ("health", self.health.problems()),
            ("jobs", self.jobs.problems()),
        ]
        .into_iter()
        .flat_map(|(section, problems)| problems.into_iter().map(|problem| problem.within(section)))
        .collect();
        let listens = [
            (self.ingest_listen, "ingest_listen", self.role.ingests()),
            (self.query_listen, "query_listen", self.role.answers()),
            (self.admin_listen, "admin_listen", true),
        ];
        for (address, key, _) in listens.into_iter().filter(|(_, _, used)| *used) {
            if !address.ip().is_loopback() && !self.allow_unauthenticated {
                problems.push(Problem::new(
                    key,
                    "is reachable from other machines, and nobody is asked who they are: listen on 127.0.0.1, \
                     or accept that with --allow-unauthenticated",
                ));
            }
        }
        if self.role != Role::All && !self.storage.names_a_database() {
            problems.push(Problem::new(
                "role",
                "splits the observatory in two processes, which must share a database: set DATABASE_URL",
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests;
