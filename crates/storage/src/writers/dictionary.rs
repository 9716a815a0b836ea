//! Dictionary rows (resources, scopes, metric definitions, series), written once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::insert::insert;
use crate::error::Error;
use crate::models::row::Row;
use crate::models::{MetricRow, ResourceRow, ScopeRow, SeriesRow};
use crate::postgres::writer::WriterConnection;

/// Remembers which dictionary rows are committed, so that each is sent to PostgreSQL about once. Clones share the memory.
///
/// A row that is forgotten is merely sent again: its id is the hash of its content, and a conflict leaves it as it is.
#[derive(Debug, Clone)]
pub struct Dictionary {
    committed: Arc<Mutex<Generations>>,
}

/// The table of a row, and its unique key there.
type Identity = (&'static str, i32, Uuid);

/// Two generations: when the younger is full, the older is forgotten.
#[derive(Debug)]
struct Generations {
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
    /// Ids that are remembered: about 8 MB.
    pub const DEFAULT_CAPACITY: usize = 200_000;

    /// A memory of at most `capacity` ids.
    pub fn with_capacity(capacity: usize) -> Self {
        let generations =
            Generations { capacity: capacity.div_ceil(2), young: HashSet::new(), old: HashSet::new() };
        Self { committed: Arc::new(Mutex::new(generations)) }
    }

    /// Forgets everything: after a failover, say, the database may have less than was committed.
    pub fn forget(&self) {
        let mut committed = self.lock();
        committed.young.clear();
        committed.old.clear();
    }

    /// Writes those of `rows` that are not known to be committed.
    ///
    /// Runs outside of any transaction: a dictionary row that nothing points at does no harm, and so no writer waits for
    /// another's batch.
    ///
    /// # Errors
    /// [`Error::Postgres`] and [`Error::Unavailable`].
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
        // Losing or keeping an id is both correct, so a poisoned lock is as good as any.
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

/// A row whose id is the hash of its content.
pub(crate) trait DictionaryRow: Row {
    /// Its unique key.
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
    fn memory_is_bounded_and_keeps_the_recent() {
        let mut generations = Generations { capacity: 2, young: HashSet::new(), old: HashSet::new() };
        (0..5).for_each(|n| generations.insert(("scopes", 1, Uuid::from_u128(n))));
        assert!(generations.contains(&("scopes", 1, Uuid::from_u128(4))));
        assert!(generations.contains(&("scopes", 1, Uuid::from_u128(2))));
        assert!(!generations.contains(&("scopes", 1, Uuid::from_u128(0))));
    }
}
