//! Connections: a pool for queries, dedicated connections for writers, and Redis if it is configured.

use std::collections::BTreeSet;
use std::time::Duration;

use bb8_postgres::PostgresConnectionManager;
use llm_observatory_config::Validate as _;
use llm_observatory_core::time::Day;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::StorageConfig;
use crate::error::Error;
use crate::maintenance::family::Family;
use crate::maintenance::partitions::{DeclinedDays, Partitions};
use crate::migrate;
use crate::postgres::cause::Cause;
use crate::postgres::retry::until_available;
use crate::postgres::{Connector, WriterConnection};
use crate::prices::Prices;
use crate::tally::LlmTally;

type Manager = PostgresConnectionManager<MakeRustlsConnect>;

/// A connection of the pool. Dropping it returns it.
pub type PooledConnection<'a> = bb8::PooledConnection<'a, Manager>;

/// Gives access to PostgreSQL and Redis. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct StoragePool {
    config: StorageConfig,
    connector: Connector,
    queries: bb8::Pool<Manager>,
    /// Why `queries` failed to connect lately, if it did.
    cause: Cause,
    redis: Option<ConnectionManager>,
    partitions: Partitions,
    prices: Prices,
    llm: LlmTally,
}

/// Numbers of the pool for queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PoolStats {
    /// Number of open connections.
    pub connections: u32,
    /// Number of open connections that are idle.
    pub idle: u32,
    /// Most connections that may be open: `database.max_connections`.
    pub max: u32,
}

impl StoragePool {
    /// Connects to PostgreSQL, and retries with exponential backoff and jitter while it is unavailable.
    ///
    /// The connection to Redis is opened at its first use.
    ///
    /// # Errors
    /// [`Error::Config`] for an invalid configuration, [`Error::Tls`] for certificates that can't be read,
    /// [`Error::Unavailable`] after `connect_retry.attempts` without an answer of PostgreSQL, [`Error::Postgres`] when
    /// PostgreSQL refuses the login (a wrong password), [`Error::Redis`] for a URL of Redis that does not parse.
    pub async fn new(config: StorageConfig) -> Result<Self, Error> {
        config.check()?;
        let connector = Connector::new(&config.database)?;
        until_available(&config, || connector.any()).await?;
        let (database, (driver, tls)) = (&config.database, connector.parts());
        let cause = Cause::default();
        let queries = bb8::Pool::builder()
            .max_size(database.max_connections)
            .min_idle(database.min_connections)
            .connection_timeout(Duration::from_millis(database.acquire_timeout_ms))
            .idle_timeout(Duration::from_secs(database.idle_timeout_s))
            .max_lifetime(Duration::from_secs(database.max_lifetime_s))
            // `get` recognises a closed connection without this extra round trip.
            .test_on_check_out(false)
            .error_sink(Box::new(cause.clone()))
            .connection_customizer(Box::new(cause.clone()))
            .build(Manager::new(driver, tls))
            .await?;
        let redis = match &config.redis.url {
            Some(url) => Some(open_redis(url.expose(), Duration::from_millis(config.redis.timeout_ms))?),
            None => None,
        };
        let partitions = Partitions::new(config.partitions.clone());
        let (prices, llm) = (Prices::default(), LlmTally::default());
        Ok(Self { config, connector, queries, cause, redis, partitions, prices, llm })
    }

    /// The configuration of the pool.
    pub fn config(&self) -> &StorageConfig {
        &self.config
    }

    /// The day partitions. All clones of the pool share them.
    pub fn partitions(&self) -> &Partitions {
        &self.partitions
    }

    /// The prices of calls. All clones of the pool share them.
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// What the writers of the pool stored, in LLM spans. All clones of the pool share it.
    pub fn llm(&self) -> &LlmTally {
        &self.llm
    }

    /// Creates the missing partitions of `days` on a new connection, and returns the declined days; see
    /// [`Partitions::ensure`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached; [`Error::Postgres`] when another daemon holds the lock
    /// for longer than `partitions.lock_timeout_ms`, or the role may not create tables.
    pub async fn ensure_partitions(
        &self,
        family: Family,
        days: &BTreeSet<Day>,
    ) -> Result<DeclinedDays, Error> {
        self.partitions.ensure_on(|| self.connect_primary(), family, days).await
    }

