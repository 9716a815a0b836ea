//! `observatory prices list`, `show` and `unmatched`: what a running observatory knows.

use clap::Args;
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{ListModelsRequest, ListPricesRequest, ModelOrder, ModelUsage};
use serde_json::{Value, json};

use super::show::{price_json, rates, since, table};
use crate::cli::failure::Failure;
use crate::cli::moment::Moment;
use crate::cli::output::{Ask, CallFailed, Format, print, print_json, print_list, print_table, width};
use crate::cli::query::models::all_models;
use crate::cli::query::pages::all_pages;
use crate::cli::query::period::Period;
use crate::cli::query::show::{moment, name, nanos_of, printable};
use crate::cli::table::Table;

/// Options of `prices list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only prices of this provider.
    #[arg(long, default_value = "", hide_default_value = true)]
    provider: String,
    /// Only prices of models whose name contains this text.
    #[arg(long, default_value = "", hide_default_value = true)]
    model: String,
    /// Only prices of this layer: project, everyone or catalogue.
    #[arg(long, default_value = "", hide_default_value = true)]
    layer: String,
    /// Only prices that are valid at this time: 2026-01-31 or 2026-01-31T12:00:00Z, or how long ago, like 7d.
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// Most prices to show, at least 1.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: Ask,
}

/// Options of `prices show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The model, as applications name it.
    model: String,
    /// The provider that the call tells.
    #[arg(long, default_value = "", hide_default_value = true)]
    provider: String,
    /// The start of the call: 2026-01-31 or 2026-01-31T12:00:00Z, or how long ago, like 7d [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    #[command(flatten)]
    ask: Ask,
}

/// Options of `prices unmatched`.
#[derive(Debug, Args)]
pub(super) struct Unmatched {
    #[command(flatten)]
    period: Period,
    /// Most models to show, at least 1.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: Ask,
}

impl List {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut client = LlmServiceClient::new(self.ask.connect().await?);
        let mut request = ListPricesRequest {
            provider: self.provider,
            model_contains: self.model,
            layer: self.layer,
            at_time: self.at.map(Into::into),
            ..ListPricesRequest::default()
        };
        let prices = all_pages(self.limit, async |page_size, page_token| {
            (request.page_size, request.page_token) = (page_size, page_token);
            let page = client.list_prices(request.clone()).await?.into_inner();
            Ok((page.prices, page.next_page_token))
        })
        .await?;
        match self.ask.format {
            Format::Json => print_json(&prices.iter().map(price_json).collect::<Vec<_>>()),
            Format::Table => print_list(&table(&prices), "no price fits"),
        }
    }
}

impl Show {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let request = ListPricesRequest {
            provider: self.provider.clone(),
            called_model: self.model.clone(),
            at_time: self.at.map(Into::into),
            ..ListPricesRequest::default()
        };
        let mut client = LlmServiceClient::new(self.ask.connect().await?);
        let answer = client.list_prices(request).await.map_err(CallFailed)?.into_inner();
        let Some(price) = answer.prices.into_iter().next() else {
            return Err(Failure::Unwell(self.nothing()));
        };
        match self.ask.format {
            Format::Json => print_json(&price_json(&price)),
            Format::Table => {
                let about = match price.layer.as_str() {
                    "catalogue" => format!(" ({})", answer.catalogue),
                    _ => String::new(),
                };
                let head = format!(
                    "{} of {}, {}, layer {}",
                    price.model,
                    price.provider,
                    since(&price),
                    price.layer
                );
                let text =
                    format!("{head}\nsource: {}{about}\n\n{}", price.source, rates(&price).draw(width()));
                print(&printable(&text))
            }
        }
    }

    /// What to do about a model without a price.
    fn nothing(&self) -> String {
        let of = if self.provider.is_empty() { String::new() } else { format!(" of {}", self.provider) };
        format!(
            "no price is known for {}{of}: look with `observatory prices list --model TEXT`, give the provider with \
             --provider, or set a price with `observatory prices set`",
            self.model
        )
    }
}

impl Unmatched {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (start, end_time) = self.period.range()?;
        let client = LlmServiceClient::new(self.ask.connect().await?);
        let request = ListModelsRequest {
            start_time: Some(start),
            end_time,
            unpriced_only: true,
            order_by: ModelOrder::Calls.into(),
            ..ListModelsRequest::default()
        };
        let models = all_models(client, request, self.limit).await?;
        match self.ask.format {
            Format::Json => print_json(&models.iter().map(unmatched_json).collect::<Vec<_>>()),
            Format::Table if models.is_empty() => {
                print("every billable call of that time that told its tokens has a cost")
            }
            Format::Table => print_table(&unmatched_table(&models)),
        }
    }
}

fn unmatched_table(models: &[ModelUsage]) -> Table {
    let columns = ["provider", "model", "calls without cost", "of", "last seen (UTC)", "what to do"];
    let mut table = Table::new(&columns).below("provider", &["model"]);
    for model in models {
        let todo = match model.is_priced {
            // A price may lack a rate for what the calls used, and then the cost is still unknown.
            true => "observatory reprice; `query cost` of a call tells more",
            false => "observatory prices set",
        };
        table.row([
            name(&model.provider),
            name(&model.model),
            model.unpriced_calls.to_string(),
            model.billable_calls.to_string(),
            model.last_seen.map(|seen| moment(nanos_of(seen))).unwrap_or_default(),
            todo.to_owned(),
        ]);
    }
    table
}

fn unmatched_json(model: &ModelUsage) -> Value {
    json!({
        "provider": model.provider,
        "model": model.model,
        "unpricedCalls": model.unpriced_calls,
        "billableCalls": model.billable_calls,
        "isPriced": model.is_priced,
        "lastSeenUnixNano": model.last_seen.map(|seen| nanos_of(seen).to_string()),
    })
}
