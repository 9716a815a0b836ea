//! Day partitions, made days ahead and on demand, for each family of tables.

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

/// 2000-01-01: what lies before is "undated" and has a partition of its own.
const FIRST_DAY: Day = Day(10_957);
/// 2100-01-01: what lies from here on has a partition of its own.
const PAST_LAST_DAY: Day = Day(47_482);

/// Days that are made in one transaction: each takes up to some fifteen locks.
const DAYS_A_TRANSACTION: usize = 16;

/// Another daemon may be making the same partitions; waiting long for it would hold up the answer.
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

/// The days for which each family has partitions, as far as this process knows. Clones share the knowledge.
///
/// On demand a family may get partitions for at most `partitions.max_days`; today and the days ahead come on top of that if
/// need be.
#[derive(Debug, Clone)]
pub struct Partitions {
    config: PartitionConfig,
    known: Arc<Mutex<BTreeMap<Family, BTreeSet<Day>>>>,
    /// The one task that makes partitions holds this, so that a process asks for them once, and not for every request.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Days for which a family gets no partition: it has `partitions.max_days` already, or a table of that name stands in the
/// way. Records of these days can't be stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclinedDays(BTreeSet<Day>);

impl DeclinedDays {
    /// Whether every day has its partitions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of declined days.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this day is declined.
    pub fn contains(&self, day: Day) -> bool {
        self.0.contains(&day)
    }
}

impl Partitions {
    pub(crate) fn new(config: PartitionConfig) -> Self {
        Self { config, known: Arc::default(), turn: Arc::default() }
    }

    /// Whether rows of that day have a partition to go to, as far as this process knows.
    pub fn has(&self, family: Family, day: Day) -> bool {
        !(FIRST_DAY..PAST_LAST_DAY).contains(&day)
            || self.known().get(&family).is_some_and(|days| days.contains(&day))
    }

    /// Whether rows of all these days have partitions to go to, as far as this process knows.
    pub fn has_all(&self, family: Family, days: &BTreeSet<Day>) -> bool {
        days.iter().all(|day| self.has(family, *day))
    }

    /// Makes the partitions that `days` need and that are missing. What is made stays made when the rest fails, so that
    /// another attempt has less to do.
    ///
    /// # Errors
    /// [`Error::Postgres`], in particular when another daemon holds the lock for longer than
    /// `partitions.lock_timeout_ms`; [`Error::Unavailable`].
    pub async fn ensure(
        &self,
        client: &Client,
        family: Family,
        days: &BTreeSet<Day>,
    ) -> Result<DeclinedDays, Error> {
        let _turn = self.turn.lock().await;
        self.ensure_in_turn(client, family, days).await
    }

    /// The same on a connection that is opened when it is this caller's turn, and only if there is something to do by then:
    /// a caller that waits holds none.
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
            // Clients may make up many days: once the family is full, only the days ahead are looked at.
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

    /// Forgets which days of a family have partitions, when a row found none: they were dropped behind our back.
    pub fn forget(&self, family: Family) {
        self.known().remove(&family);
    }

    /// Makes the partitions of yesterday, today and the coming days, of all families.
    ///
    /// # Errors
    /// As [`Self::ensure`].
    pub async fn make_ahead(&self, client: &Client) -> Result<(), Error> {
        for family in Family::ALL {
            self.ensure(client, family, &self.days_ahead()).await?;
        }
        Ok(())
    }

    /// Yesterday, today and the coming days: these have a place whatever clients sent before.
    pub(crate) fn days_ahead(&self) -> BTreeSet<Day> {
        let today = UnixNanos::from(std::time::SystemTime::now()).day();
        (-1..=i32::from(self.config.days_ahead)).map(|ahead| Day(today.0 + ahead)).collect()
    }

    /// Makes what is missing, under the lock. Returns every day for which the family now has partitions.
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
            tracing::info!(partition.family = ?family, partition.day = %date, "day partitions made");
            known.insert(day);
            is_new = true;
        }
        // A table that was detached and kept is no partition, and stands in the way: so look again.
        if is_new { known_days(client, tables).await } else { Ok(known) }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Family, BTreeSet<Day>>> {
        // Sets are replaced as a whole, so a panic elsewhere can't have left one half-changed.
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
