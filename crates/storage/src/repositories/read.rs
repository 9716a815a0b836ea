//! How a repository reads: one named statement in a transaction of its own, with a limit to its time.

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
/// Compiling a plan takes longer than most pages do.
static LIMIT: Statement = Statement::fixed(
    "read: limit",
    "SELECT pg_backend_pid(), set_config('statement_timeout', $1, true), set_config('jit', 'off', true), \
            pg_postmaster_start_time(), set_config('enable_sort', $2, true)",
);
/// Where several servers are named, another one may answer by now: there the same number is another session's.
static CANCEL: Statement =
    Statement::fixed("read: cancel", "SELECT pg_cancel_backend($1) WHERE pg_postmaster_start_time() = $2");

/// How a statement comes to the order of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As the planner thinks best.
    Planned,
    /// Out of an index that has the order, so that reading ends with the page. Of a day that was not analysed lately the
    /// planner thinks that it has a handful of rows, and would read and sort all of them.
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

/// Whose data is read, and until when.
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

    /// Sets the deadline to `patience` from now.
    pub(super) fn give(&mut self, patience: Duration) {
        self.deadline = Instant::now().checked_add(patience);
    }

    /// The rows of a statement.
    ///
    /// It runs in a task of its own: when the caller is dropped in the middle, the statement is cancelled, and the
    /// connection goes back to the pool only when it is idle again.
    pub(super) async fn rows<T: ReadRow>(
        &self,
        statement: &'static Statement,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<T>, Error> {
        self.run(statement.name(), Cow::Borrowed(statement.sql()), parameters, Order::Planned).await
    }

    /// The same, with the order of the rows as told.
    pub(super) async fn ordered_rows<T: ReadRow>(
        &self,
        statement: &'static Statement,
        parameters: Vec<Parameter>,
        order: Order,
    ) -> Result<Vec<T>, Error> {
        self.run(statement.name(), Cow::Borrowed(statement.sql()), parameters, order).await
    }

    /// The rows of a statement under conditions, with the order of the rows as told.
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

    /// The first row of a statement, if it has any.
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
                let _ = answer.send(rows); // fails when nobody waits any more
            }
            () = answer.closed() => {
                tracing::debug!(statement = name, "nobody waits any more; cancelling");
                if let Some(backend) = backend.get()
                    && let Err(error) = self.cancel(backend).await
                {
                    tracing::debug!(%error, "cancelling failed; the statement runs until its timeout");
                }
                let _ = work.await; // what it says interests nobody, but the connection must come to rest
            }
        }
    }

    /// What is left of the time, but at least a millisecond: 0 would mean no limit to PostgreSQL.
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

/// Runs the statement with everything around it in one round trip: all four are sent before the first answer comes.
///
/// It is unprepared, so PostgreSQL plans it for just these values: absent filters vanish, and partitions are pruned.
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
