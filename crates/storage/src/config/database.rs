//! Where PostgreSQL is, and how the observatory connects to it.

use std::path::PathBuf;
use std::time::Duration;

use llm_observatory_config::{Problems, Secret, Validate};
use serde::{Deserialize, Serialize};

/// Where PostgreSQL is, and the limits of connections to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// A connection URL or key-value string. If it is set, the five settings below are ignored.
    pub url: Option<Secret>,
    /// Host name, address, or the directory of a unix socket; without it localhost.
    pub host: Option<String>,
    /// Port.
    pub port: u16,
    /// Database name.
    pub name: String,
    /// Role.
    pub user: String,
    /// The password of the role.
    pub password: Option<Secret>,
    /// Whether the connection is encrypted, and what of the certificate is checked; as libpq's `sslmode`.
    pub ssl_mode: SslMode,
    /// A PEM file of certificate authorities to trust instead of the machine's own.
    pub ssl_root_cert: Option<PathBuf>,
    /// Most connections in the pool for queries. Writers have dedicated connections.
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
    /// Silence of the network after which a connection counts as dead, here and in PostgreSQL, in milliseconds.
    pub tcp_user_timeout_ms: u64,
    /// Longest wait of a writer for a lock, in milliseconds; then the writer runs its transaction again.
    pub lock_timeout_ms: u64,
    /// Longest pause of a writer within a transaction, in milliseconds; then PostgreSQL ends the transaction.
    pub idle_in_transaction_timeout_ms: u64,
    /// Must be true to write to a PostgreSQL whose fsync or full_page_writes is off: a crash may lose what it acknowledged.
    pub allow_unsafe_durability: bool,
    /// Longest time of one statement that reads, in milliseconds; then PostgreSQL ends it.
    pub query_timeout_ms: u64,
}

/// When the kernel probes a silent connection, and when it closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silence {
    /// Silence before the first probe.
    pub(crate) idle: Duration,
    /// Time between probes.
    pub(crate) interval: Duration,
    /// Probes without an answer after which the connection counts as dead.
    pub(crate) probes: u32,
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

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            host: None,
            port: 5432,
            name: "postgres".to_owned(),
            user: "postgres".to_owned(),
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
            lock_timeout_ms: 3_000,
            idle_in_transaction_timeout_ms: 30_000,
            allow_unsafe_durability: false,
            query_timeout_ms: 30_000,
        }
    }
}

impl Validate for DatabaseConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.require(
            self.url.as_ref().is_none_or(|url| url.expose().parse::<tokio_postgres::Config>().is_ok()),
            "url",
            "is not a PostgreSQL URL; write postgresql://user:password@host:5432/database",
        );
        problems.require(self.port != 0, "port", "must be between 1 and 65535");
        problems.require(!self.name.is_empty(), "name", "must not be empty");
        problems.require(!self.user.is_empty(), "user", "must not be empty");
        problems.at_least("max_connections", self.max_connections, 1);
        problems.require(
            self.max_connections <= 1_000,
            "max_connections",
            "must be at most 1000; PostgreSQL slows down long before",
        );
        problems.require(
            self.min_connections <= self.max_connections,
            "min_connections",
            "must not be more than max_connections",
        );
        problems.at_least("connect_timeout_ms", self.connect_timeout_ms, 1);
        problems.at_least("acquire_timeout_ms", self.acquire_timeout_ms, 1);
        problems.at_least("tcp_user_timeout_ms", self.tcp_user_timeout_ms, 1);
        problems.at_least("query_timeout_ms", self.query_timeout_ms, 1);
        problems.at_least("lock_timeout_ms", self.lock_timeout_ms, 1);
        problems.at_least("idle_in_transaction_timeout_ms", self.idle_in_transaction_timeout_ms, 1);
    }
}

impl DatabaseConfig {
    /// The configuration of the driver.
    ///
    /// # Errors
    /// The driver's error for a URL that does not parse.
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
        let silence = self.silence();
        driver
            .application_name("observatory")
            .connect_timeout(Duration::from_millis(self.connect_timeout_ms))
            .tcp_user_timeout(Duration::from_millis(self.tcp_user_timeout_ms))
            .keepalives_idle(silence.idle)
            .keepalives_interval(silence.interval)
            .keepalives_retries(silence.probes);
        Ok(driver)
    }

    /// Whether the URL says which kind of server to connect to (`target_session_attrs`).
    pub(crate) fn chooses_servers(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.expose().contains("target_session_attrs"))
    }

    /// Probes of a silent connection, timed so that the kernel closes it within `tcp_user_timeout_ms`.
    pub(crate) fn silence(&self) -> Silence {
        let second = Duration::from_secs(1); // the kernel's unit
        let part = |parts: u32| (Duration::from_millis(self.tcp_user_timeout_ms) / parts).max(second);
        Silence { idle: part(2), interval: part(6), probes: 3 }
    }

    /// A URL of the database for psql, without the password; empty if the configured URL does not parse.
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

    /// Name and servers of the database, for people: `observatory at db.internal:5432`. Without secrets.
    pub fn address(&self) -> String {
        let Ok(driver) = self.driver() else {
            return "a database URL that does not parse".to_owned();
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
