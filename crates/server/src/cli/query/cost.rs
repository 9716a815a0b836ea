//! `observatory query cost`: why an LLM span costs what it costs.

use std::fmt::Write as _;

use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{
    CostCalculation, CostLine, ExplainCostRequest, ExplainCostResponse, LlmSpan,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::show::{moment, money, nanos_of, printable};
use super::span;
use crate::cli::failure::Failure;
use crate::cli::output::{CallFailed, Format, print, print_json, width};
use crate::cli::prices::show::{price_json, rate_json, since};
use crate::cli::table::Table;

pub(super) async fn cost(
    mut client: LlmServiceClient<Channel>,
    trace_id: String,
    span_id: String,
    format: Format,
) -> Result<(), Failure> {
    let request = ExplainCostRequest { trace_id, span_id };
    let explained = client.explain_cost(request).await.map_err(CallFailed)?.into_inner();
    match format {
        Format::Json => print_json(&answer_json(&explained)),
        Format::Table => print(printable(&text(&explained)).trim_end()),
    }
}

fn text(explained: &ExplainCostResponse) -> String {
    let span = explained.span.clone().unwrap_or_default();
    let billing = span.billing.clone().unwrap_or_default();
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(called(&span));
    match (&explained.stored, &billing.cost) {
        (Some(stored), _) => line(calculated(stored)),
        (None, Some(cost)) => line(format!(
            "It cost {} by the price {}, which this observatory no longer knows.",
            money(Some(cost)),
            billing.price_id
        )),
        (None, None) => line("It has no cost.".to_owned()),
    }
    match (&explained.current, explained.is_current) {
        (Some(_), true) => line("The prices of today give the same cost.".to_owned()),
        (Some(current), false) => line(format!(
            "The prices of today give another cost, which `observatory reprice` would store:\n\n{}",
            calculated(current)
        )),
        (None, true) => line(format!("Why: {}.", explained.explanation)),
        (None, false) => line(format!("The prices of today give no cost: {}.", explained.explanation)),
    }
    if let Some(reported) = &billing.reported_cost {
        line(format!("The application says that it cost {}.", money(Some(reported))));
    }
    out
}

/// What was called: `chat gpt-4o: gpt-4o-2024-08-06 of openai`.
fn called(span: &LlmSpan) -> String {
    let reading = span.reading.clone().unwrap_or_default();
    let models = [reading.response_model, reading.request_model];
    let model = models.into_iter().find(|model| !model.is_empty()).unwrap_or_else(|| "no model".to_owned());
    let provider =
        if reading.provider.is_empty() { String::new() } else { format!(" of {}", reading.provider) };
    format!("{}: {model}{provider}", span.name)
}

/// The price, the products, the sum and its rounding.
fn calculated(calculation: &CostCalculation) -> String {
    let price = calculation.price.clone().unwrap_or_default();
    let name = calculation.matched_name.replace('_', " ");
    let origin = match &calculation.price_set_time {
        Some(time) => format!("{}, set {} UTC", price.source, moment(nanos_of(*time))),
        None => format!("{} ({})", price.source, calculation.catalogue),
    };
    let mut out = format!(
        "price   {} of {}, {}, layer {}\nsource  {origin}\nmatch   {} ({name}), tier {}, {} input tokens\n\n",
        price.model,
        price.provider,
        since(&price),
        price.layer,
        calculation.matched_by,
        calculation.service_tier,
        calculation.input_tokens,
    );
    let mut table = Table::new(&["unit", "quantity", "rate", "per million", "product"]);
    for line in &calculation.lines {
        let rate = line.rate.clone().unwrap_or_default();
        let tier =
            if rate.service_tier == "standard" { String::new() } else { format!("@{}", rate.service_tier) };
        table.row([
            line.unit.clone(),
            quantity(line),
            format!("{}{tier}", rate.unit),
            rate.amount_per_million,
            line.product.clone(),
        ]);
    }
    table.row(["sum", "", "", "", &calculation.sum].map(str::to_owned));
    let cost = calculation.cost.as_ref();
    table.row(["cost", "", "", "", &money(cost)].map(str::to_owned));
    out.push_str(&table.draw(width()));
    out.push('\n');
    out
}

/// Seconds come in billionths.
fn quantity(line: &CostLine) -> String {
    match line.unit.as_str() {
        "second" => format!("{}", line.quantity as f64 / 1e9),
        _ => line.quantity.to_string(),
    }
}

fn answer_json(explained: &ExplainCostResponse) -> Value {
    let mut shown = json!({
        "span": explained.span.as_ref().map(span::json),
        "isCurrent": explained.is_current,
    });
    for (name, calculation) in [("stored", &explained.stored), ("current", &explained.current)] {
        if let Some(calculation) = calculation {
            shown[name] = calculation_json(calculation);
        }
    }
    if !explained.reason.is_empty() {
        shown["reason"] = explained.reason.as_str().into();
        shown["explanation"] = explained.explanation.as_str().into();
    }
    shown
}

fn calculation_json(calculation: &CostCalculation) -> Value {
    let line = |line: &CostLine| {
        json!({
            "unit": line.unit,
            "quantity": line.quantity,
            "rate": line.rate.as_ref().map(rate_json),
            "product": line.product,
        })
    };
    json!({
        "price": calculation.price.as_ref().map(price_json),
        "matchedBy": calculation.matched_by,
        "matchedName": calculation.matched_name,
        "serviceTier": calculation.service_tier,
        "inputTokens": calculation.input_tokens,
        "lines": calculation.lines.iter().map(line).collect::<Vec<_>>(),
        "sum": calculation.sum,
        "priceSetTimeUnixNano": calculation.price_set_time.map(|time| nanos_of(time).to_string()),
        "catalogue": calculation.catalogue,
        "cost": span::money_json(calculation.cost.as_ref()),
    })
}
