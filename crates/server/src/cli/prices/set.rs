//! `observatory prices set`, `import` and `withdraw`: change the prices in the database.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_genai::prices::{Currency, Price, parse, parse_rates};
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::writers::{PricesSet, Withdrawal, set_prices, withdraw_price};
use llm_observatory_storage::{Error, StoragePool, migrate};

use crate::cli::failure::Failure;
use crate::cli::logging::start_logging;
use crate::cli::migrate::reach_existing;
use crate::cli::moment::Moment;
use crate::cli::options::Options;
use crate::cli::output::print;
use crate::config::Config;

/// What people should know who change prices.
const HINT: &str = "calls that are stored already keep their cost until `observatory reprice`";

/// What names a price.
#[derive(Debug, Args)]
struct Name {
    /// The provider, by OpenTelemetry's names: openai, anthropic, aws.bedrock ... `*` for any.
    provider: String,
    /// The model, as the provider calls it. A `*` at the end stands for anything.
    model: String,
    /// Valid for calls from this time on: 2026-01-31 or 2026-01-31T12:00:00Z [default: from the beginning].
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    #[command(flatten)]
    whose: Whose,
}

/// Whose a price is.
#[derive(Debug, Clone, Copy, Args)]
struct Whose {
    /// Valid for this project only [default: for all projects].
    #[arg(long, value_name = "ID")]
    project: Option<i32>,
}

/// Options of `prices set`.
#[derive(Debug, Args)]
pub(super) struct Set {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    name: Name,
    /// What a million units cost: input=2.5 output=10 cache_read=1.25. Also for a tier of service (input@batch=1.25), and for
    /// calls with more input tokens than so many (input>200000=5).
    #[arg(required = true, value_name = "UNIT=PRICE")]
    rates: Vec<String>,
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
    #[command(flatten)]
    whose: Whose,
}

/// Options of `prices withdraw`.
#[derive(Debug, Args)]
pub(super) struct Withdraw {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    name: Name,
}

impl Name {
    fn from(&self) -> Moment {
        self.from.unwrap_or(Moment::BEGINNING)
    }

    /// From when the price is valid.
    fn since(from: Moment) -> String {
        match from {
            Moment::BEGINNING => "from the beginning".to_owned(),
            from => format!("from {from}"),
        }
    }

    /// What was withdrawn.
    fn withdrawn(&self) -> String {
        format!("withdrawn: {} of {}, {}; {HINT}", self.model, self.provider, Self::since(self.from()))
    }

    /// What to do when there is no such price. `starts` are those of the other prices of the model.
    fn not_set(&self, starts: &[Moment]) -> String {
        let whose =
            self.whose.project.map_or("for all projects".to_owned(), |id| format!("for project {id}"));
        let price = format!("{} of {}", self.model, self.provider);
        let since = Self::since(self.from());
        let starts: Vec<_> = starts.iter().map(|start| Self::since(*start)).collect();
        match starts.is_empty() {
            true => format!(
                "nobody set a price of {price} {whose}: `observatory prices list` shows the prices with their layers. \
                 One of the catalogue can't be withdrawn; set another over it"
            ),
            false => format!(
                "nobody set a price of {price} {since} {whose}; those that are set are valid {}: name one with --from",
                starts.join(", ")
            ),
        }
    }
}

impl Whose {
    fn project(self) -> Option<ProjectId> {
        self.project.map(ProjectId)
    }
}

impl Set {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let price = self.price().map_err(Failure::Usage)?;
        set(&self.options, &[price]).await
    }

    fn price(&self) -> Result<Price, String> {
        let rates = parse_rates(&self.rates.join(" ")).map_err(|wrong| wrong.reason)?;
        let currency = Currency::of(&self.currency)
            .ok_or_else(|| format!("a currency is three capital letters, like USD, not {}", self.currency))?;
        let Name { provider, model, whose, .. } = &self.name;
        let from = self.name.from().0;
        Price::new(whose.project(), provider, model, from, currency, rates, &self.source)
            .map_err(|wrong| wrong.to_string())
    }
}

impl Import {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let is_stdin = self.file.as_os_str() == "-";
        let name = if is_stdin { "standard input".to_owned() } else { self.file.display().to_string() };
        let text = match is_stdin {
            true => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map(|_| text)
            }
            false => std::fs::read_to_string(&self.file),
        };
        let text = text.with_context(|| format!("can't read {name}"))?;
        let prices = parse(&text, self.whose.project())
            .map_err(|wrong| Failure::Usage(format!("{name}: {wrong}; nothing was set")))?;
        if prices.is_empty() {
            return Err(Failure::Usage(format!("{name} holds no price")));
        }
        set(&self.options, &prices).await
    }
}

impl Withdraw {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Name { provider, model, whose, .. } = &self.name;
        let from = self.name.from().0;
        let done = change(&self.options, async |writer| {
            withdraw_price(writer, whose.project(), provider, model, from).await
        });
        match done.await? {
            Withdrawal::Done => print(&self.name.withdrawn()),
            Withdrawal::NotSet(starts) => {
                let starts: Vec<_> = starts.into_iter().map(Moment).collect();
                Err(Failure::Unwell(self.name.not_set(&starts)))
            }
        }
    }
}

/// Sets prices, and prints what became of them.
async fn set(options: &Options, prices: &[Price]) -> Result<(), Failure> {
    let done = change(options, async |writer| set_prices(writer, prices).await);
    let PricesSet { set, replaced, unchanged } = done.await?;
    let hint = if set > 0 { format!("; {HINT}") } else { String::new() };
    print(&format!("{set} set ({replaced} in place of another), {unchanged} unchanged{hint}"))
}

/// Changes prices in the database that the options name.
async fn change<T>(
    options: &Options,
    work: impl AsyncFnOnce(&WriterConnection) -> Result<T, Error>,
) -> Result<T, Failure> {
    let mut config = options.load(None)?;
    start_logging(&config)?;
    let private = reach_existing(&mut config).await?;
    let done = on_database(&config, work).await;
    if let Some(private) = private {
        private.stop().await?;
    }
    done
}

async fn on_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(&WriterConnection) -> Result<T, Error>,
) -> Result<T, Failure> {
    let pool = StoragePool::new(config.storage.clone()).await;
    let pool = pool.with_context(|| format!("database {}", config.storage.database.address()))?;
    let writer = pool.connect_writer().await?;
    migrate::check(&writer).await?;
    Ok(work(&writer).await?)
}
