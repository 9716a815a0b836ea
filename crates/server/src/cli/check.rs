//! `observatory check`: checks what the daemon needs in eight steps, and prints one table.

use std::time::Instant;

use clap::Args;
use llm_observatory_query::trace::ListTraces;
use llm_observatory_query::{Caller, Metrics, PageSize, Paging, Query, QueryConfig};
use llm_observatory_storage::postgres::unsafe_settings;
use llm_observatory_storage::{StoragePool, migrate};

use super::failure::{Failure, causes};
use super::migrate::reach_existing;
use super::options::Options;
use super::output::print_table;
use super::table::Table;
use crate::config::Config;
use crate::identity;

/// The steps, in their order.
const STEPS: [&str; 8] = [
    "configuration",
    "connection",
    "PostgreSQL",
    "durability",
    "Redis",
    "schema",
    "health and pool",
    "sample query",
];

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    options: Options,
}

impl Check {
    /// Goes through all steps, and prints the result of each.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the configuration is wrong, [`Failure::Unwell`] when another step failed; the table says why.
    /// [`Failure::Other`] when the private PostgreSQL can't be stopped, or the table not be printed.
    pub async fn run(self) -> Result<(), Failure> {
        let mut report = Report::new();
        let stopped = self.check(&mut report).await;
        report.print()?;
        stopped?;
        let failed = |failures| format!("{failures} of {} checks failed; see the table", STEPS.len());
        match report {
            Report { failures: 0, .. } => Ok(()),
            Report { failures, is_misconfigured: true, .. } => Err(Failure::Usage(failed(failures))),
            Report { failures, .. } => Err(Failure::Unwell(failed(failures))),
        }
    }

    async fn check(self, report: &mut Report) -> Result<(), Failure> {
        let Some(mut config) = report.try_step(STEPS[0], self.options.load(None)) else { return Ok(()) };
        report.step(STEPS[0], Ok(summary(&config)));
        let reached = report.try_step(STEPS[1], reach_existing(&mut config).await);
        let Some(private) = reached else { return Ok(()) };
        check(&config, report).await;
        if let Some(private) = private {
            private.stop().await?;
        }
        Ok(())
    }
}

fn summary(config: &Config) -> String {
    let redis = if config.storage.redis.url.is_some() { "with Redis" } else { "no Redis" };
    let role = format!("{:?}", config.role).to_lowercase();
    format!("valid: role {role}, {redis}")
}

async fn check(config: &Config, report: &mut Report) {
    let pool = match StoragePool::new(config.storage.clone()).await {
        Ok(pool) => {
            report.step(STEPS[1], Ok(config.storage.database.address()));
            pool
        }
        Err(error) => {
            return report.step(STEPS[1], Err(format!("{}: {error}", config.storage.database.address())));
        }
    };
    let health = pool.health_check().await;
    let told = |name: &str, version: Option<String>, error: Option<String>| match (version, error) {
        (_, Some(error)) => Err(error),
        (version, None) => Ok(format!("{name} {}", version.unwrap_or_default())),
    };
    let is_healthy = health.is_healthy();
    report.step(STEPS[2], told("version", health.postgres.version, health.postgres.error));
    report.step(STEPS[3], durability(&pool).await);
    match health.redis {
        Some(redis) => {
            let address = config.storage.redis.address().unwrap_or_default();
            let error = redis.error.map(|error| format!("{address}: {error}"));
            report.step(STEPS[4], told("version", redis.version, error));
        }
        None => report.skip(STEPS[4], "not configured; not needed"),
    }
    report.step(STEPS[5], schema(&pool).await);
    report.step(
        STEPS[6],
        match is_healthy {
            true => {
                let stats = pool.stats();
                Ok(format!(
                    "{} of at most {} connections open, {} idle",
                    stats.connections, stats.max, stats.idle
                ))
            }
            false => Err("PostgreSQL or Redis is not healthy; see above".to_owned()),
        },
    );
    report.step(STEPS[7], sample(&pool, &config.query).await);
}

/// Whether PostgreSQL keeps what it commits. If `allow_unsafe_durability` permits that it does not, the detail says so.
async fn durability(pool: &StoragePool) -> Result<String, String> {
    let lacking = async { unsafe_settings(&*pool.get().await?).await };
    match lacking.await {
        Ok(lacking) if lacking.is_empty() => Ok("what is committed survives a crash".to_owned()),
        Ok(lacking) if pool.config().database.allow_unsafe_durability => Ok(format!(
            "UNSAFE, as storage.database.allow_unsafe_durability permits; off: {}",
            lacking.join(", ")
        )),
        Ok(lacking) => Err(llm_observatory_storage::Error::UnsafeDurability(lacking).to_string()),
        Err(error) => Err(error.to_string()),
    }
}

async fn schema(pool: &StoragePool) -> Result<String, String> {
    let checked = async {
        migrate::check(&*pool.get().await?).await?;
        Ok::<_, llm_observatory_storage::Error>(format!("version {}", migrate::known_version()))
    };
    checked.await.map_err(|error| error.to_string())
}

async fn sample(pool: &StoragePool, config: &QueryConfig) -> Result<String, String> {
    let begin = Instant::now();
    let query = Query::new(pool.clone(), config.clone(), Metrics::default());
    let one = Paging { size: PageSize::from(1), token: None };
    let question = ListTraces { paging: one, ..ListTraces::new(Caller::of(identity::project())) };
    match query.list_traces(question).await {
        Ok(page) => {
            let found = if page.content.is_empty() { "no trace" } else { "traces" };
            Ok(format!("{found} within query.default_range_s, {} ms", begin.elapsed().as_millis()))
        }
        Err(error) => Err(causes(&error)),
    }
}

/// The results of the steps so far.
struct Report {
    table: Table,
    steps: usize,
    failures: usize,
    is_misconfigured: bool,
}

impl Report {
    fn new() -> Self {
        let table = Table::new(&["check", "result", ""]);
        Self { table, steps: 0, failures: 0, is_misconfigured: false }
    }

    fn step(&mut self, name: &str, result: Result<String, String>) {
        let (verdict, detail) = match result {
            Ok(detail) => ("ok", detail),
            Err(detail) => {
                self.failures += 1;
                ("FAILED", detail)
            }
        };
        self.row(name, verdict, &detail);
    }

    /// A step whose failure ends the check. A success is not reported yet.
    fn try_step<T>(&mut self, name: &str, result: Result<T, Failure>) -> Option<T> {
        let failure = match result {
            Ok(done) => return Some(done),
            Err(failure) => failure,
        };
        self.is_misconfigured |= matches!(failure, Failure::Configuration(_));
        self.step(name, Err(failure.to_string()));
        None
    }

    fn skip(&mut self, name: &str, reason: &str) {
        self.row(name, "-", reason);
    }

    fn row(&mut self, name: &str, verdict: &str, detail: &str) {
        self.steps += 1;
        self.table.row([name, verdict, detail].map(str::to_owned));
    }

    /// Prints the results, and the steps that were not reached.
    fn print(&mut self) -> Result<(), Failure> {
        for step in &STEPS[self.steps..] {
            self.skip(step, "not checked: an earlier step failed");
        }
        print_table(&self.table)
    }
}
