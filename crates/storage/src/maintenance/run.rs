//! Runs: work over stored LLM spans that people start, that is done in small transactions, and that goes on where it
//! stopped. `reprice` computes costs by the prices of now; `reread` reads spans and log records by the dialects of now.

mod batch;
mod calls;
mod keys;
mod logs;
mod piece;
mod record;
mod reprice;
mod reread;
mod stretch;

use llm_observatory_core::text::Text;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::error::Error;
use crate::maintenance::settling;
use crate::models::time::moment;
use crate::pool::StoragePool;
use crate::postgres::writer::WriterConnection;
use crate::prices;
use crate::statement::Statement;
use crate::writers::{micros, transaction};

use batch::Batch;
use piece::Piece;
use stretch::{Cursor, Stretch, Table, stretches};

pub use batch::{RunKind, RunScope};

static CONTINUE: Statement = Statement::fixed(
    "run: continue",
    "SELECT id FROM llm_runs WHERE kind = $1 AND from_time = $2 AND to_time = $3 AND project_id IS NOT DISTINCT FROM $4 \
       AND model IS NOT DISTINCT FROM $5 AND finished_at IS NULL ORDER BY started_at DESC LIMIT 1",
);
static BEGIN: Statement = Statement::fixed(
    "run: begin",
    "INSERT INTO llm_runs (id, kind, from_time, to_time, project_id, model, rows_done, rows_changed, rows_total, \
                           started_at, updated_at, cursor_start_time, cursor_table) \
     VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, now(), now(), $3, $8)",
);
/// The number of rows by the last statistics: good enough for a bar. NULL if a partition was never analysed.
static EXPECTED: Statement = Statement::fixed(
    "run: expected rows",
    "SELECT CASE WHEN min(leaf.reltuples) >= 0 THEN sum(leaf.reltuples)::bigint END \
     FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid \
     WHERE inhparent = ANY ($1::text[]::regclass[]) AND leaf.relname ~ '_[0-9]{8}$' AND leaf.relpages <> 0 \
       AND to_date(right(leaf.relname, 8), 'YYYYMMDD') BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date \
                                                       AND ($3::timestamptz AT TIME ZONE 'UTC')::date",
);
static LOCK: Statement = Statement::composed("run: lock", || {
    format!(
        "SELECT finished_at IS NOT NULL, {}, cursor_id, cursor_span_id, cursor_project_id, cursor_table, \
                rows_done, rows_changed, rows_total, price_version FROM llm_runs WHERE id = $1 FOR UPDATE",
        micros("cursor_start_time")
    )
});
static BEGIN_ANEW: Statement = Statement::fixed(
    "run: begin anew",
    "UPDATE llm_runs SET rows_done = 0, price_version = $2, updated_at = now(), \
       cursor_start_time = from_time, cursor_id = NULL, cursor_span_id = NULL, cursor_project_id = NULL WHERE id = $1",
);
static ADVANCE: Statement = Statement::fixed(
    "run: advance",
    "UPDATE llm_runs SET rows_done = rows_done + $2, rows_changed = rows_changed + $3, updated_at = now(), \
       cursor_start_time = $4, cursor_id = $5, cursor_span_id = $6, cursor_project_id = $7, cursor_table = $8 \
     WHERE id = $1",
);
static FINISH: Statement = Statement::fixed(
    "run: finish",
    "UPDATE llm_runs SET updated_at = now(), finished_at = now() WHERE id = $1",
);

/// A COMMIT that loses its row of `llm_runs` in a crash loses its work with it, so only the last one waits for the disk: when
/// it is there, all before it are.
static DURABLE: Statement = Statement::script("run: durable", "SET LOCAL synchronous_commit = on");

const OWN: &[&Statement] = &[&CONTINUE, &BEGIN, &EXPECTED, &LOCK, &BEGIN_ANEW, &ADVANCE, &FINISH, &DURABLE];

/// The statements of this module.
pub(super) const STATEMENTS: &[&[&Statement]] = &[
    OWN,
    stretch::STATEMENTS,
    keys::STATEMENTS,
    piece::STATEMENTS,
    reprice::STATEMENTS,
    reread::STATEMENTS,
    calls::STATEMENTS,
    logs::STATEMENTS,
];

/// How far a run came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that the run looked at since it began, or since prices changed last.
    pub done: u64,
    /// Changes that it made to rows.
    pub changed: u64,
    /// About how many rows there are to look at; `None` if nothing is known.
    pub expected: Option<u64>,
    /// Whether the run is over.
    pub is_finished: bool,
}

/// A run, and the connection that it works on.
#[derive(Debug)]
pub struct Run {
    pool: StoragePool,
    connection: WriterConnection,
    id: Uuid,
    scope: RunScope,
}

