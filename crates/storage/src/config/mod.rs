//! Where the databases are and how hard they are leaned on.
//!
//! Every limit has a name here. A value comes from its default, then a file, then the environment
//! ([`StorageConfig::from_file`], [`StorageConfig::from_env`]); unknown names are refused, and all mistakes are told at once.

mod database;
mod layers;
mod secret;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use database::{DatabaseConfig, SslMode};
pub use layers::{Problem, extract, nest, parse_file};
pub use secret::Secret;

/// The environment variables with usual names, and the settings that they are.
///
/// Every setting can also be given as `OBSERVATORY_STORAGE__<SECTION>__<NAME>`.
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

/// Everything that the storage needs to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Redis, if there is one.
    pub redis: RedisConfig,
    /// How the first connection is waited for.
    pub connect_retry: RetryConfig,
    /// The buffering writers.
    pub writer: WriterConfig,
    /// Day partitions.
    pub partitions: PartitionConfig,
    /// How long bookkeeping is kept.
    pub retention: RetentionConfig,
    /// When tables are analysed for PostgreSQL's planner.
    pub statistics: StatisticsConfig,
}

/// Where Redis is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// `redis://host:port/db`; without it the observatory works without Redis.
    pub url: Option<Secret>,
    /// Longest time to connect or to answer, in milliseconds.
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
    /// Rows that are gathered before they are written.
    pub batch_rows: usize,
    /// Most rows that are gathered while they can't be written; further ones are refused.
    pub max_rows: usize,
    /// How they are written.
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

/// How many day partitions there may be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PartitionConfig {
    /// Days for which partitions are made ahead.
    pub days_ahead: u16,
    /// Most day partitions of one table; a record for yet another day is rejected.
    pub max_days: usize,
    /// How often those of the coming days are made, in seconds.
    pub interval_s: u64,
    /// Longest wait for another daemon that makes the same ones, in milliseconds; then the request is refused.
    pub lock_timeout_ms: u64,
}

/// How long bookkeeping is kept, and how it is cleared away.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// How long the ledger knows a request, in seconds: longer than any client goes on trying.
    pub requests_s: u64,
    /// How long rejected records are kept, in seconds.
    pub rejections_s: u64,
    /// How often what is older is deleted, in seconds.
    pub interval_s: u64,
    /// Most rows that are deleted in one transaction.
    pub delete_rows: u32,
}

/// When a table is analysed for PostgreSQL's planner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatisticsConfig {
    /// How often it is looked which tables grew, in seconds.
    pub interval_s: u64,
    /// Fewest rows by which a table must have grown since it was analysed.
    pub min_rows: u64,
    /// Part of its rows by which it must have grown since then, in percent.
    pub growth_percent: u32,
    /// Longest wait for a table that is locked, in milliseconds; then it is left out until the next time.
    pub lock_timeout_ms: u64,
    /// Longest time that one run may take, in seconds; the next one goes on. Less than what the daemon gives to a job.
    pub max_run_s: u64,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self { url: None, timeout_ms: 2_000 }
    }
}

impl Default for RetryConfig {
    /// About a minute in all: long enough for a database that starts beside us.
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
    /// The Collector gives up after 5 minutes by default; one that never gives up gets a day.
    fn default() -> Self {
        Self { requests_s: 86_400, rejections_s: 7 * 86_400, interval_s: 60, delete_rows: 10_000 }
    }
}

impl Default for StatisticsConfig {
    /// A busy day is analysed some forty times until its end; each time costs a fraction of a second.
    fn default() -> Self {
        Self { interval_s: 60, min_rows: 1_000, growth_percent: 20, lock_timeout_ms: 1_000, max_run_s: 45 }
    }
}

impl Default for PartitionConfig {
    /// A planner copes with a few thousand partitions; four years of days stay well below that.
    fn default() -> Self {
        Self { days_ahead: 3, max_days: 1_461, interval_s: 3_600, lock_timeout_ms: 3_000 }
    }
}

/// A configuration that can't be used, with everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("configuration file {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what its ending says.
    #[error("configuration file {path}: {message}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where it stops making sense.
        message: String,
    },
    /// One or more settings are wrong.
    #[error("{}", layers::list(.0))]
    Invalid(Vec<Problem>),
}