    /// Creates the partitions of yesterday, today and the days ahead on a new connection.
    ///
    /// # Errors
    /// Those of [`Self::ensure_partitions`].
    pub(crate) async fn make_partitions_ahead(&self) -> Result<(), Error> {
        for family in Family::ALL {
            self.ensure_partitions(family, &self.partitions.days_ahead()).await?;
        }
        Ok(())
    }

    /// A connection from the pool.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection becomes free within `database.acquire_timeout_ms`. Its text says why
    /// the pool could not open one, or that all are busy.
    pub async fn get(&self) -> Result<PooledConnection<'_>, Error> {
        loop {
            let connection = self.queries.get().await.map_err(|error| self.unavailable(error))?;
            if !connection.is_closed() {
                return Ok(connection);
            }
            // PostgreSQL closed this connection: the pool drops it and opens another.
        }
    }

    fn unavailable(&self, error: bb8::RunError<tokio_postgres::Error>) -> Error {
        match (error, self.cause.last()) {
            (bb8::RunError::TimedOut, Some(cause)) => Error::Unavailable(cause),
            (error, _) => error.into(),
        }
    }

    /// A new connection outside the pool, to a server like those of the pool, and the task that drives it. The task
    /// ends after the client is dropped. It also runs without its handle.
    ///
    /// ```no_run
    /// # async fn example(pool: llm_observatory_storage::StoragePool) -> Result<(), llm_observatory_storage::Error> {
    /// let (client, _handle) = pool.get_tokio_postgres_client().await?;
    /// let one: i32 = client.query_one("SELECT 1", &[]).await?.get(0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached; [`Error::Postgres`] when it refuses the login.
    pub async fn get_tokio_postgres_client(&self) -> Result<(Client, JoinHandle<()>), Error> {
        self.connector.any().await
    }

    /// A new connection as from [`Self::get_tokio_postgres_client`], without the handle.
    ///
    /// # Errors
    /// Those of [`Self::get_tokio_postgres_client`].
    pub async fn connect(&self) -> Result<Client, Error> {
        let (client, _driver) = self.get_tokio_postgres_client().await?;
        Ok(client)
    }

    /// A new connection outside the pool to the server that takes writes, for partitions and jobs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no server that takes writes can be reached; [`Error::Postgres`] when it refuses the
    /// login.
    pub(crate) async fn connect_primary(&self) -> Result<Client, Error> {
        let (client, _driver) = self.connector.primary().await?;
        Ok(client)
    }

    /// A new connection outside the pool to the server that takes writes, for a writer that keeps it.
    ///
    /// # Errors
    /// [`Error::UnsafeDurability`] when PostgreSQL may lose committed data and `database.allow_unsafe_durability` is
    /// false; [`Error::Unavailable`] when no server that takes writes answers in time; [`Error::Postgres`] when it
    /// refuses the login.
    pub async fn connect_writer(&self) -> Result<WriterConnection, Error> {
        let (prices, llm) = (self.prices.clone(), self.llm.clone());
        WriterConnection::open(&self.connector, &self.config.database, prices, llm).await
    }

    /// Redis, if it is configured. The connection reconnects by itself.
    pub fn redis(&self) -> Option<ConnectionManager> {
        self.redis.clone()
    }

    /// Applies the missing migrations, and creates the partitions of yesterday, today and the days ahead.
    ///
    /// # Errors
    /// [`Error::SchemaTooNew`] for a schema of a newer program; [`Error::Migration`] for a migration that fails and is
    /// rolled back; [`Error::Unavailable`] when PostgreSQL can't be reached; [`Error::Postgres`] when the role may not
    /// create tables.
    pub async fn run_migrations(&self) -> Result<migrate::Applied, Error> {
        let (mut client, _driver) = until_available(&self.config, || self.connector.primary()).await?;
        let applied = migrate::run(&mut client).await?;
        self.partitions.make_ahead(&client).await?;
        Ok(applied)
    }

    /// Present numbers of the pool for queries.
    pub fn stats(&self) -> PoolStats {
        let state = self.queries.state();
        PoolStats {
            connections: state.connections,
            idle: state.idle_connections,
            max: self.config.database.max_connections,
        }
    }
}

fn open_redis(url: &str, patience: Duration) -> Result<ConnectionManager, Error> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience))
        .set_number_of_retries(1);
    Ok(ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, config)?)
}
