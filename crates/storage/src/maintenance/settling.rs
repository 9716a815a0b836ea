//! Settles traces: decides which of their calls are billable, and reads spans again with their log records.
//!
//! Writers note a trace in `llm_settling` when spans of several transactions, or log records, may change what is stored of
//! its LLM spans, or calls of another trace may be the same calls. Every settling looks at the whole trace, so it does not matter how often or in which order it happens.

mod ask;
mod bones;
mod note;
mod reading;
mod trace;

use std::time::{Duration, Instant};

use crate::config::SettlingConfig;
use crate::error::{Error, Failure, chain};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::{Notes, transaction};

use note::Note;
use trace::Locked;

pub use ask::{Again, Days, Trace};
pub(crate) use reading::{rows, scopes};
pub(crate) use trace::settle_noting;
pub use trace::{Settled, settle};

/// The advisory lock of the daemon that settles traces.
pub const LOCK: i64 = 0x6f62_7365_7474; // "obsett"

static TRY_LOCK: Statement = Statement::fixed("settling: try lock", "SELECT pg_try_advisory_lock($1)");
static UNLOCK: Statement = Statement::fixed("settling: unlock", "SELECT pg_advisory_unlock($1)");
/// The work of a settling can be done again from what is stored, so its COMMIT waits for no disk.
static SETTINGS: Statement = Statement::script("settling: settings", "SET synchronous_commit = off");

/// The statements of this module.
pub(super) const STATEMENTS: &[&[&Statement]] = &[
    &[&TRY_LOCK, &UNLOCK, &SETTINGS],
    note::STATEMENTS,
    bones::STATEMENTS,
    reading::STATEMENTS,
    trace::STATEMENTS,
];

/// Prepares a connection for settling.
pub(super) async fn prepare(connection: &WriterConnection) -> Result<(), Error> {
    Ok(connection.batch_execute(SETTINGS.sql()).await?)
}

/// Number of traces that wait to be settled.
pub(super) async fn waiting(connection: &WriterConnection) -> Result<u64, Error> {
    note::count(connection).await
}

/// Settles the traces that are due, within `settling.max_run_s`. Returns their number: 0 while another daemon does this.
///
/// # Errors
/// [`Error::Postgres`] when PostgreSQL refuses a statement, [`Error::Unavailable`] when the connection is lost. Traces
/// that are settled stay settled.
pub async fn settle_due(connection: &WriterConnection, config: &SettlingConfig) -> Result<u64, Error> {
    if !connection.query_one(TRY_LOCK.sql(), &[&LOCK]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    let settled = settle_within(connection, config).await;
    // If the connection is lost, PostgreSQL releases its lock.
    if let Err(error) = connection.query_one(UNLOCK.sql(), &[&LOCK]).await {
        tracing::debug!(error = %chain(&error), "the lock on settling was not released; it ends with the connection");
    }
    settled
}

async fn settle_within(connection: &WriterConnection, config: &SettlingConfig) -> Result<u64, Error> {
    let end = Instant::now() + Duration::from_secs(config.max_run_s);
    let mut settled = 0;
    loop {
        let due = note::due(connection, config).await?;
        let is_last = due.len() < config.batch;
        let mut progress = false;
        for note in due {
            if Instant::now() >= end {
                return Ok(settled);
            }
            match transaction::run(connection, settle_noted(connection, &note, config)).await {
                Ok(done) => {
                    progress = true;
                    settled += u64::from(done);
                }
                // Its writers are busy, or a day lacks its partition: it stays due.
                Err(error) if matches!(error.failure(), Failure::Conflict | Failure::TimedOut) => {
                    tracing::debug!(%error, "a trace is not settled now");
                }
                Err(error) => return Err(error),
            }
        }
        if is_last || !progress {
            return Ok(settled);
        }
    }
}

/// Settles a noted trace, or lets its note wait. Returns whether it is settled.
async fn settle_noted(
    connection: &WriterConnection,
    note: &Note,
    config: &SettlingConfig,
) -> Result<bool, Error> {
    let again = if note.with_logs { Again::WithLogs } else { Again::Nothing };
    let prices = trace::prices(connection, again).await?;
    let days = trace::lock(connection, note.trace(), note.days()).await?;
    let spans: i64 = days.iter().map(|day| day.span_count).sum();
    if !note.is_ripe(spans, config) {
        note.wait_for_growth(connection, spans, config).await?;
        return Ok(false);
    }
    if spans > config.max_spans as i64 {
        tracing::warn!(spans, limit = config.max_spans, "a trace is too large to be settled");
        note.drop(connection).await?;
        return Ok(false);
    }
    let locked = Locked { trace: note.trace(), days: &days, around: note.days(), prices };
    let mut notes = Notes::default();
    let settled = locked.settle(connection, again, config, &mut notes).await?;
    // All write notes in the order of their key: this one, and those of other traces.
    let (before, after) = notes.split(note.trace().trace_id, note.trace().project_id);
    before.write(connection).await?;
    match settled.spans_missing {
        true => note.wait_for_spans(connection, config).await?,
        false => note.drop(connection).await?,
    }
    after.write(connection).await?;
    Ok(true)
}
