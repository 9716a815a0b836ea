//! Writes dictionary rows (resources, scopes, metric definitions, series) about once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::insert::insert;
use crate::error::Error;
use crate::models::row::Row;
use crate::models::{MetricRow, ResourceRow, ScopeRow, SeriesRow};
use crate::postgres::writer::WriterConnection;

/// Remembers the ids of committed dictionary rows, so that writers send each row about once. Clones share this memory.
///
/// Writers send a forgotten row again. That is harmless: its id is the hash of its content, and PostgreSQL ignores the
/// duplicate.
#[derive(Debug, Clone)]
pub struct Dictionary {
    committed: Arc<Mutex<Generations>>,
}

/// Table, project and id of a row.
type Identity = (&'static str, i32, Uuid);

/// Two generations of ids. When the younger is full, it becomes the older, and the previous older one is dropped.
#[derive(Debug)]
struct Generations {
    /// Most ids of one generation.
    capacity: usize,
    young: HashSet<Identity>,
    old: HashSet<Identity>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }
}

impl Dictionary {
    /// Default number of remembered ids, which take about 8 MB.
    pub const DEFAULT_CAPACITY: usize = 200_000;

    /// A memory of at most `capacity` ids.
    pub fn with_capacity(capacity: usize) -> Self {
        let generations =
            Generations { capacity: capacity.div_ceil(2), young: HashSet::new(), old: HashSet::new() };
        Self { committed: Arc::new(Mutex::new(generations)) }
    }

    /// Forgets all ids. Needed when the database may have lost committed rows, for example after a failover.
    pub fn forget(&self) {
        let mut committed = self.lock();
        committed.young.clear();
        committed.old.clear();
    }

    /// Writes the `rows` that are not remembered as committed.
    ///
    /// Runs outside of any transaction, so that no writer waits for the batch of another one. A dictionary row without
    /// referring rows does no harm.
    ///
    /// # Errors
    /// [`Error::Postgres`] when PostgreSQL does not take a row, [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn ensure<R: DictionaryRow + Sync>(
        &self,
        connection: &WriterConnection,
        rows: &[&R],
    ) -> Result<(), Error> {
        let mut missing = self.missing(rows);
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_by_key(|row| row.identity());
        missing.dedup_by_key(|row| row.identity());
        insert(connection, &missing).await?;
        let mut committed = self.lock();
        missing.iter().for_each(|row| committed.insert(row.identity()));
        Ok(())
    }

    fn missing<'r, R: DictionaryRow>(&self, rows: &[&'r R]) -> Vec<&'r R> {
        let committed = self.lock();
        rows.iter().copied().filter(|row| !committed.contains(&row.identity())).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        // A panic elsewhere may lose an id, which is then sent again.
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn contains(&self, id: &Identity) -> bool {
        self.young.contains(id) || self.old.contains(id)
    }

    fn insert(&mut self, id: Identity) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id);
    }
}

/// A dictionary row: its id is the hash of its content.
pub(crate) trait DictionaryRow: Row {
    /// Table, project and id of the row.
    fn identity(&self) -> Identity;
}

macro_rules! dictionary_rows {
    ($($row:ty),*) => {$(
        impl DictionaryRow for $row {
            fn identity(&self) -> Identity {
                (Self::TABLE.name, self.project_id.0, self.id.0)
            }
        }
    )*};
}

dictionary_rows!(ResourceRow, ScopeRow, MetricRow, SeriesRow);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_keeps_recent_ids() {
        let mut generations = Generations { capacity: 2, young: HashSet::new(), old: HashSet::new() };
        (0..5).for_each(|n| generations.insert(("scopes", 1, Uuid::from_u128(n))));
        assert!(generations.contains(&("scopes", 1, Uuid::from_u128(4))));
        assert!(generations.contains(&("scopes", 1, Uuid::from_u128(2))));
        assert!(!generations.contains(&("scopes", 1, Uuid::from_u128(0))));
    }
}
