//! Does a run to its end, and waits while PostgreSQL is away.

use std::time::Duration;

use llm_observatory_storage::maintenance::run::{Progress, Run, RunScope};
use llm_observatory_storage::{Error, StoragePool};

use super::progress::Shown;

/// How often a run is opened again after PostgreSQL was away, and the first pause before that. It doubles each time.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn work(pool: &StoragePool, scope: RunScope, shown: &mut Shown) -> Result<Progress, Error> {
    let mut failures = 0;
    loop {
        match steps(pool, &scope, shown, &mut failures).await {
            Ok(progress) => return Ok(progress),
            Err(error) if passes(&error) && failures < ATTEMPTS => {
                shown.waiting("waiting for PostgreSQL");
                tokio::time::sleep(PAUSE * 2_u32.pow(failures)).await;
                failures += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Goes on until the run is over, or fails. Each committed step makes the count of failures begin anew.
async fn steps(
    pool: &StoragePool,
    scope: &RunScope,
    shown: &mut Shown,
    failures: &mut u32,
) -> Result<Progress, Error> {
    let run = Run::open(pool, scope.clone()).await?;
    loop {
        let progress = run.step().await?;
        *failures = 0;
        shown.progress(&progress);
        if progress.is_finished {
            return Ok(progress);
        }
    }
}

/// Whether the same work may succeed a little later.
fn passes(error: &Error) -> bool {
    use llm_observatory_storage::error::Failure::{Conflict, TimedOut, Unavailable};
    matches!(error.failure(), Conflict | TimedOut | Unavailable)
}
