//! Day partitions of each family of tables, created ahead and on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_observatory_core::time::{Day, UnixNanos};
use time::Date;
use tokio_postgres::Client;

use super::family::Family;
use crate::config::PartitionConfig;
use crate::error::Error;
use crate::migrate::SCHEMA_LOCK;
use crate::statement::Statement;

/// 2000-01-01. Rows of earlier days go to the partition `undated`.
const FIRST_DAY: Day = Day(10_957);
/// 2100-01-01. Rows of this and later days go to the partition `far_future`.
const PAST_LAST_DAY: Day = Day(47_482);

/// Days whose partitions one transaction creates. Each day takes up to about fifteen locks.
const DAYS_A_TRANSACTION: usize = 16;

/// Bounds the wait for another daemon that creates the same partitions: a client waits for the answer.
static LIMIT: Statement =
    Statement::fixed("partitions: limit", "SELECT set_config('lock_timeout', $1, true)");
static LOCK: Statement = Statement::fixed("partitions: lock", "SELECT pg_advisory_xact_lock($1)");
static ENSURE: Statement = Statement::fixed(
    "partitions: ensure",
    "SELECT count(*) FILTER (WHERE observatory_ensure_partition( \
         parent::regclass, $2::date, $2::date + 1, to_char($2::date, 'YYYYMMDD'))) \
     FROM unnest($1::text[]) AS parent",
);
static KNOWN: Statement = Statement::fixed(
    "partitions: known",
    "SELECT to_date(right(leaf.relname, 8), 'YYYYMMDD') AS day \
     FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid \
     WHERE inhparent = ANY ($1::text[]::regclass[]) AND leaf.relname ~ '_[0-9]{8}$' \
     GROUP BY day HAVING count(*) = cardinality($1::text[])",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LIMIT, &LOCK, &ENSURE, &KNOWN];

/// Creates day partitions, and remembers which ones each family has. Clones share this memory.
///
/// A family gets partitions on demand until it has `partitions.max_days`. Yesterday, today and the days ahead get
/// theirs beyond that limit too.
#[derive(Debug, Clone)]
pub struct Partitions {
    config: PartitionConfig,
    known: Arc<Mutex<BTreeMap<Family, BTreeSet<Day>>>>,
    /// The task that creates partitions holds this, so that requests for the same day create it once.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Days for which a family gets no partition, since it has `partitions.max_days` already or another table has the name
/// of the partition. Records of these days can't be stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclinedDays(BTreeSet<Day>);

impl DeclinedDays {
    /// Whether no day is declined.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of declined days.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `day` is declined.
    pub fn contains(&self, day: Day) -> bool {
        self.0.contains(&day)
    }
}

impl Partitions {
    pub(crate) fn new(config: PartitionConfig) -> Self {
        Self { config, known: Arc::default(), turn: Arc::default() }
    }

    /// Whether this process knows partitions of `family` for rows of `day`.
    pub fn has(&self, family: Family, day: Day) -> bool {
        !(FIRST_DAY..PAST_LAST_DAY).contains(&day)
            || self.known().get(&family).is_some_and(|days| days.contains(&day))
    }

    /// Whether this process knows partitions of `family` for rows of all `days`.
    pub fn has_all(&self, family: Family, days: &BTreeSet<Day>) -> bool {
        days.iter().all(|day| self.has(family, *day))
    }

    /// Creates the missing partitions of `days`, and returns the declined days. After an error, partitions of earlier
    /// transactions remain, so that another attempt has less to do.
    ///
    /// # Errors
    /// [`Error::Postgres`] when another daemon holds the lock for longer than `partitions.lock_timeout_ms`, or the role
    /// may not create tables; [`Error::Unavailable`] when the connection is lost.
    pub async fn ensure(
        &self,
        client: &Client,
        family: Family,
        days: &BTreeSet<Day>,
    ) -> Result<DeclinedDays, Error> {
        let _turn = self.turn.lock().await;
        self.ensure_in_turn(client, family, days).await
    }

