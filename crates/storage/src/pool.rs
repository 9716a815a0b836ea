//! Connections: a pool for queries, dedicated ones for writers, and Redis if it is configured.

use std::collections::BTreeSet;
use std::time::Duration;

use bb8_postgres::PostgresConnectionManager;
use llm_observatory_core::time::Day;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::Serialize;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{RetryConfig, StorageConfig};
use crate::connector::Connector;
use crate::error::Error;
use crate::maintenance::Family;
use crate::maintenance::partitions::{DeclinedDays, Partitions};
use crate::migrate;
use crate::writers::WriterConnection;

type Manager = PostgresConnectionManager<MakeRustlsConnect>;

/// A connection lent by the pool; it goes back when dropped.
pub type PooledConnection<'a> = bb8::PooledConnection<'a, Manager>;

/// The door to PostgreSQL and Redis. Cheap to clone; all clones share the same connections.
#[derive(Debug, Clone)]
pub struct StoragePool {
    config: StorageConfig,
    connector: Connector,
    queries: bb8::Pool<Manager>,
    redis: Option<ConnectionManager>,
    partitions: Partitions,
}

/// Whether the two stores answer.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// PostgreSQL.
    pub postgres: StoreHealth,
    /// Redis; `None` when it is not configured.
    pub redis: Option<StoreHealth>,
}

/// Whether one store answers.
#[derive(Debug, Clone, Serialize)]
pub struct StoreHealth {
    /// The version that it tells, when it answers.
    pub version: Option<String>,
    /// What went wrong, when it does not.
    pub error: Option<String>,
}

/// How busy the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PoolStats {
    /// Open connections.
    pub connections: u32,
    /// Those of them that wait for work.
    pub idle: u32,
    /// Most connections that may be open.
    pub max: u32,
}

impl Health {
    /// Whether everything that is configured answers.
    pub fn is_healthy(&self) -> bool {
        self.postgres.error.is_none() && self.redis.as_ref().is_none_or(|redis| redis.error.is_none())
    }
}

impl From<Result<String, Error>> for StoreHealth {
    fn from(answer: Result<String, Error>) -> Self {
        match answer {
            Ok(version) => Self { version: Some(version), error: None },
            Err(error) => Self { version: None, error: Some(error.to_string()) },
        }
    }
}

impl StoragePool {
    /// Connects, waiting with exponential backoff and jitter for a database that is not there yet.
    ///
    /// Redis is optional at run time: when it is configured and away, that is logged, and it is tried again on use.
    ///
    /// # Errors
    /// [`Error::Config`] for a configuration that can't work, [`Error::Unavailable`] when PostgreSQL did not answer in
    /// `connect_retry.attempts`, and what PostgreSQL says when it answers with a refusal (a wrong password).
    pub async fn new(config: StorageConfig) -> Result<Self, Error> {
        match config.problems() {
            problems if problems.is_empty() => {}
            problems => return Err(crate::config::ConfigError::Invalid(problems).into()),
        }
        let connector = Connector::new(&config.database)?;
        connect_with_retry(&config.connect_retry, || connector.any()).await?;
        let (database, (driver, tls)) = (&config.database, connector.parts());
        let queries = bb8::Pool::builder()
            .max_size(database.max_connections)
            .min_idle(database.min_connections)
            .connection_timeout(Duration::from_millis(database.acquire_timeout_ms))
            .idle_timeout(Duration::from_secs(database.idle_timeout_s))
            .max_lifetime(Duration::from_secs(database.max_lifetime_s))
            // A closed connection is known without asking (see `get`); the extra round trip would buy nothing.
            .test_on_check_out(false)
            .build(Manager::new(driver, tls))
            .await?;
        let redis = match &config.redis.url {
            Some(url) => Some(open_redis(url.expose(), Duration::from_millis(config.redis.timeout_ms))?),
            None => None,
        };
        let partitions = Partitions::new(config.partitions.clone());
        Ok(Self { config, connector, queries, redis, partitions })
    }

    /// The configuration that it was made from.
    pub fn config(&self) -> &StorageConfig {
        &self.config
    }

    /// The day partitions, shared by everyone who writes.
    pub fn partitions(&self) -> &Partitions {
        &self.partitions
    }

    /// Makes the partitions that `days` need and that are missing, on a connection of its own; see [`Partitions::ensure`].
    ///
    /// # Errors
    /// As there.
    pub async fn ensure_partitions(
        &self,
        family: Family,
        days: &BTreeSet<Day>,
    ) -> Result<DeclinedDays, Error> {
        self.partitions.ensure_on(|| self.connect_primary(), family, days).await
    }

