//! `observatory reprice` and `observatory reread`: work over what is stored, in small transactions, while the daemon goes on.

mod progress;
mod work;

use anyhow::Context as _;
use clap::Args;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::maintenance::run::{Progress, RunKind, RunScope};

use super::failure::Failure;
use super::logging::start_logging;
use super::migrate::reach_existing;
use super::moment::Moment;
use super::options::Options;
use super::output::{Format, print, print_json};
use super::signals::Signals;
use crate::config::Config;
use progress::Shown;
use work::work;

/// Options of `reprice`.
#[derive(Debug, Args)]
pub(super) struct Reprice {
    #[command(flatten)]
    about: About,
    /// Only calls whose request or response names this model. A `*` at its end stands for anything.
    #[arg(long, value_name = "MODEL", value_parser = model)]
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
    /// Only what started at this time or later: 2026-11-01, 2026-11-01T12:00:00Z, or how long ago, like 24h or 7d [default:
    /// the beginning].
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only what started before this time [default: no limit].
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// Only spans of the project with this number [default: all].
    #[arg(long, value_name = "ID")]
    project: Option<i32>,
    /// Output format of the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A name whose only `*` may be its end.
fn model(text: &str) -> Result<String, &'static str> {
    let is_whole = !text.strip_suffix('*').unwrap_or(text).contains('*');
    is_whole.then(|| text.to_owned()).ok_or("* may stand at the end of a model only")
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
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return Err(Failure::Usage(format!("--from ({from}) must be before --to ({to})")));
        }
        let again = self.again(kind, model.as_deref());
        let scope = RunScope {
            kind,
            from: self.from.unwrap_or(Moment::BEGINNING).0,
            until: self.to.map_or(UnixNanos(u64::MAX), |moment| moment.0),
            project: self.project.map(ProjectId),
            model: model.map(Into::into),
        };
        let mut config = self.options.load(None)?;
        start_logging(&config)?;
        let mut signals = Signals::new()?;
        let private = reach_existing(&mut config).await?;
        let mut shown = Shown::new();
        let done = tokio::select! {
            done = on_database(&config, scope, &mut shown, &again) => done,
            // The step that is under way is rolled back with its connection.
            () = signals.next() => Err(Failure::Interrupted(again)),
        };
        shown.end();
        if let Some(private) = private {
            private.stop().await?;
        }
        tell(&done?, self.format)
    }

    /// What to do when the run stopped. A time that was told as so long ago is another one by then.
    fn again(&self, kind: RunKind, model: Option<&str>) -> String {
        let mut command = format!("the run stopped; this goes on there: observatory {}", kind.name());
        let times = [("from", self.from), ("to", self.to)];
        let times = times.into_iter().filter_map(|(name, time)| Some((name, time?.to_string())));
        let project = self.project.map(|id| ("project", id.to_string()));
        let model = model.map(|model| ("model", format!("'{model}'")));
        for (name, value) in times.chain(project).chain(model) {
            command.push_str(&format!(" --{name} {value}"));
        }
        command
    }
}

async fn on_database(
    config: &Config,
    scope: RunScope,
    shown: &mut Shown,
    again: &str,
) -> Result<Progress, Failure> {
    let pool = StoragePool::new(config.storage.clone()).await;
    let pool = pool.with_context(|| format!("database {}", config.storage.database.address()))?;
    Ok(work(&pool, scope, shown).await.with_context(|| again.to_owned())?)
}

fn tell(progress: &Progress, format: Format) -> Result<(), Failure> {
    let Progress { done, changed, .. } = progress;
    match format {
        Format::Table => print(&format!("looked at {done} rows and changed {changed}")),
        Format::Json => print_json(&serde_json::json!({ "rows": done, "changed": changed })),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        reprice: Reprice,
    }

    #[test]
    fn a_run_is_continued_by_a_command_that_means_the_same_later() {
        let asked = ["test", "--from", "2026-11-01", "--to", "1h", "--project", "7", "--model", "gpt-4o*"];
        let Reprice { about, model } = Asked::try_parse_from(asked).unwrap().reprice;
        let again = about.again(RunKind::Reprice, model.as_deref());
        let to = about.to.unwrap();
        let expected =
            format!("observatory reprice --from 2026-11-01 --to {to} --project 7 --model 'gpt-4o*'");
        assert!(again.ends_with(&expected), "{again}");
        assert!(Asked::try_parse_from(["test", "--model", "gpt*4"]).is_err());
    }
}
