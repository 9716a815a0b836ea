//! The connection of a writer: its own, set up for durable and bounded transactions, its statements prepared once.

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
use crate::statement::Statement;

static DURABILITY: Statement = Statement::fixed(
    "writer: durability",
    "SELECT name FROM unnest(ARRAY['fsync', 'full_page_writes']) AS name WHERE current_setting(name) = 'off'",
);
/// A session that asks for `off` is given `on`; stronger levels stay. The rest bounds what a writer may hold up: a lock is
/// waited for only so long, a transaction whose writer went silent is ended, plans are never compiled; a warning that a
/// standby was not waited for is not suppressed.
static SETTINGS: Statement = Statement::fixed(
    "writer: settings",
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
                ELSE current_setting('synchronous_commit') END, false), \
            set_config('lock_timeout', $1, false), set_config('statement_timeout', '0', false), \
            set_config('idle_in_transaction_session_timeout', $2, false), set_config('jit', 'off', false), \
            set_config('client_min_messages', 'warning', false)",
);
/// Ends the work of a writer that is gone. Only servers on systems that can notice a closed socket know it.
static NOTICE_CLOSED: Statement =
    Statement::script("writer: notice closed", "SET client_connection_check_interval = '1s'");

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&DURABILITY, &SETTINGS, &NOTICE_CLOSED];

/// The settings that let PostgreSQL lose what it committed, as they stand now.
///
/// # Errors
/// [`Error::Unavailable`] when the connection is lost.
pub async fn unsafe_settings(client: &Client) -> Result<Vec<String>, Error> {
    Ok(client.query(DURABILITY.sql(), &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// A connection that one writer keeps.
#[derive(Debug)]
pub struct WriterConnection {
    client: Client,
    driver: AbortHandle,
    warned: Arc<AtomicBool>,
    /// Whether a COMMIT is under way.
    committing: AtomicBool,
    prepared: Mutex<HashMap<String, Prepared>>,
}

impl Deref for WriterConnection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl WriterConnection {
    /// Opens it, on the server that takes writes.
    ///
    /// # Errors
    /// [`Error::UnsafeDurability`] when PostgreSQL may lose what it committed and `database.allow_unsafe_durability` is off;
    /// [`Error::Unavailable`] when no server that takes writes answers in time; [`Error::Postgres`] when it refuses the login.
    pub(crate) async fn open(connector: &Connector, database: &DatabaseConfig) -> Result<Self, Error> {
        within(connector.patience(), async {
            let (client, connection) = connector.open_primary().await?;
            let warned = Arc::new(AtomicBool::new(false));
            let driver = tokio::spawn(drive(connection, warned.clone())).abort_handle();
            let committing = AtomicBool::new(false);
            let connection = Self { client, driver, warned, committing, prepared: Mutex::default() };
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
            tracing::debug!(error = %chain(&error), "the server does not look out for closed connections");
        }
        Ok(())
    }

    /// The statement, prepared on first use.
    ///
    /// # Errors
    /// [`Error::Postgres`] for a statement that this schema does not fit; [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn statement(&self, sql: &str) -> Result<Prepared, Error> {
        if let Some(statement) = self.prepared().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`Error::InDoubt`] when the answer was lost, or said that a standby may not have the transaction;
    /// [`Error::Postgres`] when PostgreSQL refused (a deferred check), and then nothing was committed.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        self.warned.store(false, Ordering::Release);
        self.committing.store(true, Ordering::Release);
        let committed = self.batch_execute("COMMIT").await.map_err(Error::from);
        self.committing.store(false, Ordering::Release);
        match committed {
            Ok(()) if self.warned.load(Ordering::Acquire) => {
                Err(Error::InDoubt("PostgreSQL has it, and warned that its standby may not".to_owned()))
            }
            Err(error) if error.failure() == crate::error::Failure::Unavailable => {
                Err(Error::InDoubt(error.to_string()))
            }
            result => result,
        }
    }

    /// Closes it at once, whatever the server still does; says what that means for the transaction that was open.
    pub fn abandon(self, why: &str) -> Error {
        self.driver.abort();
        match self.committing.load(Ordering::Acquire) {
            true => Error::InDoubt(why.to_owned()),
            false => Error::Unavailable(why.to_owned()),
        }
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, HashMap<String, Prepared>> {
        // A statement that is missing is prepared again.
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves bytes until the connection ends. A warning during COMMIT means that synchronous replication was not waited for.
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
