//! Keeps the statistics of PostgreSQL's planner up to date as tables grow.
//!
//! The partition of a day starts empty. Until PostgreSQL analyses it, the planner expects a handful of rows there, and
//! sorts millions of rows to show a hundred. Autovacuum may be off, or minutes behind.

use std::time::{Duration, Instant};

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::family::Family;
use crate::config::StatisticsConfig;
use crate::error::{Error, chain};
use crate::statement::Statement;

/// The tables of dictionary rows, which have no partitions. Queries join them.
const DICTIONARIES: &[&str] = &["resources", "scopes", "metrics", "metric_series"];

/// The advisory lock of the daemon that analyses tables.
const LOCK: i64 = 0x6f62_7374_6174; // "obstat"

static TRY_LOCK: Statement = Statement::fixed("statistics: try lock", "SELECT pg_try_advisory_lock($1)");
static UNLOCK: Statement = Statement::fixed("statistics: unlock", "SELECT pg_advisory_unlock($1)");
static LIMIT: Statement = Statement::fixed(
    "statistics: limit",
    "SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)",
);
static DUE: Statement = Statement::fixed("statistics: due", include_str!("statistics/due.sql"));
/// Adds new ranges of blocks to the BRIN indexes of a table. Otherwise only autovacuum does, and until then every query
/// of a time range reads the new ranges whole.
static SUMMARISE: Statement = Statement::fixed(
    "statistics: summarise",
    "SELECT brin_summarize_new_values(i.indexrelid) \
     FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam \
     WHERE i.indrelid = $1::text::regclass AND a.amname = 'brin' AND c.relkind = 'i'",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&TRY_LOCK, &UNLOCK, &LIMIT, &DUE, &SUMMARISE];

/// Analyses tables (partitions, their parents and dictionaries) and summarises their BRIN indexes. Returns the number
/// of analysed tables.
///
/// A table is due when it grew by `statistics.growth_percent`, and by at least `statistics.min_rows`, after its last
/// analysis. Tables that grew most come first. A run ends after `statistics.max_run_s`, and the next one continues. It
/// leaves out a table that is dropped meanwhile, or locked for longer than `statistics.lock_timeout_ms`. If another
/// daemon is at work, it returns 0 at once. ANALYZE blocks neither readers nor writers; it delays a new partition while
/// it samples the parent.
///
/// Cost: one query of the catalogue and of the size of each partition, then about 30,000 sampled rows per table of any
/// size. ANALYZE of a parent samples its partitions again.
///
/// # Errors
/// [`Error::Unavailable`] when the connection is lost, [`Error::Postgres`] when PostgreSQL refuses a statement.
pub async fn analyse(client: &Client, config: &StatisticsConfig) -> Result<u64, Error> {
    if !client.query_one(TRY_LOCK.sql(), &[&LOCK]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    let analysed = analyse_due(client, config).await;
    // If the connection is lost, PostgreSQL releases its lock and drops its settings.
    let released = async {
        client.execute(UNLOCK.sql(), &[&LOCK]).await?;
        client.batch_execute("RESET lock_timeout; RESET statement_timeout").await
    };
    if let Err(error) = released.await {
        tracing::debug!(error = %chain(&error), "the lock on statistics was not released; it ends with the connection");
    }
    analysed
}

async fn analyse_due(client: &Client, config: &StatisticsConfig) -> Result<u64, Error> {
    let end = Instant::now() + Duration::from_secs(config.max_run_s);
    limit(client, config, end).await?;
    let (least, growth) = (config.min_rows as f64, f64::from(config.growth_percent) / 100.0);
    let partitioned = Family::ALL.map(Family::tables).concat();
    let due = client.query(DUE.sql(), &[&partitioned, &DICTIONARIES, &least, &growth]).await?;
    let mut analysed = 0;
    for table in due.iter().map(|row| row.get::<_, &str>(0)) {
        if Instant::now() >= end {
            break;
        }
        limit(client, config, end).await?;
        match analyse_table(client, table).await {
            Ok(()) => analysed += 1,
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => break,
            Err(error) if is_in_use_or_gone(&error) => {
                tracing::debug!(table, error = %chain(&error), "not analysed now");
            }
            Err(error) => return Err(error.into()),
        }
    }
    if analysed > 0 {
        tracing::debug!(tables = analysed, due = due.len(), "tables analysed");
    }
    Ok(analysed)
}

async fn analyse_table(client: &Client, table: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&format!("/* statistics: analyse */ ANALYZE {table}")).await?;
    client.execute(SUMMARISE.sql(), &[&table]).await.map(drop)
}

/// Limits the next statement to the rest of the run, and its waits for locks to `statistics.lock_timeout_ms`.
async fn limit(client: &Client, config: &StatisticsConfig, end: Instant) -> Result<(), Error> {
    // PostgreSQL reads 0 as no limit.
    let left = end.saturating_duration_since(Instant::now()).as_millis().max(1);
    client.query_one(LIMIT.sql(), &[&config.lock_timeout_ms.to_string(), &left.to_string()]).await?;
    Ok(())
}

fn is_in_use_or_gone(error: &tokio_postgres::Error) -> bool {
    [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::UNDEFINED_TABLE].map(Some).contains(&error.code())
}
