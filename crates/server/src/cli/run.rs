//! `observatory reprice` and `observatory reread`: work over stored LLM spans, in small transactions, while the daemon goes on.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::maintenance::run::{Progress, Run, RunKind, RunScope};
use llm_observatory_storage::{Error, StoragePool};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::failure::Failure;
use super::logging::start_logging;
use super::migrate::reach_existing;
use super::options::Options;
use super::output::{Format, print, print_json};

/// How often a run is opened again after PostgreSQL was away, and the first pause before that. It doubles each time.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// Options of `reprice`.
#[derive(Debug, Args)]
pub(super) struct Reprice {
    #[command(flatten)]
    about: About,
    /// Only spans whose request or response names this model, exactly.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
}

/// Options of `reread`.
#[derive(Debug, Args)]
pub(super) struct Reread {
    #[command(flatten)]
    about: About,
}

#[derive(Debug, Args)]
struct About {
    #[command(flatten)]
    options: Options,
    /// Only spans that started at this time or later: `2026-11-01`, `2026-11-01T12:00:00Z` [default: the beginning].
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only spans that started before this time [default: no limit].
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// Only spans of the project with this number [default: all].
    #[arg(long, value_name = "ID")]
    project: Option<i32>,
    /// Output format of the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Reprice {
    pub(super) async fn run(self) -> Result<(), Failure> {
        self.about.run(RunKind::Reprice, self.model).await
    }
}

impl Reread {
    pub(super) async fn run(self) -> Result<(), Failure> {
        self.about.run(RunKind::Reread, None).await
    }
}

impl About {
    async fn run(self, kind: RunKind, model: Option<String>) -> Result<(), Failure> {
        let scope = RunScope {
            kind,
            from: self.from.map_or(UnixNanos(0), |moment| moment.0),
            until: self.to.map_or(UnixNanos(u64::MAX), |moment| moment.0),
            project: self.project.map(ProjectId),
            model: model.map(Into::into),
        };
        if scope.from >= scope.until {
            return Err(Failure::Usage("--from must be before --to".to_owned()));
        }
        let mut config = self.options.load(None)?;
        start_logging(&config)?;
        let private = reach_existing(&mut config).await?;
        let pool = StoragePool::new(config.storage.clone()).await;
        let done = match pool.with_context(|| format!("database {}", config.storage.database.address())) {
            Ok(pool) => work(&pool, scope).await,
            Err(error) => Err(error.into()),
        };
        if let Some(private) = private {
            private.stop().await?;
        }
        tell(&done?, self.format)
    }
}

/// Does the run to its end. Shows how far it is on standard error, if that is a terminal.
async fn work(pool: &StoragePool, scope: RunScope) -> Result<Progress, Failure> {
    let bar = ProgressBar::no_length();
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut failures = 0;
    loop {
        match stretch(pool, &scope, &bar, &mut failures).await {
            Ok(progress) => {
                bar.finish_and_clear();
                return Ok(progress);
            }
            Err(error) if passes(&error) && failures < ATTEMPTS => {
                bar.set_message("waiting for PostgreSQL");
                tokio::time::sleep(PAUSE * 2_u32.pow(failures)).await;
                failures += 1;
            }
            Err(error) => {
                bar.abandon();
                return Err(anyhow::Error::from(error)
                    .context("the run stopped; the same command goes on where it stopped")
                    .into());
            }
        }
    }
}

/// Goes on until the run is over, or fails. Each committed step makes the count of failures begin anew.
async fn stretch(
    pool: &StoragePool,
    scope: &RunScope,
    bar: &ProgressBar,
    failures: &mut u32,
) -> Result<Progress, Error> {
    let run = Run::open(pool, scope.clone()).await?;
    loop {
        let progress = run.step().await?;
        *failures = 0;
        show(bar, &progress);
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

fn show(bar: &ProgressBar, progress: &Progress) {
    let template = match progress.expected {
        Some(expected) => {
            bar.set_length(expected.max(progress.done));
            "{bar:30} {percent:>3} %  {pos} of about {len} rows, {msg}, {eta} left"
        }
        None => "{spinner} {pos} rows, {msg}, {elapsed}",
    };
    // The templates are constants, and both parse.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(progress.done);
    bar.set_message(format!("{} changed", progress.changed));
}

fn tell(progress: &Progress, format: Format) -> Result<(), Failure> {
    match format {
        Format::Table => print(&format!("looked at {} rows and changed {}", progress.done, progress.changed)),
        Format::Json => {
            print_json(&serde_json::json!({ "rows": progress.done, "changed": progress.changed }))
        }
    }
}

/// A time on the command line: RFC 3339, or a date, which means its first moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment(UnixNanos);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = Date::parse(text, format_description!("[year]-[month]-[day]"))
            .map(|date| date.midnight().assume_utc());
        let time = date.or_else(|_| OffsetDateTime::parse(text, &Rfc3339));
        let nanos = time.ok().and_then(|time| u64::try_from(time.unix_timestamp_nanos()).ok());
        nanos.map(|nanos| Self(UnixNanos(nanos))).ok_or_else(|| {
            "expected a date like 2026-11-01 or a time like 2026-11-01T12:00:00Z, from 1970 to 2554"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_or_a_time() {
        let nanos = |text: &str| text.parse::<Moment>().map(|moment| moment.0.0);
        assert_eq!(nanos("1970-01-02"), Ok(86_400_000_000_000));
        assert_eq!(nanos("1970-01-01T01:00:00+01:00"), Ok(0));
        assert!(nanos("yesterday").is_err_and(|told| told.contains("2026-11-01")));
        assert!(nanos("1969-12-31").is_err());
    }

    #[test]
    fn both_bars_are_drawn() {
        for expected in [None, Some(10)] {
            let bar = ProgressBar::hidden();
            show(&bar, &Progress { done: 5, changed: 1, expected, is_finished: false });
            assert_eq!((bar.position(), bar.message()), (5, "1 changed".to_owned()));
        }
    }
}
