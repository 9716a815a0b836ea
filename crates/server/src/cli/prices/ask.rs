//! `observatory prices list`, `show` and `unmatched`: ask a running observatory.

use clap::Args;
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{ListModelsRequest, ListPricesRequest, ModelOrder, ModelUsage};
use prost_types::Timestamp;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::transport::Channel;

use super::show::{price_json, rates, since, table};
use crate::cli::failure::Failure;
use crate::cli::output::{CallFailed, Format, connect, print, print_json, print_table, width};
use crate::cli::query::pages::{all_pages, hours_ago};
use crate::cli::query::show::{moment, nanos_of, printable};
use crate::cli::table::Table;

/// Whom to ask, and how to print the answer.
#[derive(Debug, Args)]
struct Ask {
    /// Address on which the observatory answers queries.
    #[arg(long, value_name = "ADDRESS", env = "OBSERVATORY_QUERY_ADDRESS", default_value = "127.0.0.1:4320")]
    query_address: String,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Ask {
    async fn client(&self) -> Result<LlmServiceClient<Channel>, Failure> {
        let channel = connect(&self.query_address, "--query-address", "127.0.0.1:4320").await?;
        Ok(LlmServiceClient::new(channel))
    }
}

/// Options of `prices list`.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    ask: Ask,
    /// Only prices of this provider.
    #[arg(long, default_value = "", hide_default_value = true)]
    provider: String,
    /// Only prices of models whose name contains this text.
    #[arg(long, default_value = "", hide_default_value = true)]
    model: String,
    /// Only prices of this layer: project, everyone or catalogue.
    #[arg(long, default_value = "", hide_default_value = true)]
    layer: String,
    /// Only prices that are valid at this time: 2026-01-31 or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    at: Option<Timestamp>,
    /// Most prices to show, at least 1.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Options of `prices show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    ask: Ask,
    /// The model, as applications name it.
    model: String,
    /// The provider that the call tells.
    #[arg(long, default_value = "", hide_default_value = true)]
    provider: String,
    /// The start of the call [default: now]: 2026-01-31 or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    at: Option<Timestamp>,
}

/// Options of `prices unmatched`.
#[derive(Debug, Args)]
pub(super) struct Unmatched {
    #[command(flatten)]
    ask: Ask,
    /// Only calls of the last HOURS hours.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Most models to show, at least 1.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl List {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut client = self.ask.client().await?;
        let mut request = ListPricesRequest {
            provider: self.provider,
            model_contains: self.model,
            layer: self.layer,
            at_time: self.at,
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
            Format::Table => print_table(&table(&prices)),
        }
    }
}

impl Show {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let request = ListPricesRequest {
            provider: self.provider.clone(),
            called_model: self.model.clone(),
            at_time: self.at,
            ..ListPricesRequest::default()
        };
        let answer = self.ask.client().await?.list_prices(request).await.map_err(CallFailed)?.into_inner();
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
        let mut client = self.ask.client().await?;
        let mut request = ListModelsRequest {
            start_time: Some(hours_ago(self.hours)?),
            unpriced_only: true,
            order_by: ModelOrder::Calls.into(),
            ..ListModelsRequest::default()
        };
        let models = all_pages(self.limit, async |page_size, page_token| {
            (request.page_size, request.page_token) = (page_size, page_token);
            let page = client.list_models(request.clone()).await?.into_inner();
            Ok((page.models, page.next_page_token))
        })
        .await?;
        match self.ask.format {
            Format::Json => print_json(&models.iter().map(unmatched_json).collect::<Vec<_>>()),
            Format::Table if models.is_empty() => print(&format!(
                "every billable call of the last {} hours that told its tokens has a cost",
                self.hours
            )),
            Format::Table => print_table(&unmatched_table(&models)),
        }
    }
}

fn unmatched_table(models: &[ModelUsage]) -> Table {
    let columns = ["provider", "model", "calls without cost", "of", "last seen (UTC)", "what to do"];
    let mut table = Table::new(&columns).below("provider", &["model"]);
    for model in models {
        let todo = match model.is_priced {
            true => "observatory reprice",
            false => "observatory prices set",
        };
        table.row([
            model.provider.clone(),
            model.model.clone(),
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

/// Length of a day without a time: `2026-01-31`.
const DAY: usize = 10;

/// A day, or a moment in RFC 3339.
fn moment_of(text: &str) -> Result<Timestamp, String> {
    let whole = if text.len() == DAY { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = OffsetDateTime::parse(&whole, &Rfc3339)
        .map_err(|_| "expected a day or a time, like 2026-01-31 or 2026-01-31T12:00:00Z".to_owned())?;
    Ok(Timestamp { seconds: time.unix_timestamp(), nanos: time.nanosecond().cast_signed() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_midnight() {
        assert_eq!(moment_of("1970-01-02"), Ok(Timestamp { seconds: 86_400, nanos: 0 }));
        assert_eq!(
            moment_of("1970-01-01T01:00:00.5+01:00"),
            Ok(Timestamp { seconds: 0, nanos: 500_000_000 })
        );
        assert!(moment_of("yesterday").is_err());
    }
}
