//! Day partitions, made days ahead and on demand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use llm_observatory_core::time::{Day, UnixNanos};
use time::Date;
use tokio_postgres::Client;

use crate::config::PartitionConfig;
use crate::error::Error;
use crate::migrate::SCHEMA_LOCK;

/// The tables that are partitioned by day. A day is made in all of them at once, so that one set of days describes all.
pub const TABLES: &[&str] = &["traces", "trace_spans", "trace_events", "metric_data_points", "logs"];

/// 2000-01-01: what lies before is "undated" and has a partition of its own.
const FIRST_DAY: Day = Day(10_957);
/// 2100-01-01: what lies from here on has a partition of its own.
const PAST_LAST_DAY: Day = Day(47_482);

/// Days that are made in one transaction: each takes some twenty-five locks.
const DAYS_A_TRANSACTION: usize = 16;

/// Another daemon may be making the same partitions; waiting long for it would hold up the answer.
const LIMIT: &str = "/* partitions: limit */ SELECT set_config('lock_timeout', $1, true)";
const LOCK: &str = "/* partitions: lock */ SELECT pg_advisory_xact_lock($1)";
const ENSURE: &str = "/* partitions: ensure */ \
    SELECT count(*) FILTER (WHERE observatory_ensure_partition(parent::regclass, $2::date, $2::date + 1, to_char($2::date, 'YYYYMMDD'))) \
    FROM unnest($1::text[]) AS parent";
const KNOWN: &str = "/* partitions: known */ \
    SELECT to_date(right(partition::text, 8), 'YYYYMMDD') AS day FROM observatory_partitions \
    WHERE partition ~ '_[0-9]{8}$' GROUP BY day HAVING count(*) = cardinality($1::text[])";

/// The days that have partitions, as far as this process knows. Clones share the knowledge.
///
/// On demand there may be at most `partitions.max_days`; today and the days ahead come on top of that if need be.
#[derive(Debug, Clone)]
pub struct Partitions {
    config: PartitionConfig,
    known: Arc<Mutex<BTreeSet<Day>>>,
    /// Held by whoever makes partitions, so that a process asks for them once, and not once for every request.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Days for which no partition may be made, because there are `partitions.max_days` already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused(pub BTreeSet<Day>);

impl Partitions {
    pub(crate) fn new(config: PartitionConfig) -> Self {
        Self { config, known: Arc::default(), turn: Arc::default() }
    }

    /// Whether rows of that day have a partition to go to, as far as this process knows.
    pub fn has(&self, day: Day) -> bool {
        !(FIRST_DAY..PAST_LAST_DAY).contains(&day) || self.known().contains(&day)
    }

    /// Makes the partitions that `days` need and that are missing.
    ///
    /// Returns the days that would go beyond `partitions.max_days`: rows of those can't be stored. What is made stays
    /// made when the rest fails, so whoever tries again has less to do.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn ensure(&self, client: &Client, days: &BTreeSet<Day>) -> Result<Refused, Error> {
        let _turn = self.turn.lock().await;
        self.ensure_in_turn(client, days).await
    }

    /// The same on a connection that is opened when it is this caller's turn, and only if there is something to do by then:
    /// whoever waits holds none.
    pub(crate) async fn ensure_on<F>(
        &self,
        connect: impl FnOnce() -> F,
        days: &BTreeSet<Day>,
    ) -> Result<Refused, Error>
    where
        F: Future<Output = Result<Client, Error>>,
    {
        let _turn = self.turn.lock().await;
        if days.iter().all(|day| self.has(*day)) {
            return Ok(Refused::default());
        }
        self.ensure_in_turn(&connect().await?, days).await
    }

    async fn ensure_in_turn(&self, client: &Client, days: &BTreeSet<Day>) -> Result<Refused, Error> {
        let missing: Vec<_> = days.iter().copied().filter(|day| !self.has(*day)).collect();
        let (ahead, mut is_full) = (self.days_ahead(), false);
        for days in missing.chunks(DAYS_A_TRANSACTION) {
            // Of many days that clients made up no more are looked at.
            if is_full && !days.iter().any(|day| ahead.contains(day)) {
                continue;
            }
            client.batch_execute("BEGIN").await?;
            let made = self.ensure_locked(client, days).await;
            client.batch_execute(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
            *self.known() = made?;
            is_full = self.known().len() >= self.config.max_days;
        }
        Ok(Refused(missing.into_iter().filter(|day| !self.has(*day)).collect()))
    }

    /// Forgets which days have partitions, when a row found none: somebody dropped them. What is needed is asked for anew.
    pub fn forget(&self) {
        self.known().clear();
    }

    /// Makes the partitions of yesterday, today and the coming days.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn make_ahead(&self, client: &Client) -> Result<(), Error> {
        self.ensure(client, &self.days_ahead()).await.map(|_| ())
    }

    /// Yesterday, today and the coming days: these have a place whatever clients sent before.
    pub(crate) fn days_ahead(&self) -> BTreeSet<Day> {
        let today = UnixNanos::from(std::time::SystemTime::now()).day();
        (-1..=i32::from(self.config.days_ahead)).map(|ahead| Day(today.0 + ahead)).collect()
    }

    /// Makes what is missing, under the lock; returns every day that now has partitions.
    async fn ensure_locked(&self, client: &Client, missing: &[Day]) -> Result<BTreeSet<Day>, Error> {
        client.query_one(LIMIT, &[&self.config.lock_timeout_ms.to_string()]).await?;
        client.query_one(LOCK, &[&SCHEMA_LOCK]).await?;
        let rows = client.query(KNOWN, &[&TABLES]).await?;
        let mut known: BTreeSet<Day> = rows.iter().map(|row| from_date(row.get(0))).collect();
        let (ahead, mut is_new) = (self.days_ahead(), false);
        for (day, date) in missing.iter().filter_map(|day| Some((*day, to_date(*day)?))) {
            let has_room = known.len() < self.config.max_days || ahead.contains(&day);
            if known.contains(&day) || !has_room {
                continue;
            }
            client.query_one(ENSURE, &[&TABLES, &date]).await?;
            tracing::info!(partition.day = %date, "day partitions made");
            known.insert(day);
            is_new = true;
        }
        if !is_new {
            return Ok(known);
        }
        // A table of that name that is no partition stands in the way when somebody detached it and kept it.
        let rows = client.query(KNOWN, &[&TABLES]).await?;
        Ok(rows.iter().map(|row| from_date(row.get(0))).collect())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<Day>> {
        // The set is replaced as a whole, so a panic elsewhere can't have left it half-changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const UNIX_EPOCH_JULIAN: i32 = 2_440_588;

fn to_date(day: Day) -> Option<Date> {
    Date::from_julian_day(day.0.checked_add(UNIX_EPOCH_JULIAN)?).ok()
}

fn from_date(date: Date) -> Day {
    Day(date.to_julian_day() - UNIX_EPOCH_JULIAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(to_date(FIRST_DAY).map(|date| date.to_string()).as_deref(), Some("2000-01-01"));
        assert_eq!(to_date(PAST_LAST_DAY).map(|date| date.to_string()).as_deref(), Some("2100-01-01"));
        assert_eq!(to_date(Day(20_000)).map(from_date), Some(Day(20_000)));
    }
}
