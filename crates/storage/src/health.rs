//! Whether PostgreSQL and Redis answer: asked once, or watched.

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
/// What a probe asks: the least that a server must be able to answer.
static ANSWER: Statement = Statement::fixed("health: answer", "SELECT 1");

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&POSTGRES_VERSION, &ANSWER];

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
    /// Asks PostgreSQL (through the pool) and Redis whether they are there.
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

/// Looks again and again whether PostgreSQL answers, on a connection of its own: a pool whose connections are all at work is
/// no sign that PostgreSQL is away, and only a connection that can't be opened tells why.
#[derive(Debug)]
pub struct Probe {
    pool: StoragePool,
    patience: Duration,
    connection: Option<(Client, JoinHandle<()>)>,
    /// Whether the connection was opened by the last look.
    is_new: bool,
}

impl Probe {
    /// A probe without a connection yet; a look may take `patience`.
    pub fn new(pool: StoragePool, patience: Duration) -> Self {
        Self { pool, patience, connection: None, is_new: false }
    }

    /// Whether PostgreSQL answers now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it can't be reached, or is silent for the probe's patience; [`Error::Postgres`] when it
    /// refuses (it is starting, or recovers from a crash).
    pub async fn look(&mut self) -> Result<(), Error> {
        // Taken out, so that a connection whose answer was not waited for is not used again.
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

    /// Waits until it is time for another look: after `interval`, or when the connection ends, whichever is earlier. After a
    /// connection that was just opened it is always `interval`, so that a server that closes every one is not asked all the time.
    pub async fn pause(&mut self, interval: Duration) {
        match &mut self.connection {
            Some((_, driver)) if !self.is_new => _ = tokio::time::timeout(interval, driver).await,
            _ => tokio::time::sleep(interval).await,
        }
    }
}
