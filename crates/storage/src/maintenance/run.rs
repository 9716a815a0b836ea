//! Runs: work over stored LLM spans that people start, that is done in small transactions, and that goes on where it
//! stopped. `reprice` computes costs by the prices of now; `reread` reads spans by the dialects of now.

mod reprice;
mod stretch;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use crate::error::Error;
use crate::models::time::moment;
use crate::models::trace::SpanKey;
use crate::pool::StoragePool;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::{micros, transaction};

use stretch::{Cursor, Stretch, stretches};

static CONTINUE: Statement = Statement::fixed(
    "run: continue",
    "SELECT id FROM llm_runs WHERE kind = $1 AND from_time = $2 AND to_time = $3 AND project_id IS NOT DISTINCT FROM $4 \
       AND model IS NOT DISTINCT FROM $5 AND finished_at IS NULL ORDER BY started_at DESC LIMIT 1",
);
static BEGIN: Statement = Statement::fixed(
    "run: begin",
    "INSERT INTO llm_runs (id, kind, from_time, to_time, project_id, model, rows_done, rows_changed, rows_total, \
                           started_at, updated_at, cursor_start_time) \
     VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, now(), now(), $3)",
);
/// The number of rows by the last statistics: good enough for a bar. NULL if a partition was never analysed.
static EXPECTED: Statement = Statement::fixed(
    "run: expected rows",
    "SELECT CASE WHEN min(leaf.reltuples) >= 0 THEN sum(leaf.reltuples)::bigint END \
     FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid \
     WHERE inhparent = $1::text::regclass AND leaf.relname ~ '_[0-9]{8}$' AND leaf.relpages <> 0 \
       AND to_date(right(leaf.relname, 8), 'YYYYMMDD') BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date \
                                                       AND ($3::timestamptz AT TIME ZONE 'UTC')::date",
);
static LOCK: Statement = Statement::composed("run: lock", || {
    format!(
        "SELECT finished_at IS NOT NULL, {}, cursor_trace_id, cursor_span_id, cursor_project_id, \
                rows_done, rows_changed, rows_total FROM llm_runs WHERE id = $1 FOR UPDATE",
        micros("cursor_start_time")
    )
});
static ADVANCE: Statement = Statement::fixed(
    "run: advance",
    "UPDATE llm_runs SET rows_done = rows_done + $2, rows_changed = rows_changed + $3, updated_at = now(), \
       cursor_start_time = $4, cursor_trace_id = $5, cursor_span_id = $6, cursor_project_id = $7 WHERE id = $1",
);
static FINISH: Statement = Statement::fixed(
    "run: finish",
    "UPDATE llm_runs SET rows_done = rows_done + $2, rows_changed = rows_changed + $3, updated_at = now(), \
       finished_at = now() WHERE id = $1",
);

const OWN: &[&Statement] = &[&CONTINUE, &BEGIN, &EXPECTED, &LOCK, &ADVANCE, &FINISH];

/// The statements of this module.
pub(super) const STATEMENTS: &[&[&Statement]] = &[OWN, stretch::STATEMENTS, reprice::STATEMENTS];

/// What a run does with each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// Computes the cost of LLM spans by the prices of now.
    Reprice,
}

impl RunKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Reprice => "reprice",
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Reprice => "trace_llm_spans",
        }
    }
}

/// What a run is about. A run that did not finish is continued by another one that is about the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunScope {
    /// What it does.
    pub kind: RunKind,
    /// Spans that started then or later.
    pub from: UnixNanos,
    /// Spans that started before.
    pub until: UnixNanos,
    /// Spans of this project; `None` for all.
    pub project: Option<ProjectId>,
    /// Spans whose request or response names this model; `None` for all.
    pub model: Option<Text>,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that the run looked at.
    pub done: u64,
    /// Rows that it changed.
    pub changed: u64,
    /// About how many rows there are to look at; `None` if nothing is known.
    pub expected: Option<u64>,
    /// Whether the run is over.
    pub is_finished: bool,
}