    /// Makes the partitions of yesterday, today and the coming days, on a connection of its own.
    ///
    /// # Errors
    /// As [`Self::ensure_partitions`].
    pub async fn make_partitions_ahead(&self) -> Result<(), Error> {
        for family in Family::ALL {
            self.ensure_partitions(family, &self.partitions.days_ahead()).await?;
        }
        Ok(())
    }

    /// A connection from the pool.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none becomes free within `database.acquire_timeout_ms`.
    pub async fn get(&self) -> Result<PooledConnection<'_>, Error> {
        loop {
            let connection = self.queries.get().await?;
            if !connection.is_closed() {
                return Ok(connection);
            }
            // PostgreSQL was restarted: the pool drops this one when it comes back, and opens another.
        }
    }

    /// A connection outside the pool, like those in it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached.
    pub async fn connect(&self) -> Result<Client, Error> {
        self.connector.any().await
    }

    /// A connection outside the pool to the server that takes writes, for changes that no writer makes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no server can be reached that takes them.
    pub async fn connect_primary(&self) -> Result<Client, Error> {
        self.connector.primary().await
    }

    /// A connection outside the pool, for a writer that keeps it.
    ///
    /// # Errors
    /// As [`WriterConnection::open`].
    pub async fn connect_writer(&self) -> Result<WriterConnection, Error> {
        WriterConnection::open(&self.connector, &self.config.database).await
    }

    /// Redis, if it is configured. The connection heals itself.
    pub fn redis(&self) -> Option<ConnectionManager> {
        self.redis.clone()
    }

    /// Brings the schema to the version of this program, and makes the partitions of the coming days.
    ///
    /// # Errors
    /// [`Error::SchemaTooNew`], or [`Error::Migration`] with what failed; a failed migration leaves nothing behind.
    pub async fn run_migrations(&self) -> Result<migrate::Applied, Error> {
        let retry = &self.config.connect_retry;
        let mut client = connect_with_retry(retry, || self.connector.primary()).await?;
        let applied = migrate::run(&mut client).await?;
        self.partitions.make_ahead(&client).await?;
        Ok(applied)
    }

    /// Asks PostgreSQL and Redis whether they are there.
    pub async fn health_check(&self) -> Health {
        Health {
            postgres: self.postgres_version().await.into(),
            redis: match self.redis() {
                Some(redis) => Some(redis_version(redis).await.into()),
                None => None,
            },
        }
    }

    async fn postgres_version(&self) -> Result<String, Error> {
        within(Duration::from_millis(self.config.database.query_timeout_ms), async {
            let client = self.get().await?;
            Ok(client.query_one(POSTGRES_VERSION, &[]).await?.get(0))
        })
        .await
    }

    /// How busy the pool is.
    pub fn stats(&self) -> PoolStats {
        let state = self.queries.state();
        PoolStats {
            connections: state.connections,
            idle: state.idle_connections,
            max: self.config.database.max_connections,
        }
    }
}

const POSTGRES_VERSION: &str = "/* postgres_version */ SHOW server_version";

async fn connect_with_retry<F>(retry: &RetryConfig, connect: impl Fn() -> F) -> Result<Client, Error>
where
    F: Future<Output = Result<Client, Error>>,
{
    let mut attempt = 1;
    loop {
        match connect().await {
            Ok(client) => return Ok(client),
            // A refusal (wrong password, no such database) will not change by itself.
            Err(error)
                if attempt >= retry.attempts || error.failure() != crate::error::Failure::Unavailable =>
            {
                return Err(error);
            }
            Err(error) => {
                let wait = backoff(retry, attempt);
                tracing::warn!(
                    attempt,
                    wait.ms = wait.as_millis(),
                    %error,
                    "PostgreSQL is not available yet; trying again"
                );
                tokio::time::sleep(wait).await;
                attempt += 1;
            }
        }
    }
}

/// The wait after the given attempt (from 1): doubled each time up to the limit, of which a random half is waited at least.
pub fn backoff(retry: &RetryConfig, attempt: u32) -> Duration {
    let doubled = retry.initial_backoff_ms.saturating_mul(1_u64 << attempt.saturating_sub(1).min(32));
    let most = doubled.min(retry.max_backoff_ms).max(1);
    Duration::from_millis(rand::random_range(most.div_ceil(2)..=most))
}

fn open_redis(url: &str, patience: Duration) -> Result<ConnectionManager, Error> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience))
        .set_number_of_retries(1);
    Ok(ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, config)?)
}

async fn redis_version(mut redis: ConnectionManager) -> Result<String, Error> {
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut redis).await?;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or("unknown").trim().to_owned())
}

/// Waits for `work` at most `patience`.
///
/// # Errors
/// [`Error::Unavailable`] when the time is over.
pub async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable(format!("no answer within {} ms", patience.as_millis()))),
    }
}
