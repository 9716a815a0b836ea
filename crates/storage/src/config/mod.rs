//! Where the databases are and how hard they are leaned on.
//!
//! Every limit has a name here. A value comes from its default, then a file, then the environment
//! ([`StorageConfig::from_file`], [`StorageConfig::from_env`]); unknown names are refused, and all mistakes are told at once.

mod layers;
mod secret;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
}

/// Where PostgreSQL is, and how many connections it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// A connection URL or key-value string. When given, it decides, and the five parts below are not read.
    pub url: Option<Secret>,
    /// Host name, address, or the directory of a unix socket.
    pub host: Option<String>,
    /// Port.
    pub port: u16,
    /// Database name.
    pub name: String,
    /// Role.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// Whether the connection is encrypted, and what is checked; as in libpq.
    pub ssl_mode: SslMode,
    /// A PEM file of certificate authorities to trust instead of the machine's own.
    pub ssl_root_cert: Option<PathBuf>,
    /// Most connections in the pool for queries. Writers have connections of their own.
    pub max_connections: u32,
    /// Connections that the pool keeps open when idle.
    pub min_connections: u32,
    /// Longest time to open a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Longest wait for a connection from the pool, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// Idle time after which a pooled connection is closed, in seconds.
    pub idle_timeout_s: u64,
    /// Age at which a pooled connection is closed, in seconds.
    pub max_lifetime_s: u64,
    /// Silence of the network after which a connection counts as dead, in milliseconds.
    pub tcp_user_timeout_ms: u64,
    /// Longest time that a reading statement may take, in milliseconds; PostgreSQL itself ends it then.
    pub query_timeout_ms: u64,
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted if the server can; its certificate is not checked.
    Prefer,
    /// Encrypted; the certificate is not checked.
    Require,
    /// Encrypted; the certificate must come from a trusted authority.
    VerifyCa,
    /// Encrypted; the certificate must come from a trusted authority and name this host.
    VerifyFull,
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
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            host: None,
            port: 5432,
            name: "observatory".to_owned(),
            user: "observatory".to_owned(),
            password: None,
            ssl_mode: SslMode::Prefer,
            ssl_root_cert: None,
            max_connections: 10,
            min_connections: 1,
            connect_timeout_ms: 5_000,
            acquire_timeout_ms: 5_000,
            idle_timeout_s: 600,
            max_lifetime_s: 1_800,
            tcp_user_timeout_ms: 10_000,
            query_timeout_ms: 30_000,
        }
    }
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
        Self { batch_rows: 1_000, method: WriteMethod::Insert }
    }
}

impl Default for PartitionConfig {
    /// A planner copes with a few thousand partitions; four years of days stay well below that.
    fn default() -> Self {
        Self { days_ahead: 3, max_days: 1_461 }
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
        require(self.partitions.days_ahead <= 31, "partitions.days_ahead", "must be at most 31");
        require(
            self.partitions.max_days > usize::from(self.partitions.days_ahead) + 1,
            "partitions.max_days",
            "must leave room for partitions.days_ahead and today",
        );
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

impl DatabaseConfig {
    /// How to reach the database, for the driver.
    pub(crate) fn driver(&self) -> Result<tokio_postgres::Config, tokio_postgres::Error> {
        let mut driver = match &self.url {
            Some(url) => url.expose().parse::<tokio_postgres::Config>()?,
            None => {
                let mut driver = tokio_postgres::Config::new();
                driver.host(self.host.as_deref().unwrap_or("localhost")).port(self.port);
                driver.dbname(&self.name).user(&self.user);
                if let Some(password) = &self.password {
                    driver.password(password.expose());
                }
                driver
            }
        };
        if self.ssl_mode != SslMode::Prefer {
            driver.ssl_mode(match self.ssl_mode {
                SslMode::Disable => tokio_postgres::config::SslMode::Disable,
                SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
                SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                    tokio_postgres::config::SslMode::Require
                }
            });
        }
        driver
            .application_name("observatory")
            .connect_timeout(Duration::from_millis(self.connect_timeout_ms))
            .tcp_user_timeout(Duration::from_millis(self.tcp_user_timeout_ms))
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(3))
            .keepalives_retries(3);
        Ok(driver)
    }

    /// A URL of the database without its password, which psql understands.
    pub fn public_url(&self) -> String {
        use tokio_postgres::config::Host;
        let Ok(driver) = self.driver() else {
            return String::new();
        };
        let (user, name) = (driver.get_user().unwrap_or_default(), driver.get_dbname().unwrap_or_default());
        let port = driver.get_ports().first().copied().unwrap_or(5432);
        match driver.get_hosts().first() {
            #[cfg(unix)]
            Some(Host::Unix(path)) => {
                format!("postgresql:///{name}?host={}&port={port}&user={user}", path.display())
            }
            Some(Host::Tcp(host)) if user.is_empty() => format!("postgresql://{host}:{port}/{name}"),
            Some(Host::Tcp(host)) => format!("postgresql://{user}@{host}:{port}/{name}"),
            None => format!("postgresql:///{name}"),
        }
    }

    /// Where the database is, without secrets, for people.
    pub fn address(&self) -> String {
        let Ok(driver) = self.driver() else {
            return "an unreadable database URL".to_owned();
        };
        let hosts: Vec<_> = driver
            .get_hosts()
            .iter()
            .zip(
                driver
                    .get_ports()
                    .iter()
                    .chain(std::iter::repeat(driver.get_ports().first().unwrap_or(&5432))),
            )
            .map(|(host, port)| match host {
                tokio_postgres::config::Host::Tcp(host) => format!("{host}:{port}"),
                #[cfg(unix)]
                tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        format!("{} at {}", driver.get_dbname().unwrap_or("?"), hosts.join(", "))
    }
}

#[cfg(test)]
mod tests;
