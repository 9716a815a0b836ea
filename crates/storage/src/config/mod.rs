//! The settings of the storage: where PostgreSQL and Redis are, and every limit of their use.
//!
//! [`StorageConfig::from_env`] reads the environment and [`StorageConfig::from_file`] a file; both override the
//! defaults. They report unknown names and all other mistakes at once.

mod database;
mod runs;
mod settling;

use std::path::Path;

use llm_observatory_config::{Layers, Names, Problems, Validate, load, variables};
use serde::{Deserialize, Serialize};

pub use database::{DatabaseConfig, SslMode};
pub use llm_observatory_config::{ConfigError, Secret};
pub use runs::RunsConfig;
pub use settling::SettlingConfig;

/// The conventional environment variables, each with the path of its setting.
///
/// Every setting also has a variable `OBSERVATORY_STORAGE__<SECTION>__<NAME>`.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("DATABASE_URL", "database.url"),
    ("DB_HOST", "database.host"),
    ("DB_PORT", "database.port"),
    ("DB_NAME", "database.name"),
    ("DB_USER", "database.user"),
    ("DB_PASSWORD", "database.password"),
    ("DB_SSL_MODE", "database.ssl_mode"),
    ("DB_MAX_CONNECTIONS", "database.max_connections"),
    ("DB_MIN_CONNECTIONS", "database.min_connections"),
    ("REDIS_URL", "redis.url"),
];

/// The prefix of the environment variables that name a setting by its path.
pub const ENVIRONMENT_PREFIX: &str = "OBSERVATORY_STORAGE__";

/// All settings of the storage.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Redis, if there is one.
    pub redis: RedisConfig,
    /// How long the pool tries to open its first connection.
    pub connect_retry: RetryConfig,
    /// The buffering writers.
    pub writer: WriterConfig,
    /// Day partitions.
    pub partitions: PartitionConfig,
    /// How long the ledger and the dead letters are kept.
    pub retention: RetentionConfig,
    /// When tables are analysed for PostgreSQL's planner.
    pub statistics: StatisticsConfig,
    /// How traces with LLM calls are settled.
    pub settling: SettlingConfig,
    /// How `reprice` and `reread` go over stored spans.
    pub runs: RunsConfig,
}

/// Where Redis is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// `redis://host:port/db`. Redis is optional.
    pub url: Option<Secret>,
    /// Longest wait for Redis to accept a connection or to answer, in milliseconds.
    pub timeout_ms: u64,
}

/// Exponential backoff with jitter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Attempts before giving up; at least 1.
    pub attempts: u32,
    /// Wait after the first failure, in milliseconds; it doubles from then on.
    pub initial_backoff_ms: u64,
    /// Longest wait between two attempts, in milliseconds.
    pub max_backoff_ms: u64,
}

/// How a buffering writer gathers rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriterConfig {
    /// Rows that a writer gathers before it writes them.
    pub batch_rows: usize,
    /// Most rows that a writer gathers while PostgreSQL takes none; it returns an error for further ones.
    pub max_rows: usize,
    /// How a writer writes its rows.
    pub method: WriteMethod,
}

/// The two ways to write rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteMethod {
    /// Prepared INSERT statements.
    Insert,
    /// COPY in PostgreSQL's binary form.
    Copy,
}

/// How many day partitions there may be, and when they are created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PartitionConfig {
    /// Days after today for which partitions are created ahead.
    pub days_ahead: u16,
    /// Most day partitions of one table; a record for yet another day is rejected.
    pub max_days: usize,
    /// Time between two runs of the job that creates the partitions of the coming days, in seconds.
    pub interval_s: u64,
    /// Longest wait for another daemon that creates the same partitions, in milliseconds; then the request is refused.
    pub lock_timeout_ms: u64,
}

/// How long the ledger and the dead letters are kept, and how old ones are deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// How long the ledger remembers a request, in seconds. It must be longer than any client retries.
    pub requests_s: u64,
    /// How long rejected records are kept, in seconds.
    pub rejections_s: u64,
    /// Time between two runs of the job that deletes what is older, in seconds.
    pub interval_s: u64,
    /// Most rows that one transaction deletes.
    pub delete_rows: u32,
}

/// When a table is analysed for PostgreSQL's planner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatisticsConfig {
    /// Time between two runs of the job that analyses tables which grew, in seconds.
    pub interval_s: u64,
    /// Fewest rows by which a table must grow after an analysis to be analysed again.
    pub min_rows: u64,
    /// Growth after an analysis, in percent of the rows at that time, that a table needs to be analysed again.
    pub growth_percent: u32,
    /// Longest wait for a locked table, in milliseconds; then this run leaves the table out.
    pub lock_timeout_ms: u64,
    /// Longest time of one run, in seconds; the next run continues. Must be less than the daemon's limit for a job.
    pub max_run_s: u64,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self { url: None, timeout_ms: 2_000 }
    }
}

impl Default for RetryConfig {
    /// About a minute in all: enough for a database that starts at the same time as the daemon.
    fn default() -> Self {
        Self { attempts: 12, initial_backoff_ms: 100, max_backoff_ms: 10_000 }
    }
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self { batch_rows: 1_000, max_rows: 100_000, method: WriteMethod::Insert }
    }
}

