//! Runs jobs, each in a task of its own.

use std::time::Duration;

use llm_observatory_config::{Problems, Validate};
use llm_observatory_storage::maintenance::job::Job;
use llm_observatory_storage::postgres::within;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How jobs are run: the configuration section `jobs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct JobsConfig {
    /// Longest time for one run of a job, in seconds; then the run is given up, and the job runs again after its
    /// interval.
    pub(crate) run_within_s: u64,
    /// Part of its interval by which a run may come early at random, in percent, so that several daemons do not run a
    /// job at the same time.
    pub(crate) jitter_percent: u8,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self { run_within_s: 60, jitter_percent: 10 }
    }
}

impl Validate for JobsConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("run_within_s", self.run_within_s, 1);
        problems.at_most("jitter_percent", self.jitter_percent, 100);
    }
}

impl JobsConfig {
    /// The wait before the next run of a job with the interval `every`.
    fn wait(&self, every: Duration) -> Duration {
        let early = f64::from(self.jitter_percent) / 100.0 * rand::random::<f64>();
        every.mul_f64((1.0 - early).clamp(0.0, 1.0))
    }
}

/// Starts every job. The first run comes after one interval; `stop` ends a run that is under way.
pub(crate) fn spawn(jobs: Vec<Job>, config: &JobsConfig, tasks: &TaskTracker, stop: &CancellationToken) {
    for job in jobs {
        let (config, stop) = (config.clone(), stop.clone());
        tasks.spawn(async move { stop.run_until_cancelled(repeat(&job, &config)).await });
    }
}

async fn repeat(job: &Job, config: &JobsConfig) -> std::convert::Infallible {
    let patience = Duration::from_secs(config.run_within_s);
    loop {
        sleep(config.wait(job.every)).await;
        let begun = Instant::now();
        match within(patience, (job.run)()).await {
            Ok(()) => {
                tracing::debug!(job = job.name, elapsed.ms = begun.elapsed().as_millis(), "job done");
            }
            Err(error) => {
                tracing::warn!(job = job.name, %error, next.s = job.every.as_secs(), "job failed; it runs again later");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use llm_observatory_storage::Error;

    use super::*;

    fn job(every: Duration, run: impl Fn() -> bool + Send + Sync + 'static) -> Job {
        let run = move || -> futures_util::future::BoxFuture<'static, _> {
            match run() {
                true => Box::pin(async { Ok(()) }),
                false => Box::pin(async { Err(Error::Unavailable("away".to_owned())) }),
            }
        };
        Job { name: "test", every, run: Box::new(run) }
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_run_again_after_a_failure_and_until_the_stop() {
        let runs = Arc::new(AtomicU32::new(0));
        let count = runs.clone();
        let failing = job(Duration::from_secs(10), move || {
            count.fetch_add(1, Ordering::Relaxed);
            false
        });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        spawn(vec![failing], &JobsConfig { jitter_percent: 0, ..JobsConfig::default() }, &tasks, &stop);
        sleep(Duration::from_secs(35)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_hangs_is_given_up() {
        let runs = Arc::new(AtomicU32::new(0));
        let count = runs.clone();
        let run = move || -> futures_util::future::BoxFuture<'static, _> {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::pending())
        };
        let hanging = Job { name: "test", every: Duration::from_secs(10), run: Box::new(run) };
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let config = JobsConfig { jitter_percent: 0, run_within_s: 5 };
        spawn(vec![hanging], &config, &tasks, &stop);
        sleep(Duration::from_secs(26)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 2);
        stop.cancel();
    }

    #[test]
    fn jitter_makes_runs_early_and_never_late() {
        let config = JobsConfig { jitter_percent: 10, ..JobsConfig::default() };
        for _ in 0..100 {
            let wait = config.wait(Duration::from_secs(100));
            assert!((Duration::from_secs(90)..=Duration::from_secs(100)).contains(&wait), "{wait:?}");
        }
    }
}
