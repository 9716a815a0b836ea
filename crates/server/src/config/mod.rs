//! The configuration of the daemon: every crate's own section, under one roof.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use llm_observatory_config::{Names, Problems, Validate};
use llm_observatory_ingest::IngestConfig;
use llm_observatory_private_postgres::PrivatePostgresConfig;
use llm_observatory_query::QueryConfig;
use llm_observatory_storage::StorageConfig;
use llm_observatory_storage::config::ENVIRONMENT;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::connections::ConnectionsConfig;
use crate::health::HealthConfig;
use crate::jobs::JobsConfig;

/// Variables with our prefix that are no settings of the daemon: of the project's tools, and of single commands.
const NOT_OURS: &[&str] = &[
    "OBSERVATORY_BIN",
    "OBSERVATORY_TOOLS_DIR",
    "OBSERVATORY_CONFIG",
    "OBSERVATORY_ENDPOINT",
    "OBSERVATORY_QUERY_ADDRESS",
    "OBSERVATORY_INGEST_ADDRESS",
];

/// How names begin that are no settings either: of the tests, and those in which Kubernetes tells every container about a
/// Service named `observatory`.
const FOREIGN: &[&str] = &["OBSERVATORY_TEST_", "OBSERVATORY_SERVICE_", "OBSERVATORY_PORT"];

/// What is not logged unless `log` asks for it: the migration library speaks of every step, and the driver repeats notices of
/// PostgreSQL, such as that the table of migrations is there already. What was done is told by us, once.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn";

/// How environment variables name the settings of the daemon.
pub fn names() -> Names {
    let storage = ENVIRONMENT.iter().map(|(name, path)| ((*name).to_owned(), format!("storage.{path}")));
    let ours = ("OBSERVATORY_DATABASE_URL".to_owned(), "storage.database.url".to_owned());
    Names {
        usual: storage.chain([ours]).collect(),
        prefix: "OBSERVATORY_",
        foreign: |name| NOT_OURS.contains(&name) || FOREIGN.iter().any(|prefix| name.starts_with(prefix)),
    }
}

/// Everything that the daemon needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the private PostgreSQL lives when no database is configured.
    pub data_dir: PathBuf,
    /// Which halves of the observatory run in this process.
    pub role: Role,
    /// Where the daemon receives OTLP/gRPC.
    pub ingest_listen: SocketAddr,
    /// Where it answers queries.
    pub query_listen: SocketAddr,
    /// Where it serves `/metrics`, `/healthz` and `/readyz` over HTTP.
    pub admin_listen: SocketAddr,
    /// Must be true to listen beyond loopback: whoever reaches the ports can write and read everything.
    pub allow_unauthenticated: bool,
    /// Longest time to finish the requests in flight after SIGTERM, in seconds.
    pub shutdown_s: u64,
    /// Connections to the ports of OTLP and of queries. Each port has all of these limits for itself.
    pub connections: ConnectionsConfig,
    /// What is logged, as in `RUST_LOG`: `info`, or `info,llm_observatory_ingest=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// The PostgreSQL of the daemon's own, when no database is configured.
    pub private_postgres: PrivatePostgresConfig,
    /// PostgreSQL and Redis.
    pub storage: StorageConfig,
    /// Receiving OTLP.
    pub ingest: IngestConfig,
    /// Answering queries.
    pub query: QueryConfig,
    /// The watch over PostgreSQL.
    pub health: HealthConfig,
    /// Upkeep that repeats.
    pub jobs: JobsConfig,
}

/// Which halves of the observatory run in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Receive OTLP and answer queries.
    All,
    /// Receive OTLP only.
    Ingest,
    /// Answer queries only.
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
    /// Whether this process receives OTLP.
    pub const fn ingests(self) -> bool {
        matches!(self, Self::All | Self::Ingest)
    }

    /// Whether this process answers queries.
    pub const fn answers(self) -> bool {
        matches!(self, Self::All | Self::Query)
    }
}

impl Config {
    /// Longest time to finish the requests in flight.
    pub const fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_s)
    }

    /// What is logged.
    ///
    /// # Errors
    /// When `log` is no filter, which [`Validate`] tells.
    pub fn log_filter(&self) -> Result<EnvFilter, ParseError> {
        EnvFilter::try_new(format!("{QUIET},{}", self.log))
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        problems.section("connections", &self.connections);
        problems.section("private_postgres", &self.private_postgres);
        problems.section("storage", &self.storage);
        problems.section("ingest", &self.ingest);
        problems.section("query", &self.query);
        problems.section("health", &self.health);
        problems.section("jobs", &self.jobs);
        let listens = [
            (self.ingest_listen, "ingest_listen", self.role.ingests()),
            (self.query_listen, "query_listen", self.role.answers()),
            (self.admin_listen, "admin_listen", true),
        ];
        for (address, key, _) in listens.into_iter().filter(|(_, _, used)| *used) {
            problems.require(
                address.ip().is_loopback() || self.allow_unauthenticated,
                key,
                "is reachable from other machines, and nobody is asked who they are: listen on 127.0.0.1, \
                 or accept that with --allow-unauthenticated",
            );
        }
        problems.require(
            self.role == Role::All || self.storage.names_a_database(),
            "role",
            "splits the observatory in two processes, which must share a database: set DATABASE_URL",
        );
        problems.require(
            self.log_filter().is_ok(),
            "log",
            "is not a filter; write it like info, or info,llm_observatory_ingest=debug",
        );
    }
}

#[cfg(test)]
mod tests;