impl Run {
    /// Continues the run about the same that did not finish, or else begins one.
    ///
    /// # Errors
    /// Those of [`StoragePool::connect_writer`]; [`Error::Postgres`] when PostgreSQL refuses a statement.
    pub async fn open(pool: &StoragePool, scope: RunScope) -> Result<Self, Error> {
        let connection = pool.connect_writer().await?;
        settling::prepare(&connection).await?;
        let (from, until) = (moment(scope.from.micros()), moment(scope.until.micros()));
        let (kind, project) = (scope.kind.name(), scope.project.map(|project| project.0));
        let model = scope.model.as_ref().map(Text::as_str);
        let known = connection.query_opt(CONTINUE.sql(), &[&kind, &from, &until, &project, &model]).await?;
        let id = match known {
            Some(row) => row.get(0),
            None => {
                let id = Uuid::from_u128(rand::random());
                let counted = scope.kind.counted();
                let expected: Option<i64> =
                    connection.query_one(EXPECTED.sql(), &[&counted, &from, &until]).await?.get(0);
                let first = scope.kind.tables()[0].name();
                connection
                    .execute(BEGIN.sql(), &[&id, &kind, &from, &until, &project, &model, &expected, &first])
                    .await?;
                id
            }
        };
        Ok(Self { pool: pool.clone(), connection, id, scope })
    }

    /// Does the next rows, at most `runs.batch_rows`, in one transaction. Several programs may do the same run at once: they
    /// take turns. A caller that drops the future discards the run, and opens it again to go on. Repricing begins anew when
    /// prices changed, since the rows that it has done have the prices before.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection is lost and [`Error::InDoubt`] when the answer of COMMIT is: open the run
    /// again, and it goes on behind the last committed row. [`Error::Postgres`] when PostgreSQL refuses a statement.
    pub async fn step(&self) -> Result<Progress, Error> {
        transaction::run(&self.connection, self.batch()).await
    }

    async fn batch(&self) -> Result<Progress, Error> {
        let row = self.connection.query_one(LOCK.sql(), &[&self.id]).await?;
        let count = |column: usize| row.get::<_, i64>(column).unsigned_abs();
        let mut before = Progress {
            done: count(6),
            changed: count(7),
            expected: row.get::<_, Option<i64>>(8).map(i64::unsigned_abs),
            is_finished: row.get(0),
        };
        if before.is_finished {
            return Ok(before);
        }
        let mut cursor = Cursor::stored(row.get(5), row.get(1), row.get(2), row.get(3), row.get(4))?;
        let prices = self.lock_prices().await?;
        if prices != row.get(9) {
            self.connection.execute(BEGIN_ANEW.sql(), &[&self.id, &prices]).await?;
            (before.done, cursor) = (0, Cursor::Start(cursor.table(), self.scope.from.micros()));
        }
        for stretch in self.stretches().await?.into_iter().filter(|stretch| stretch.is_left(cursor)) {
            let start = Cursor::Start(stretch.table, stretch.from);
            let cursor = if stretch.holds(cursor) { cursor } else { start };
            let batch = self.rows_of(stretch, cursor, prices).await?;
            if let Some(next) = batch.next {
                self.advance(&batch, next).await?;
                let (done, changed) = (before.done + batch.done, before.changed + batch.changed);
                return Ok(Progress { done, changed, ..before });
            }
        }
        self.finish(before).await
    }

    /// The version of the prices, which stays until the transaction ends; `None` if the run is not about them.
    async fn lock_prices(&self) -> Result<Option<i64>, Error> {
        match self.scope.kind {
            RunKind::Reprice => prices::lock(&self.connection).await.map(Some),
            RunKind::Reread => Ok(None),
        }
    }

    /// All stretches of now. Under the lock of prices the days are among them of all rows that have other prices.
    async fn stretches(&self) -> Result<Vec<Stretch>, Error> {
        let mut all = Vec::new();
        for table in self.scope.kind.tables() {
            all.extend(stretches(&self.connection, *table, self.scope.from, self.scope.until).await?);
        }
        Ok(all)
    }

    async fn rows_of(&self, stretch: Stretch, cursor: Cursor, prices: Option<i64>) -> Result<Batch, Error> {
        let Self { pool, connection, scope, .. } = self;
        let piece = Piece { connection, scope, stretch, cursor, limit: pool.config().runs.batch_rows };
        match (prices, stretch.table) {
            (Some(version), _) => reprice::batch(piece, version).await,
            (None, Table::Traces) => reread::batch(piece, &pool.config().settling).await,
            (None, Table::LlmSpans) => calls::batch(piece, pool).await,
            (None, Table::Logs) => logs::batch(piece, pool).await,
        }
    }

    async fn advance(&self, batch: &Batch, to: Cursor) -> Result<(), Error> {
        let (done, changed) = (batch.done as i64, batch.changed as i64);
        let (id, span, project) = to.key();
        let (time, table) = (moment(to.micros()), to.table().name());
        let values: [&(dyn ToSql + Sync); 8] =
            [&self.id, &done, &changed, &time, &id, &span, &project, &table];
        self.connection.execute(ADVANCE.sql(), &values).await?;
        Ok(())
    }

    async fn finish(&self, before: Progress) -> Result<Progress, Error> {
        self.connection.batch_execute(DURABLE.sql()).await?;
        self.connection.execute(FINISH.sql(), &[&self.id]).await?;
        Ok(Progress { is_finished: true, ..before })
    }
}
