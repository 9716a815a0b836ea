//! Upkeep that repeats: what it is called, how often it is due, and what it runs.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::error::Error;
use crate::maintenance::retention;
use crate::pool::StoragePool;

/// One kind of upkeep. Whoever has it runs it: the daemon does so in a task of its own, again and again until it stops.
///
/// A run that is given up in the middle leaves nothing half done, and several daemons may run the same job at once.
pub struct Job {
    /// What it is called in logs.
    pub name: &'static str,
    /// The time between the end of one run and the start of the next.
    pub every: Duration,
    /// Runs it once.
    pub run: Box<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

impl Job {
    /// Makes the partitions of the coming days.
    pub fn partitions(pool: &StoragePool) -> Self {
        let every = Duration::from_secs(pool.config().partitions.interval_s);
        let pool = pool.clone();
        let run = move || -> BoxFuture<'static, _> {
            let pool = pool.clone();
            Box::pin(async move { pool.make_partitions_ahead().await })
        };
        Self { name: "partitions", every, run: Box::new(run) }
    }

    /// Deletes bookkeeping that is older than its retention.
    pub fn retention(pool: &StoragePool) -> Self {
        let every = Duration::from_secs(pool.config().retention.interval_s);
        let pool = pool.clone();
        let run = move || -> BoxFuture<'static, _> {
            let pool = pool.clone();
            Box::pin(async move {
                let client = pool.connect_primary().await?;
                retention::clear(&client, &pool.config().retention).await.map(drop)
            })
        };
        Self { name: "retention", every, run: Box::new(run) }
    }
}
