//! The connection of a writer, with settings for durable and bounded transactions and a cache of prepared statements.

use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Statement as Prepared};

use crate::config::DatabaseConfig;
use crate::error::{Error, chain};
use crate::postgres::connector::{Connector, PostgresConnection};
use crate::postgres::patience::within;
use crate::prices::Prices;
use crate::statement::Statement;
use crate::tally::LlmTally;

static DURABILITY: Statement = Statement::fixed(
    "writer: durability",
    "SELECT name FROM unnest(ARRAY['fsync', 'full_page_writes']) AS name WHERE current_setting(name) = 'off'",
);
/// Raises `synchronous_commit` from `off` to `on` and keeps other levels. Limits waits for locks and pauses within a
/// transaction, switches off the compilation of plans, and shows warnings: one says that a COMMIT did not wait for its
/// standby.
static SETTINGS: Statement = Statement::fixed(
    "writer: settings",
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
                ELSE current_setting('synchronous_commit') END, false), \
            set_config('lock_timeout', $1, false), set_config('statement_timeout', '0', false), \
            set_config('idle_in_transaction_session_timeout', $2, false), set_config('jit', 'off', false), \
            set_config('client_min_messages', 'warning', false)",
);
/// Makes the server end the work of a client that closed its connection. Servers on some systems don't support it.
static NOTICE_CLOSED: Statement =
    Statement::script("writer: notice closed", "SET client_connection_check_interval = '1s'");

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&DURABILITY, &SETTINGS, &NOTICE_CLOSED];

/// Names of the settings that are off, so that a crash may lose committed data: `fsync`, `full_page_writes`, or none.
///
/// # Errors
/// [`Error::Unavailable`] when the connection is lost.
pub async fn unsafe_settings(client: &Client) -> Result<Vec<String>, Error> {
    Ok(client.query(DURABILITY.sql(), &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// The connection of one writer, to the server that takes writes.
#[derive(Debug)]
pub struct WriterConnection {
    client: Client,
    driver: AbortHandle,
    /// Set by the driver when PostgreSQL sends a warning.
    warned: Arc<AtomicBool>,
    /// Whether a COMMIT waits for its answer.
    committing: AtomicBool,
    prepared: Mutex<HashMap<String, Prepared>>,
    prices: Prices,
    /// The LLM spans of the open transaction.
    tally: LlmTally,
    /// Those of all transactions of the pool that were committed.
    committed: LlmTally,
}

impl Deref for WriterConnection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl WriterConnection {
    /// Opens a connection to the server that takes writes.
    ///
    /// # Errors
    /// [`Error::UnsafeDurability`] when PostgreSQL may lose committed data and `database.allow_unsafe_durability` is
    /// false; [`Error::Unavailable`] when no server that takes writes answers in time; [`Error::Postgres`] when it
    /// refuses the login.
    pub(crate) async fn open(
        connector: &Connector,
        database: &DatabaseConfig,
        prices: Prices,
        committed: LlmTally,
    ) -> Result<Self, Error> {
        within(connector.patience(), async {
            let (client, connection) = connector.open_primary().await?;
            let warned = Arc::new(AtomicBool::new(false));
            let driver = tokio::spawn(drive(connection, warned.clone())).abort_handle();
            let committing = AtomicBool::new(false);
            let (prepared, tally) = (Mutex::default(), LlmTally::default());
            let connection = Self { client, driver, warned, committing, prepared, prices, tally, committed };
            connector.keep_alive(&connection).await?;
            connection.set_up(database).await?;
            Ok(connection)
        })
        .await
    }

    async fn set_up(&self, database: &DatabaseConfig) -> Result<(), Error> {
        let lacking = unsafe_settings(self).await?;
        if !lacking.is_empty() && !database.allow_unsafe_durability {
            return Err(Error::UnsafeDurability(lacking));
        }
        let [lock, pause] = [database.lock_timeout_ms, database.idle_in_transaction_timeout_ms]
            .map(|limit| limit.to_string());
        self.query_one(SETTINGS.sql(), &[&lock, &pause]).await?;
        if let Err(error) = self.batch_execute(NOTICE_CLOSED.sql()).await {
            tracing::debug!(error = %chain(&error), "the server does not support client_connection_check_interval");
        }
        Ok(())
    }

    /// The prepared statement for `sql`. Prepares it at the first call.
    ///
    /// # Errors
    /// [`Error::Postgres`] when PostgreSQL refuses to prepare it; [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn statement(&self, sql: &str) -> Result<Prepared, Error> {
        if let Some(statement) = self.prepared().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The prices that the writers of the pool know.
    pub(crate) fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Where a transaction counts the LLM spans that it stores.
    pub(crate) fn tally(&self) -> &LlmTally {
        &self.tally
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        self.tally.take();
        Ok(self.batch_execute("BEGIN").await?)
    }

    /// Commits the open transaction.
    ///
    /// # Errors
    /// [`Error::InDoubt`] when the answer was lost, or PostgreSQL warned that a standby may lack the transaction;
    /// [`Error::Postgres`] when PostgreSQL refused the COMMIT (a deferred constraint) and rolled back.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        self.warned.store(false, Ordering::Release);
        self.committing.store(true, Ordering::Release);
        let committed = self.batch_execute("COMMIT").await.map_err(Error::from);
        self.committing.store(false, Ordering::Release);
        match committed {
            Ok(()) if self.warned.load(Ordering::Acquire) => Err(Error::InDoubt(
                "PostgreSQL committed it, and warned that its standby may lack it".to_owned(),
            )),
            Err(error) if error.failure() == crate::error::Failure::Unavailable => {
                Err(Error::InDoubt(error.to_string()))
            }
            Ok(()) => {
                self.committed.add(self.tally.take());
                Ok(())
            }
            result => result,
        }
    }

    /// Closes the connection at once, without waiting for the server. Returns the error of the open transaction, with
    /// the text `why`: [`Error::InDoubt`] if a COMMIT was sent, otherwise [`Error::Unavailable`].
    pub fn abandon(self, why: &str) -> Error {
        self.driver.abort();
        match self.committing.load(Ordering::Acquire) {
            true => Error::InDoubt(why.to_owned()),
            false => Error::Unavailable(why.to_owned()),
        }
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, HashMap<String, Prepared>> {
        // A panic elsewhere may have lost a statement. It is then prepared again.
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drives the connection until it ends, and notes warnings: during COMMIT one means that PostgreSQL did not wait for
/// its standby.
async fn drive(mut connection: PostgresConnection, warned: Arc<AtomicBool>) {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) if *notice.code() == SqlState::WARNING => {
                warned.store(true, Ordering::Release);
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(error = %chain(&error), "connection of a writer ended");
                return;
            }
            None => return,
        }
    }
}