/// What one transaction of a run did.
struct Batch {
    done: u64,
    changed: u64,
    /// The last key that it looked at; `None` if no row is left in the stretch.
    last: Option<SpanKey>,
}

/// A run, and the connection that it works on.
#[derive(Debug)]
pub struct Run {
    pool: StoragePool,
    connection: WriterConnection,
    id: Uuid,
    scope: RunScope,
    stretches: Vec<Stretch>,
}

impl Run {
    /// Continues the run about the same that did not finish, or else begins one.
    ///
    /// # Errors
    /// Those of [`StoragePool::connect_writer`]; [`Error::Postgres`] when PostgreSQL refuses a statement.
    pub async fn open(pool: &StoragePool, scope: RunScope) -> Result<Self, Error> {
        let connection = pool.connect_writer().await?;
        let (from, until) = (moment(scope.from.micros()), moment(scope.until.micros()));
        let (kind, project) = (scope.kind.name(), scope.project.map(|project| project.0));
        let model = scope.model.as_ref().map(Text::as_str);
        let known = connection.query_opt(CONTINUE.sql(), &[&kind, &from, &until, &project, &model]).await?;
        let id = match known {
            Some(row) => row.get(0),
            None => {
                let id = Uuid::from_u128(rand::random());
                let expected: Option<i64> =
                    connection.query_one(EXPECTED.sql(), &[&scope.kind.table(), &from, &until]).await?.get(0);
                connection
                    .execute(BEGIN.sql(), &[&id, &kind, &from, &until, &project, &model, &expected])
                    .await?;
                id
            }
        };
        let stretches = stretches(&connection, scope.kind.table(), scope.from, scope.until).await?;
        Ok(Self { pool: pool.clone(), connection, id, scope, stretches })
    }

    /// Does the next rows, at most `runs.batch_rows`, in one transaction. Several programs may do the same run at once: they
    /// take turns. A caller that drops the future discards the run, and opens it again to go on.
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
        let before = Progress {
            done: count(5),
            changed: count(6),
            expected: row.get::<_, Option<i64>>(7).map(i64::unsigned_abs),
            is_finished: row.get(0),
        };
        if before.is_finished {
            return Ok(before);
        }
        let cursor = stretch::stored(row.get(1), row.get(2), row.get(3), row.get(4));
        let Some(at) = self.stretches.iter().position(|stretch| cursor.micros() < stretch.until) else {
            return self.finish(before).await;
        };
        let batch = match self.scope.kind {
            RunKind::Reprice => {
                reprice::batch(&self.connection, &self.pool, self.stretches[at], cursor, &self.scope).await?
            }
        };
        let next = match (batch.last, self.stretches.get(at + 1)) {
            (Some(key), _) => Cursor::Behind(key),
            (None, Some(next)) => Cursor::Start(next.from),
            (None, None) => {
                let done = self.finish(before).await?;
                return Ok(done);
            }
        };
        self.advance(&batch, next).await?;
        Ok(Progress { done: before.done + batch.done, changed: before.changed + batch.changed, ..before })
    }

    async fn advance(&self, batch: &Batch, to: Cursor) -> Result<(), Error> {
        let key = match to {
            Cursor::Start(_) => None,
            Cursor::Behind(key) => Some(key),
        };
        let (done, changed) = (batch.done as i64, batch.changed as i64);
        let trace = key.map(|key| key.0.uuid());
        let span = key.map(|key| key.2.as_bytes().to_vec());
        let project = key.map(|key| key.3.0);
        self.connection
            .execute(ADVANCE.sql(), &[&self.id, &done, &changed, &moment(to.micros()), &trace, &span, &project])
            .await?;
        Ok(())
    }

    async fn finish(&self, before: Progress) -> Result<Progress, Error> {
        self.connection.execute(FINISH.sql(), &[&self.id, &0_i64, &0_i64]).await?;
        Ok(Progress { is_finished: true, ..before })
    }
}
