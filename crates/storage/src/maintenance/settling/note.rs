//! The notes of traces to settle.

use std::time::{Duration, SystemTime};

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::Day;
use tokio_postgres::Row;

use super::ask::{Days, Trace};
use crate::config::SettlingConfig;
use crate::error::Error;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

static DUE: Statement = Statement::fixed(
    "settling: due",
    "SELECT trace_id, project_id, from_day - '1970-01-01'::date, to_day - '1970-01-01'::date, asks, attempts, with_logs, \
            noted_at, now() \
     FROM llm_settling WHERE due <= now() - $1::bigint * interval '1 millisecond' ORDER BY due LIMIT $2",
);
/// A note that was written again meanwhile stays: its writer committed what this settling did not see. So does one that is
/// to be looked at again.
static DROP: Statement = Statement::fixed(
    "settling: drop",
    "DELETE FROM llm_settling WHERE trace_id = $1 AND project_id = $2 AND asks = $3 \
     AND (again_at IS NULL OR again_at <= now())",
);
static AGAIN: Statement = Statement::fixed(
    "settling: again",
    "UPDATE llm_settling SET due = again_at WHERE trace_id = $1 AND project_id = $2 AND asks = $3",
);
static WAIT: Statement = Statement::fixed(
    "settling: wait",
    "UPDATE llm_settling SET due = CASE WHEN again_at > now() THEN least($4, again_at) ELSE $4 END, attempts = $5 WHERE trace_id = $1 AND project_id = $2 AND asks = $3",
);
static COUNT: Statement = Statement::fixed("settling: count", "SELECT count(*) FROM llm_settling");

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&DUE, &DROP, &AGAIN, &WAIT, &COUNT];

/// A row of `llm_settling`.
#[derive(Debug)]
pub(super) struct Note {
    trace: Trace,
    from: Day,
    to: Day,
    asks: i32,
    attempts: i32,
    pub(super) with_logs: bool,
    noted_at: SystemTime,
    now: SystemTime,
}

/// The notes that are due, the most urgent first.
pub(super) async fn due(connection: &WriterConnection, config: &SettlingConfig) -> Result<Vec<Note>, Error> {
    let delay = i64::try_from(config.delay_ms).unwrap_or(i64::MAX);
    let limit = i64::try_from(config.batch).unwrap_or(i64::MAX);
    let statement = connection.statement(DUE.sql()).await?;
    Ok(connection.query(&statement, &[&delay, &limit]).await?.iter().map(Note::read).collect())
}

/// Number of notes.
pub(super) async fn count(connection: &WriterConnection) -> Result<u64, Error> {
    let statement = connection.statement(COUNT.sql()).await?;
    Ok(connection.query_one(&statement, &[]).await?.get::<_, i64>(0).unsigned_abs())
}

impl Note {
    fn read(row: &Row) -> Self {
        Self {
            trace: Trace { trace_id: TraceId::from_uuid(row.get(0)), project_id: ProjectId(row.get(1)) },
            from: Day(row.get(2)),
            to: Day(row.get(3)),
            asks: row.get(4),
            attempts: row.get(5),
            with_logs: row.get(6),
            noted_at: row.get(7),
            now: row.get(8),
        }
    }

    pub(super) fn trace(&self) -> Trace {
        self.trace
    }

    /// The days on which to look for the trace: those of the note. If the spans of its log records were not there the
    /// last time, all days: the records may have no time of their own.
    pub(super) fn days(&self) -> Days {
        match self.attempts {
            0 => Days::Between(self.from, self.to),
            _ => Days::All,
        }
    }

    /// Whether the note is old enough for a trace of so many spans. A settling costs as much as the trace is large, so a
    /// large trace that keeps growing is settled less often.
    pub(super) fn is_ripe(&self, spans: i64, config: &SettlingConfig) -> bool {
        self.now >= self.ripe_at(spans, config)
    }

    fn ripe_at(&self, spans: i64, config: &SettlingConfig) -> SystemTime {
        self.noted_at + Duration::from_micros(config.span_wait_us.saturating_mul(spans.unsigned_abs()))
    }

    pub(super) async fn wait_for_growth(
        &self,
        connection: &WriterConnection,
        spans: i64,
        config: &SettlingConfig,
    ) -> Result<(), Error> {
        self.wait(connection, self.ripe_at(spans, config), self.attempts).await
    }

    /// Waits for the spans of log records, longer each time, and at last no more.
    pub(super) async fn wait_for_spans(
        &self,
        connection: &WriterConnection,
        config: &SettlingConfig,
    ) -> Result<(), Error> {
        let age = self.now.duration_since(self.noted_at).unwrap_or_default();
        if age >= Duration::from_secs(config.max_age_s) {
            return self.drop(connection).await;
        }
        let doublings = self.attempts.clamp(0, 30).unsigned_abs();
        let wait =
            config.backoff_ms.saturating_mul(1 << doublings).min(config.max_backoff_s.saturating_mul(1_000));
        self.wait(connection, self.now + Duration::from_millis(wait), self.attempts.saturating_add(1)).await
    }

    async fn wait(&self, connection: &WriterConnection, due: SystemTime, attempts: i32) -> Result<(), Error> {
        let statement = connection.statement(WAIT.sql()).await?;
        let Trace { trace_id, project_id } = self.trace;
        connection
            .execute(&statement, &[&trace_id.uuid(), &project_id.0, &self.asks, &due, &attempts])
            .await?;
        Ok(())
    }

    pub(super) async fn drop(&self, connection: &WriterConnection) -> Result<(), Error> {
        let Trace { trace_id, project_id } = self.trace;
        for statement in [&DROP, &AGAIN] {
            let statement = connection.statement(statement.sql()).await?;
            if connection.execute(&statement, &[&trace_id.uuid(), &project_id.0, &self.asks]).await? > 0 {
                break;
            }
        }
        Ok(())
    }
}
