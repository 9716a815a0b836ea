//! Runs a statement of a repository in its own read-only transaction, with a time limit.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt as _;
use futures_util::future::join4;
use llm_observatory_core::ids::ProjectId;
use tokio::sync::oneshot;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::conditions::Conditions;
use super::parameter::{Bind as _, Parameter};
use crate::error::Error;
use crate::models::fields::Fields;
use crate::models::row::ReadRow;
use crate::pool::StoragePool;
use crate::statement::Statement;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LIMIT, &CANCEL];

const BEGIN: &str = "BEGIN READ ONLY";
const COMMIT: &str = "COMMIT";
/// Limits the time of the next statement. Switches off the compilation of plans, which takes longer than most pages.
static LIMIT: Statement = Statement::fixed(
    "read: limit",
    "SELECT pg_backend_pid(), set_config('statement_timeout', $1, true), set_config('jit', 'off', true), \
            pg_postmaster_start_time(), set_config('enable_sort', $2, true)",
);
/// Cancels a session. The URL may name several servers: the start time keeps this from cancelling a session with the
/// same number on another one.
static CANCEL: Statement =
    Statement::fixed("read: cancel", "SELECT pg_cancel_backend($1) WHERE pg_postmaster_start_time() = $2");

/// How PostgreSQL brings the rows of a statement into their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The planner decides.
    Planned,
    /// By an index with this order, so that reading ends with the page. For a day without recent statistics the planner
    /// expects a handful of rows, and would read and sort all of them.
    Indexed,
}

impl Order {
    fn enable_sort(self) -> &'static str {
        match self {
            Self::Planned => "on",
            Self::Indexed => "off",
        }
    }
}

/// Reads rows of one project, until a deadline if there is one.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pool: Arc<StoragePool>,
    pub(super) project: ProjectId,
    deadline: Option<Instant>,
}

impl Reader {
    pub(super) fn new(pool: StoragePool) -> Self {
        Self { pool: Arc::new(pool), project: ProjectId::DEFAULT, deadline: None }
    }

    /// The pool that it reads from.
    pub(super) fn pool(&self) -> &StoragePool {
        &self.pool
    }

    /// Sets the deadline to `patience` from now.
    pub(super) fn give(&mut self, patience: Duration) {
        self.deadline = Instant::now().checked_add(patience);
    }

    /// The rows of a statement.
    ///
    /// The statement runs in its own task. If the caller drops this future, the task cancels the statement, and returns
    /// the connection to the pool when it is idle again.
    pub(super) async fn rows<T: ReadRow>(
        &self,
        statement: &'static Statement,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<T>, Error> {
        self.run(statement.name(), Cow::Borrowed(statement.sql()), parameters, Order::Planned).await
    }

    /// The rows of a statement, in their order by `order`.
    pub(super) async fn ordered_rows<T: ReadRow>(
        &self,
        statement: &'static Statement,
        parameters: Vec<Parameter>,
        order: Order,
    ) -> Result<Vec<T>, Error> {
        self.run(statement.name(), Cow::Borrowed(statement.sql()), parameters, order).await
    }

    /// The rows of a statement that fit the conditions, in their order by `order`.
    pub(super) async fn rows_where<T: ReadRow>(
        &self,
        statement: &'static Statement,
        conditions: Conditions,
        order: Order,
    ) -> Result<Vec<T>, Error> {
        let (sql, parameters) = conditions.complete(statement.sql());
        self.run(statement.name(), Cow::Owned(sql), parameters, order).await
    }

    async fn run<T: ReadRow>(
        &self,
        name: &'static str,
        sql: Cow<'static, str>,
        parameters: Vec<Parameter>,
        order: Order,
    ) -> Result<Vec<T>, Error> {
        let (answer, asked) = oneshot::channel();
        tokio::spawn(self.clone().answer(name, sql, parameters, order, answer));
        asked.await.unwrap_or_else(|_| Err(Error::Unavailable("the reading task was stopped".to_owned())))
    }

    /// The first row of a statement; `None` if it returns none.
    pub(super) async fn row<T: ReadRow>(
        &self,
        statement: &'static Statement,
        parameters: Vec<Parameter>,
    ) -> Result<Option<T>, Error> {
        Ok(self.rows(statement, parameters).await?.into_iter().next())
    }

    async fn answer<T: ReadRow>(
        self,
        name: &'static str,
        sql: Cow<'static, str>,
        parameters: Vec<Parameter>,
        order: Order,
        mut answer: oneshot::Sender<Result<Vec<T>, Error>>,
    ) {
        let client = tokio::select! {
            client = self.pool.get() => client,
            () = answer.closed() => return,
        };
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                let _ = answer.send(Err(error));
                return;
            }
        };
        let backend = OnceLock::new();
        let begun = Instant::now();
        let mut work = pin!(transaction(&client, self.patience(), order, &sql, parameters, &backend));
        tokio::select! {
            rows = &mut work => {
                let found = rows.as_ref().map_or(0, Vec::len);
                tracing::debug!(statement = name, rows = found, elapsed.us = begun.elapsed().as_micros(), "read");
                let _ = answer.send(rows); // fails if the caller dropped its future
            }
            () = answer.closed() => {
                tracing::debug!(statement = name, "the caller is gone; cancelling");
                if let Some(backend) = backend.get()
                    && let Err(error) = self.cancel(backend).await
                {
                    tracing::debug!(%error, "cancelling failed; the statement runs until its timeout");
                }
                let _ = work.await; // its result has no receiver, but the connection must be idle before it returns to the pool
            }
        }
    }

    /// The rest of the time until the deadline, at least a millisecond: PostgreSQL reads 0 as no limit.
    fn patience(&self) -> Duration {
        let most = Duration::from_millis(self.pool.config().database.query_timeout_ms);
        let left = self.deadline.map_or(most, |deadline| deadline.saturating_duration_since(Instant::now()));
        left.min(most).max(Duration::from_millis(1))
    }

    async fn cancel(&self, Backend { process, server_start }: &Backend) -> Result<(), Error> {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(process, Type::INT4), (server_start, Type::TIMESTAMPTZ)];
        self.pool.connect().await?.query_typed(CANCEL.sql(), &parameters).await?;
        Ok(())
    }
}

/// The session that runs a statement.
struct Backend {
    process: i32,
    server_start: SystemTime,
}

/// Runs a statement in its transaction in one round trip: BEGIN, the limit, the statement and COMMIT are sent before
/// the first answer.
///
/// The statement is unprepared, so PostgreSQL plans it for these values and prunes partitions.
async fn transaction<T: ReadRow>(
    client: &Client,
    patience: Duration,
    order: Order,
    sql: &str,
    parameters: Vec<Parameter>,
    backend: &OnceLock<Backend>,
) -> Result<Vec<T>, Error> {
    let limit = async {
        let limits = vec![patience.as_millis().to_string().bind(), order.enable_sort().to_owned().bind()];
        let row = pin!(client.query_typed_raw(LIMIT.sql(), limits).await?).try_next().await?;
        if let Some(row) = row {
            backend.get_or_init(|| Backend { process: row.get(0), server_start: row.get(3) });
        }
        Ok::<_, Error>(())
    };
    let rows = async {
        let stream = client.query_typed_raw(sql, parameters).await?;
        stream.map_err(Error::from).and_then(async |row| T::read(&mut Fields::of(&row))).try_collect().await
    };
    let (begun, limited, rows, done) =
        join4(client.batch_execute(BEGIN), limit, rows, client.batch_execute(COMMIT)).await;
    begun?;
    limited?;
    let rows = rows?;
    done?;
    Ok(rows)
}