impl StorageConfig {
    /// The configuration that the environment gives; see [`ENVIRONMENT`].
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every mistake at once.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(variables())
    }

    /// The configuration that these environment variables give.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every mistake at once.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut tree = Value::Object(Default::default());
        for (name, value) in vars {
            let known = ENVIRONMENT
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, path)| (*path).to_owned());
            let ours =
                || name.strip_prefix(ENVIRONMENT_PREFIX).map(|rest| rest.to_lowercase().replace("__", "."));
            if let Some(path) = known.or_else(ours) {
                nest(&mut tree, &path, Value::String(value));
            }
        }
        Self::from_tree(tree)
    }

    /// The configuration in a YAML, TOML or JSON file, told by its ending.
    ///
    /// # Errors
    /// [`ConfigError`]; of wrong settings, every one at once.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::from_tree(parse_file(path.as_ref())?)
    }

    fn from_tree(tree: Value) -> Result<Self, ConfigError> {
        let config: Self = extract(tree)?;
        match config.problems() {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError::Invalid(problems)),
        }
    }

    /// Everything that is wrong with the values, each with what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        let database = &self.database;
        let ceiling = database.max_connections;
        require(ceiling >= 1, "database.max_connections", "must be at least 1");
        require(
            ceiling <= 1_000,
            "database.max_connections",
            "must be at most 1000; PostgreSQL slows down long before",
        );
        require(
            database.min_connections <= ceiling,
            "database.min_connections",
            "must not be more than database.max_connections",
        );
        require(database.port != 0, "database.port", "must be between 1 and 65535");
        require(!database.name.is_empty(), "database.name", "must not be empty");
        require(!database.user.is_empty(), "database.user", "must not be empty");
        for (millis, key) in [
            (database.connect_timeout_ms, "database.connect_timeout_ms"),
            (database.acquire_timeout_ms, "database.acquire_timeout_ms"),
            (database.tcp_user_timeout_ms, "database.tcp_user_timeout_ms"),
            (database.query_timeout_ms, "database.query_timeout_ms"),
            (database.lock_timeout_ms, "database.lock_timeout_ms"),
            (database.idle_in_transaction_timeout_ms, "database.idle_in_transaction_timeout_ms"),
            (self.partitions.lock_timeout_ms, "partitions.lock_timeout_ms"),
            (self.redis.timeout_ms, "redis.timeout_ms"),
            (self.connect_retry.initial_backoff_ms, "connect_retry.initial_backoff_ms"),
        ] {
            require(millis >= 1, key, "must be at least 1 millisecond");
        }
        require(
            database.url.as_ref().is_none_or(|url| url.expose().parse::<tokio_postgres::Config>().is_ok()),
            "database.url",
            "is not a PostgreSQL URL; write postgresql://user:password@host:5432/database",
        );
        require(
            self.redis.url.as_ref().is_none_or(|url| redis::Client::open(url.expose()).is_ok()),
            "redis.url",
            "is not a Redis URL; write redis://host:6379/0",
        );
        require(self.connect_retry.attempts >= 1, "connect_retry.attempts", "must be at least 1");
        require(
            self.connect_retry.max_backoff_ms >= self.connect_retry.initial_backoff_ms,
            "connect_retry.max_backoff_ms",
            "must not be less than connect_retry.initial_backoff_ms",
        );
        require(self.writer.batch_rows >= 1, "writer.batch_rows", "must be at least 1");
        require(
            self.writer.max_rows >= self.writer.batch_rows,
            "writer.max_rows",
            "must not be less than writer.batch_rows",
        );
        require(self.partitions.days_ahead <= 31, "partitions.days_ahead", "must be at most 31");
        require(
            self.partitions.max_days > usize::from(self.partitions.days_ahead) + 1,
            "partitions.max_days",
            "must leave room for partitions.days_ahead and today",
        );
        require(self.partitions.interval_s >= 1, "partitions.interval_s", "must be at least 1 second");
        require(
            self.retention.requests_s >= 600,
            "retention.requests_s",
            "must be at least 600: clients try for minutes",
        );
        require(self.retention.rejections_s >= 1, "retention.rejections_s", "must be at least 1 second");
        require(self.retention.interval_s >= 1, "retention.interval_s", "must be at least 1 second");
        require(self.retention.delete_rows >= 1, "retention.delete_rows", "must be at least 1");
        require(self.statistics.interval_s >= 1, "statistics.interval_s", "must be at least 1 second");
        require(self.statistics.min_rows >= 1, "statistics.min_rows", "must be at least 1");
        require(self.statistics.growth_percent >= 1, "statistics.growth_percent", "must be at least 1");
        require(
            self.statistics.lock_timeout_ms >= 1,
            "statistics.lock_timeout_ms",
            "must be at least 1 millisecond",
        );
        require(self.statistics.max_run_s >= 1, "statistics.max_run_s", "must be at least 1 second");
        problems
    }

    /// Whether the configuration names a database at all.
    pub fn names_a_database(&self) -> bool {
        self.database.url.is_some() || self.database.host.is_some()
    }
}

/// The environment, without what is no text.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
mod tests;
