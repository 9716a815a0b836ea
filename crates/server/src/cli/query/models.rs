//! `observatory query models`: the models that were called.

use clap::{Args, ValueEnum};
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{ListModelsRequest, ModelOrder, ModelUsage};
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::pages::all_pages;
use super::period::{NOTHING_FITS, Period};
use super::show::{moment, money, name, nanos_of, number};
use super::span::{money_json, usage_json};
use crate::cli::failure::Failure;
use crate::cli::output::{Format, print_json, print_list};
use crate::cli::table::Table;

/// Which models to show.
#[derive(Debug, Args)]
pub(super) struct Models {
    /// Only models of this provider.
    #[arg(long, default_value = "", hide_default_value = true)]
    provider: String,
    /// Only calls of this service.
    #[arg(long, default_value = "", hide_default_value = true)]
    service: String,
    /// Only models that have a call without a cost though it told its tokens.
    #[arg(long)]
    unpriced: bool,
    /// What comes first.
    #[arg(long, value_enum, default_value_t = By::Cost)]
    by: By,
    #[command(flatten)]
    period: Period,
    /// Most models to show, at least 1.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// What a list of models is ordered by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The dearest.
    Cost,
    /// Those with the most calls.
    Calls,
    /// Those with the most tokens.
    Tokens,
    /// By provider and name.
    Name,
}

impl Models {
    pub(super) async fn run(self, client: LlmServiceClient<Channel>, format: Format) -> Result<(), Failure> {
        let order = match self.by {
            By::Cost => ModelOrder::Cost,
            By::Calls => ModelOrder::Calls,
            By::Tokens => ModelOrder::Tokens,
            By::Name => ModelOrder::Name,
        };
        let (start, end_time) = self.period.range()?;
        let request = ListModelsRequest {
            start_time: Some(start),
            end_time,
            provider: self.provider,
            service: self.service,
            unpriced_only: self.unpriced,
            order_by: order.into(),
            ..ListModelsRequest::default()
        };
        let models = all_models(client, request, self.limit).await?;
        match format {
            Format::Json => print_json(&models.iter().map(model_json).collect::<Vec<_>>()),
            Format::Table => print_list(&table(&models), NOTHING_FITS),
        }
    }
}

/// The first `limit` models of the answer.
pub(in crate::cli) async fn all_models(
    mut client: LlmServiceClient<Channel>,
    mut request: ListModelsRequest,
    limit: u32,
) -> Result<Vec<ModelUsage>, Failure> {
    all_pages(limit, async |page_size, page_token| {
        (request.page_size, request.page_token) = (page_size, page_token);
        let page = client.list_models(request.clone()).await?.into_inner();
        Ok((page.models, page.next_page_token))
    })
    .await
}

fn table(models: &[ModelUsage]) -> Table {
    let columns = [
        "provider",
        "model",
        "calls",
        "billable",
        "input",
        "output",
        "cost",
        "unpriced",
        "no usage",
        "priced",
        "last seen (UTC)",
    ];
    let mut table = Table::new(&columns).below("provider", &["model"]);
    for model in models {
        let usage = model.usage.unwrap_or_default();
        table.row([
            name(&model.provider),
            name(&model.model),
            model.calls.to_string(),
            model.billable_calls.to_string(),
            number(usage.input),
            number(usage.output),
            cost(model),
            model.unpriced_calls.to_string(),
            model.usage_missing_calls.to_string(),
            if model.is_priced { "yes" } else { "no" }.to_owned(),
            model.last_seen.map(|seen| moment(nanos_of(seen))).unwrap_or_default(),
        ]);
    }
    table
}

/// The cost in dollars, and how many calls have one in another currency.
fn cost(model: &ModelUsage) -> String {
    let others = match model.other_currency_calls {
        0 => None,
        1 => Some("1 call in another currency".to_owned()),
        calls => Some(format!("{calls} calls in another currency")),
    };
    let dollars = model.cost.as_ref().map(|cost| money(Some(cost)));
    dollars.into_iter().chain(others).collect::<Vec<_>>().join(" + ")
}

fn model_json(model: &ModelUsage) -> Value {
    let time = |time: Option<prost_types::Timestamp>| time.map(|time| nanos_of(time).to_string());
    json!({
        "provider": model.provider,
        "model": model.model,
        "calls": model.calls,
        "billableCalls": model.billable_calls,
        "usageMissingCalls": model.usage_missing_calls,
        "usage": usage_json(&model.usage.unwrap_or_default()),
        "cost": money_json(model.cost.as_ref()),
        "reportedCost": money_json(model.reported_cost.as_ref()),
        "unpricedCalls": model.unpriced_calls,
        "otherCurrencyCalls": model.other_currency_calls,
        "isPriced": model.is_priced,
        "firstSeenUnixNano": time(model.first_seen),
        "lastSeenUnixNano": time(model.last_seen),
    })
}
