//! Connections: a pool for queries, dedicated ones for writers, and Redis if it is configured.

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
use crate::maintenance::Family;
use crate::maintenance::partitions::{DeclinedDays, Partitions};
use crate::migrate;
use crate::postgres::cause::Cause;
use crate::postgres::retry::until_available;
use crate::postgres::{Connector, WriterConnection};

type Manager = PostgresConnectionManager<MakeRustlsConnect>;

/// A connection lent by the pool; it goes back when dropped.
pub type PooledConnection<'a> = bb8::PooledConnection<'a, Manager>;

/// The door to PostgreSQL and Redis. Cheap to clone; all clones share the same connections.
#[derive(Debug, Clone)]
pub struct StoragePool {
    config: StorageConfig,
    connector: Connector,
    queries: bb8::Pool<Manager>,
    /// Why `queries` can't connect, if it can't.
    cause: Cause,
    redis: Option<ConnectionManager>,
    partitions: Partitions,
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

impl StoragePool {
    /// Connects, waiting with exponential backoff and jitter for a database that is not there yet.
    ///
    /// Redis is optional at run time: when it is configured and away, that is logged, and it is tried again on use.
    ///
    /// # Errors
    /// [`Error::Config`] for a configuration that can't work, [`Error::Tls`] for certificates that can't be read,
    /// [`Error::Unavailable`] when PostgreSQL did not answer in `connect_retry.attempts`, [`Error::Postgres`] when it refuses
    /// (a wrong password), [`Error::Redis`] for an address of Redis that can't be read.
    pub async fn new(config: StorageConfig) -> Result<Self, Error> {
        config.check()?;
        let connector = Connector::new(&config.database)?;
        until_available(&config.connect_retry, || connector.any()).await?;
        let (database, (driver, tls)) = (&config.database, connector.parts());
        let cause = Cause::default();
        let queries = bb8::Pool::builder()
            .max_size(database.max_connections)
            .min_idle(database.min_connections)
            .connection_timeout(Duration::from_millis(database.acquire_timeout_ms))
            .idle_timeout(Duration::from_secs(database.idle_timeout_s))
            .max_lifetime(Duration::from_secs(database.max_lifetime_s))
            // A closed connection is known without asking (see `get`); the extra round trip would buy nothing.
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
        Ok(Self { config, connector, queries, cause, redis, partitions })
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
    /// [`Error::Unavailable`] when PostgreSQL can't be reached; [`Error::Postgres`] when it refuses (another daemon holds
    /// the lock for longer than `partitions.lock_timeout_ms`, or the role may not make tables).
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
    /// [`Error::Unavailable`] when none becomes free within `database.acquire_timeout_ms`; it tells why none could be opened, if
    /// that is the cause, and else that all are at work.
    pub async fn get(&self) -> Result<PooledConnection<'_>, Error> {
        loop {
            let connection = self.queries.get().await.map_err(|error| self.unavailable(error))?;
            if !connection.is_closed() {
                return Ok(connection);
            }
            // PostgreSQL was restarted: the pool drops this one when it comes back, and opens another.
        }
    }

    fn unavailable(&self, error: bb8::RunError<tokio_postgres::Error>) -> Error {
        let patience = Duration::from_millis(self.config.database.acquire_timeout_ms);
        match (error, self.cause.within(patience)) {
            (bb8::RunError::TimedOut, Some(cause)) => Error::Unavailable(cause),
            (error, _) => error.into(),
        }
    }

    /// A connection outside the pool, like those in it, and the task that moves its bytes. The task ends when the client is
    /// dropped; whoever has no use for its end may drop the handle at once.
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

    /// The same without the handle.
    ///
    /// # Errors
    /// As [`Self::get_tokio_postgres_client`].
    pub async fn connect(&self) -> Result<Client, Error> {
        let (client, _driver) = self.get_tokio_postgres_client().await?;
        Ok(client)
    }

    /// A connection outside the pool to the server that takes writes, for changes that no writer makes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no server can be reached that takes them; [`Error::Postgres`] when it refuses the login.
    pub async fn connect_primary(&self) -> Result<Client, Error> {
        let (client, _driver) = self.connector.primary().await?;
        Ok(client)
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
    /// [`Error::SchemaTooNew`]; [`Error::Migration`] with what failed, and then nothing of that migration is left behind;
    /// [`Error::Unavailable`] when PostgreSQL can't be reached; [`Error::Postgres`] when it refuses (the role may not make
    /// tables).
    pub async fn run_migrations(&self) -> Result<migrate::Applied, Error> {
        let retry = &self.config.connect_retry;
        let (mut client, _driver) = until_available(retry, || self.connector.primary()).await?;
        let applied = migrate::run(&mut client).await?;
        self.partitions.make_ahead(&client).await?;
        Ok(applied)
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

fn open_redis(url: &str, patience: Duration) -> Result<ConnectionManager, Error> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience))
        .set_number_of_retries(1);
    Ok(ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, config)?)
}