impl Default for RetentionConfig {
    /// The Collector gives up after 5 minutes by default; a day covers clients that retry for longer.
    fn default() -> Self {
        Self { requests_s: 86_400, rejections_s: 7 * 86_400, interval_s: 60, delete_rows: 10_000 }
    }
}

impl Default for StatisticsConfig {
    /// These defaults analyse the partition of a busy day about forty times; each analysis takes a fraction of a second.
    fn default() -> Self {
        Self { interval_s: 60, min_rows: 1_000, growth_percent: 20, lock_timeout_ms: 1_000, max_run_s: 45 }
    }
}

impl Default for PartitionConfig {
    /// PostgreSQL's planner copes with a few thousand partitions; four years of days stay well below that.
    fn default() -> Self {
        Self { days_ahead: 3, max_days: 1_461, interval_s: 3_600, lock_timeout_ms: 3_000 }
    }
}

/// How environment variables name the settings of the storage; see [`ENVIRONMENT`].
fn names() -> Names {
    let usual = ENVIRONMENT.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned()));
    Names { usual: usual.collect(), prefix: ENVIRONMENT_PREFIX, ..Names::default() }
}

impl StorageConfig {
    /// The configuration from the environment of this process; see [`ENVIRONMENT`].
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every mistake.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(variables())
    }

    /// The configuration from these environment variables: name and value.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every mistake.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        load(&Layers { environment: vars.into_iter().collect(), ..Layers::default() }, &names())
    }

    /// The configuration from a file whose name ends in .yaml, .yml, .toml or .json.
    ///
    /// # Errors
    /// [`ConfigError::File`] when the file can't be opened, [`ConfigError::Syntax`] when it does not parse,
    /// [`ConfigError::Invalid`] with every wrong setting.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        load(&Layers { file: Some(path.as_ref().to_owned()), ..Layers::default() }, &names())
    }

    /// Whether the configuration names a database: by a URL, or by a host, port, name, user or password that is not the
    /// default.
    ///
    /// A password alone names the database on localhost.
    pub fn names_a_database(&self) -> bool {
        let (database, default) = (&self.database, DatabaseConfig::default());
        database.url.is_some()
            || database.host.is_some()
            || database.password.is_some()
            || (&database.name, &database.user, database.port) != (&default.name, &default.user, default.port)
    }
}

impl Validate for StorageConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.section("database", &self.database);
        problems.section("redis", &self.redis);
        problems.section("connect_retry", &self.connect_retry);
        problems.section("writer", &self.writer);
        problems.section("partitions", &self.partitions);
        problems.section("retention", &self.retention);
        problems.section("statistics", &self.statistics);
        problems.section("settling", &self.settling);
        problems.section("runs", &self.runs);
    }
}

impl RedisConfig {
    /// Address of Redis for people, without secrets. `None` without Redis, or if the URL does not parse.
    pub fn address(&self) -> Option<String> {
        let client = redis::Client::open(self.url.as_ref()?.expose()).ok()?;
        Some(client.get_connection_info().addr().to_string())
    }
}

impl Validate for RedisConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("timeout_ms", self.timeout_ms, 1);
        problems.require(
            self.url.as_ref().is_none_or(|url| redis::Client::open(url.expose()).is_ok()),
            "url",
            "is not a Redis URL; write redis://host:6379/0",
        );
    }
}

impl Validate for RetryConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("attempts", self.attempts, 1);
        problems.at_least("initial_backoff_ms", self.initial_backoff_ms, 1);
        problems.not_less_than(
            "max_backoff_ms",
            self.max_backoff_ms,
            "initial_backoff_ms",
            self.initial_backoff_ms,
        );
    }
}

impl Validate for WriterConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("batch_rows", self.batch_rows, 1);
        problems.not_less_than("max_rows", self.max_rows, "batch_rows", self.batch_rows);
    }
}

impl Validate for PartitionConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_most("days_ahead", self.days_ahead, 31);
        problems.require(
            self.max_days > usize::from(self.days_ahead) + 1,
            "max_days",
            "must be at least days_ahead + 2: yesterday, today and the days ahead",
        );
        problems.at_least("interval_s", self.interval_s, 1);
        problems.at_least("lock_timeout_ms", self.lock_timeout_ms, 1);
    }
}

impl Validate for RetentionConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.require(
            self.requests_s >= 600,
            "requests_s",
            "must be at least 600: clients retry a request for minutes",
        );
        problems.at_least("rejections_s", self.rejections_s, 1);
        problems.at_least("interval_s", self.interval_s, 1);
        problems.at_least("delete_rows", self.delete_rows, 1);
    }
}

impl Validate for StatisticsConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("interval_s", self.interval_s, 1);
        problems.at_least("min_rows", self.min_rows, 1);
        problems.at_least("growth_percent", self.growth_percent, 1);
        problems.at_least("lock_timeout_ms", self.lock_timeout_ms, 1);
        problems.at_least("max_run_s", self.max_run_s, 1);
    }
}

#[cfg(test)]
mod tests;
