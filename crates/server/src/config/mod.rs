//! The configuration of the daemon: its own settings, and the section of every crate.

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

/// Variables with our prefix that are no settings of the daemon: the project's tools and single commands read them.
const NOT_OURS: &[&str] = &[
    "OBSERVATORY_BIN",
    "OBSERVATORY_TOOLS_DIR",
    "OBSERVATORY_CONFIG",
    "OBSERVATORY_ENDPOINT",
    "OBSERVATORY_QUERY_ADDRESS",
    "OBSERVATORY_INGEST_ADDRESS",
];

/// Prefixes of variables that are no settings either: the tests read the first kind, and Kubernetes gives the others to
/// containers beside a Service named `observatory`.
const FOREIGN: &[&str] = &["OBSERVATORY_TEST_", "OBSERVATORY_SERVICE_", "OBSERVATORY_PORT"];

/// Libraries that log warnings only, unless `log` asks for more. The migration library logs every step, and the driver
/// logs every notice of PostgreSQL, such as that the table of migrations exists; the daemon logs applied migrations
/// itself.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn";

/// How environment variables name the settings of the daemon.
pub(crate) fn names() -> Names {
    let storage = ENVIRONMENT.iter().map(|(name, path)| ((*name).to_owned(), format!("storage.{path}")));
    let ours = ("OBSERVATORY_DATABASE_URL".to_owned(), "storage.database.url".to_owned());
    Names {
        usual: storage.chain([ours]).collect(),
        prefix: "OBSERVATORY_",
        foreign: |name| NOT_OURS.contains(&name) || FOREIGN.iter().any(|prefix| name.starts_with(prefix)),
    }
}

/// The configuration of the daemon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where the private PostgreSQL lives when no database is configured.
    pub(crate) data_dir: PathBuf,
    /// Which halves of the observatory run in this process.
    pub(crate) role: Role,
    /// Where the daemon receives OTLP/gRPC.
    pub(crate) ingest_listen: SocketAddr,
    /// Where the daemon answers queries.
    pub(crate) query_listen: SocketAddr,
    /// Where the daemon serves `/metrics`, `/healthz` and `/readyz` over HTTP.
    pub(crate) admin_listen: SocketAddr,
    /// Must be true to listen beyond loopback: every client that reaches the ports can write and read everything.
    pub(crate) allow_unauthenticated: bool,
    /// Longest time to stop after SIGTERM, in seconds; then the daemon gives up the requests that are still in flight.
    pub(crate) shutdown_s: u64,
    /// Connections to the ports of OTLP and of queries. Each port has all of these limits for itself.
    pub(crate) connections: ConnectionsConfig,
    /// What is logged, as in `RUST_LOG`: `info`, or `info,llm_observatory_ingest=debug`.
    pub(crate) log: String,
    /// How log lines look.
    pub(crate) log_format: LogFormat,
    /// The private PostgreSQL, which runs when no database is configured.
    pub(crate) private_postgres: PrivatePostgresConfig,
    /// PostgreSQL and Redis.
    pub(crate) storage: StorageConfig,
    /// Receiving OTLP.
    pub(crate) ingest: IngestConfig,
    /// Answering queries.
    pub(crate) query: QueryConfig,
    /// The watch over PostgreSQL.
    pub(crate) health: HealthConfig,
    /// How jobs are run.
    pub(crate) jobs: JobsConfig,
}

/// Which halves of the observatory run in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
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
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object on each line.
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

/// `/var/lib/observatory` for root, since PostgreSQL runs as another user that may not enter root's home; for others
/// `observatory` in the user's data directory.
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
    pub(crate) const fn ingests(self) -> bool {
        matches!(self, Self::All | Self::Ingest)
    }

    /// Whether this process answers queries.
    pub(crate) const fn answers(self) -> bool {
        matches!(self, Self::All | Self::Query)
    }
}

impl Config {
    /// Longest time to stop: `shutdown_s`.
    pub(crate) const fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_s)
    }

    /// The filter for log lines: `log` over the daemon's defaults.
    ///
    /// # Errors
    /// [`ParseError`] when `log` is not a filter. [`Validate`] checks that, so a loaded configuration has one.
    pub(crate) fn log_filter(&self) -> Result<EnvFilter, ParseError> {
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
                "is reachable from other machines, and the daemon does not authenticate clients: listen on 127.0.0.1, \
                 or accept that with --allow-unauthenticated",
            );
        }
        problems.require(
            self.role == Role::All || self.storage.names_a_database(),
            "role",
            "splits the observatory into two processes, which must share a database: set DATABASE_URL",
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
