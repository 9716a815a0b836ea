//! `observatory prices set` and `import`: write prices into the database.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_genai::prices::{Price, parse};
use llm_observatory_storage::writers::set_prices;
use llm_observatory_storage::{StoragePool, migrate};

use crate::cli::failure::Failure;
use crate::cli::logging::start_logging;
use crate::cli::migrate::reach_existing;
use crate::cli::options::Options;
use crate::cli::output::print;
use crate::config::Config;

/// Columns of a price as text.
const SEPARATOR: &str = "\t";

/// Options of `prices set`.
#[derive(Debug, Args)]
pub(super) struct Set {
    #[command(flatten)]
    options: Options,
    /// The provider, by OpenTelemetry's names: openai, anthropic, aws.bedrock ... `*` for any.
    provider: String,
    /// The model, as the provider calls it. A `*` at the end stands for anything.
    model: String,
    /// What a million units cost: input=2.5 output=10 cache_read=1.25. Also for a tier of service (input@batch=1.25), and for
    /// calls with more input tokens than so many (input>200000=5).
    #[arg(required = true, value_name = "UNIT=PRICE")]
    rates: Vec<String>,
    /// Valid for calls from this time on: 2026-01-31 or 2026-01-31T12:00:00Z [default: from the beginning].
    #[arg(long, value_name = "TIME", default_value = "-", hide_default_value = true)]
    from: String,
    /// Valid for this project only [default: for all projects].
    #[arg(long, value_name = "ID")]
    project: Option<i32>,
    /// The currency, by ISO 4217.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Where you have the price from. ExplainCost shows it.
    #[arg(long, value_name = "TEXT", default_value = "set by hand")]
    source: String,
}

/// Options of `prices import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    options: Options,
    /// The file; `-` for standard input. One price a line, six columns between tabs: provider, model, valid from (`-`, or a
    /// time), currency, rates as for `set`, source. Lines that begin with # are comments.
    file: PathBuf,
    /// Valid for this project only [default: for all projects].
    #[arg(long, value_name = "ID")]
    project: Option<i32>,
}

impl Set {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let rates = self.rates.join(" ");
        let columns = [&self.provider, &self.model, &self.from, &self.currency, &rates, &self.source];
        if let Some(odd) = columns.into_iter().find(|column| column.contains(['\t', '\n', '\r'])) {
            return Err(Failure::Usage(format!("{odd:?} must not contain tabs or line ends")));
        }
        let line = columns.map(String::as_str).join(SEPARATOR);
        // The reader leaves comments out, and a provider that begins like one would be no price.
        let prices =
            parse(&line, self.project.map(ProjectId)).map_err(|wrong| Failure::Usage(wrong.reason))?;
        if prices.is_empty() {
            return Err(Failure::Usage(format!("{} is no provider", self.provider)));
        }
        write(&self.options, &prices).await
    }
}

impl Import {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let text = match name.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map(|_| text)
            }
            _ => std::fs::read_to_string(&self.file),
        };
        let text = text.with_context(|| format!("can't read {name}"))?;
        let prices = parse(&text, self.project.map(ProjectId))
            .map_err(|wrong| Failure::Usage(format!("{name}: {wrong}; nothing was set")))?;
        write(&self.options, &prices).await
    }
}

/// Sets prices in the database that the options name.
async fn write(options: &Options, prices: &[Price]) -> Result<(), Failure> {
    let mut config = options.load(None)?;
    start_logging(&config)?;
    let private = reach_existing(&mut config).await?;
    let done = set(&config, prices).await;
    if let Some(private) = private {
        private.stop().await?;
    }
    done
}

async fn set(config: &Config, prices: &[Price]) -> Result<(), Failure> {
    let pool = StoragePool::new(config.storage.clone()).await;
    let pool = pool.with_context(|| format!("database {}", config.storage.database.address()))?;
    let writer = pool.connect_writer().await?;
    migrate::check(&writer).await?;
    let done = set_prices(&writer, prices).await?;
    let hint = match done.set {
        0 => "",
        _ => "; calls that are stored already keep their cost until `observatory reprice`",
    };
    print(&format!(
        "{} set ({} in place of another), {} unchanged{hint}",
        done.set, done.replaced, done.unchanged
    ))
}
