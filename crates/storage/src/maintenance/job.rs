//! Jobs: upkeep that repeats.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::error::Error;
use crate::maintenance::settler::Settler;
use crate::maintenance::{retention, statistics};
use crate::pool::StoragePool;

/// One kind of upkeep. The daemon runs it in a task until it stops, with pauses of `every`.
///
/// A caller may drop a run at any point, and several daemons may run the same job at once.
pub struct Job {
    /// Name of the job in log lines.
    pub name: &'static str,
    /// Pause between the end of a run and the start of the next.
    pub every: Duration,
    /// Runs the job once.
    pub run: Box<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

impl Job {
    /// A job that runs on `pool`, with pauses of `seconds`.
    fn on<F>(
        pool: &StoragePool,
        name: &'static str,
        seconds: u64,
        run: impl Fn(StoragePool) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (every, pool) = (Duration::from_secs(seconds), pool.clone());
        Self { name, every, run: Box::new(move || Box::pin(run(pool.clone()))) }
    }

    /// Creates the partitions of the coming days.
    pub fn partitions(pool: &StoragePool) -> Self {
        let every = pool.config().partitions.interval_s;
        Self::on(pool, "partitions", every, |pool| async move { pool.make_partitions_ahead().await })
    }

    /// Deletes rows of the ledger and dead letters that are older than their retention.
    pub fn retention(pool: &StoragePool) -> Self {
        Self::on(pool, "retention", pool.config().retention.interval_s, |pool| async move {
            retention::clear(&pool.connect_primary().await?, &pool.config().retention).await.map(drop)
        })
    }

    /// Settles the traces that writers noted: which calls are billable, and what log records say of them.
    pub fn settling(pool: &StoragePool) -> Self {
        let every = Duration::from_millis(pool.config().settling.interval_ms);
        let settler = Settler::new(pool.clone());
        Self { name: "settling", every, run: Box::new(move || settler.run()) }
    }

    /// Analyses tables that grew, so that PostgreSQL plans queries for their present size.
    pub fn statistics(pool: &StoragePool) -> Self {
        Self::on(pool, "statistics", pool.config().statistics.interval_s, |pool| async move {
            statistics::analyse(&pool.connect_primary().await?, &pool.config().statistics).await.map(drop)
        })
    }
}
