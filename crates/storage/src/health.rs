//! Whether PostgreSQL and Redis answer: [`StoragePool::health_check`] asks once, a [`Probe`] watches.

use std::time::Duration;

use redis::aio::ConnectionManager;
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::error::Error;
use crate::pool::StoragePool;
use crate::postgres::within;
use crate::statement::Statement;

static POSTGRES_VERSION: Statement = Statement::fixed("health: version", "SHOW server_version");
/// The cheapest statement: a probe only needs an answer.
static ANSWER: Statement = Statement::fixed("health: answer", "SELECT 1");

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&POSTGRES_VERSION, &ANSWER];

/// Whether PostgreSQL and Redis answer.
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
    /// Version of the server, if it answered.
    pub version: Option<String>,
    /// Why it did not answer.
    pub error: Option<String>,
}

impl Health {
    /// Whether every configured store answers.
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
    /// Asks PostgreSQL (through the pool) and Redis for their versions. Errors are part of the result.
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
        within(Duration::from_millis(self.config().database.query_timeout_ms), async {
            let client = self.get().await?;
            Ok(client.query_one(POSTGRES_VERSION.sql(), &[]).await?.get(0))
        })
        .await
    }
}

async fn redis_version(mut redis: ConnectionManager) -> Result<String, Error> {
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut redis).await?;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or("unknown").trim().to_owned())
}

/// Watches whether PostgreSQL answers.
///
/// It uses its own connection: a pool whose connections are all busy does not mean that PostgreSQL is down, and the
/// error of a failed connection attempt names the cause.
#[derive(Debug)]
pub struct Probe {
    pool: StoragePool,
    patience: Duration,
    connection: Option<(Client, JoinHandle<()>)>,
    /// Whether the last look opened the connection.
    is_new: bool,
}

impl Probe {
    /// A probe that opens its connection at the first look. One look takes at most `patience`.
    pub fn new(pool: StoragePool, patience: Duration) -> Self {
        Self { pool, patience, connection: None, is_new: false }
    }

    /// Checks that PostgreSQL answers now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached or does not answer within the patience;
    /// [`Error::Postgres`] when it refuses the login, for example while it starts or recovers.
    pub async fn look(&mut self) -> Result<(), Error> {
        // Taken out, so that a look which timed out leaves no connection with a late answer behind.
        let known = self.connection.take();
        self.is_new = false;
        let pool = &self.pool;
        let (connection, is_new) = within(self.patience, async move {
            if let Some((client, driver)) = known
                && client.query_typed(ANSWER.sql(), &[]).await.is_ok()
            {
                return Ok(((client, driver), false));
            }
            let (client, driver) = pool.get_tokio_postgres_client().await?;
            client.query_typed(ANSWER.sql(), &[]).await?;
            Ok(((client, driver), true))
        })
        .await?;
        (self.connection, self.is_new) = (Some(connection), is_new);
        Ok(())
    }

    /// Waits for `interval`, or until the connection ends. If the last look opened the connection, it waits for
    /// `interval` in any case, so that a server which closes every connection is not asked without a pause.
    pub async fn pause(&mut self, interval: Duration) {
        match &mut self.connection {
            Some((_, driver)) if !self.is_new => _ = tokio::time::timeout(interval, driver).await,
            _ => tokio::time::sleep(interval).await,
        }
    }
}