    /// Like [`Self::ensure`], on a connection that it opens only when it is this caller's turn and partitions are still
    /// missing. A waiting caller holds no connection.
    pub(crate) async fn ensure_on<F>(
        &self,
        connect: impl FnOnce() -> F,
        family: Family,
        days: &BTreeSet<Day>,
    ) -> Result<DeclinedDays, Error>
    where
        F: Future<Output = Result<Client, Error>>,
    {
        let _turn = self.turn.lock().await;
        if self.has_all(family, days) {
            return Ok(DeclinedDays::default());
        }
        self.ensure_in_turn(&connect().await?, family, days).await
    }

    async fn ensure_in_turn(
        &self,
        client: &Client,
        family: Family,
        days: &BTreeSet<Day>,
    ) -> Result<DeclinedDays, Error> {
        let missing: Vec<_> = days.iter().copied().filter(|day| !self.has(family, *day)).collect();
        let (ahead, mut is_full) = (self.days_ahead(), false);
        for days in missing.chunks(DAYS_A_TRANSACTION) {
            // A request may name thousands of days. Once the family is full, only the days ahead need a transaction.
            if is_full && !days.iter().any(|day| ahead.contains(day)) {
                continue;
            }
            client.batch_execute("BEGIN").await?;
            let made = self.ensure_locked(client, family, days).await;
            client.batch_execute(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
            let made = made?;
            is_full = made.len() >= self.config.max_days;
            self.known().insert(family, made);
        }
        Ok(DeclinedDays(missing.into_iter().filter(|day| !self.has(family, *day)).collect()))
    }

    /// Forgets the partitions of a family. Called when a row finds no partition although one was known: an operator
    /// dropped it.
    pub fn forget(&self, family: Family) {
        self.known().remove(&family);
    }

    /// Creates the partitions of yesterday, today and the days ahead, for all families.
    ///
    /// # Errors
    /// Those of [`Self::ensure`].
    pub async fn make_ahead(&self, client: &Client) -> Result<(), Error> {
        for family in Family::ALL {
            self.ensure(client, family, &self.days_ahead()).await?;
        }
        Ok(())
    }

    /// Yesterday, today and the `partitions.days_ahead` days after. These get partitions even when the family is full.
    pub(crate) fn days_ahead(&self) -> BTreeSet<Day> {
        let today = UnixNanos::from(std::time::SystemTime::now()).day();
        (-1..=i32::from(self.config.days_ahead)).map(|ahead| Day(today.0 + ahead)).collect()
    }

    /// Creates the missing partitions under the lock. Returns all days for which the family now has partitions.
    async fn ensure_locked(
        &self,
        client: &Client,
        family: Family,
        missing: &[Day],
    ) -> Result<BTreeSet<Day>, Error> {
        let tables = family.tables();
        client.query_one(LIMIT.sql(), &[&self.config.lock_timeout_ms.to_string()]).await?;
        client.query_one(LOCK.sql(), &[&SCHEMA_LOCK]).await?;
        let mut known = known_days(client, tables).await?;
        let (ahead, mut is_new) = (self.days_ahead(), false);
        for (day, date) in missing.iter().filter_map(|day| Some((*day, to_date(*day)?))) {
            let has_room = known.len() < self.config.max_days || ahead.contains(&day);
            if known.contains(&day) || !has_room {
                continue;
            }
            client.query_one(ENSURE.sql(), &[&tables, &date]).await?;
            tracing::info!(partition.family = ?family, partition.day = %date, "day partitions created");
            known.insert(day);
            is_new = true;
        }
        // A detached table keeps the name of its partition, and `observatory_ensure_partition` then creates none: ask
        // again.
        if is_new { known_days(client, tables).await } else { Ok(known) }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Family, BTreeSet<Day>>> {
        // Sets are replaced as a whole, so a panic elsewhere leaves none half-changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn known_days(client: &Client, tables: &[&str]) -> Result<BTreeSet<Day>, Error> {
    let rows = client.query(KNOWN.sql(), &[&tables]).await?;
    Ok(rows.iter().map(|row| from_date(row.get(0))).collect())
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
