//! Costs, models and prices as messages.

use llm_observatory_core::text::Text;
use llm_observatory_proto::v1;
use llm_observatory_query::llm::{
    Calculation, CostExplained, Layer, Line, LlmRow, Model, NameOf, NoCost, Price, Rate, Why, about_catalogue,
};

use super::money::{self, BILLIONTHS, EXACT, decimal};
use super::span::{price_id, span, usage};
use crate::grpc::query::times::timestamp;

/// The answer to ExplainCost.
pub(super) fn answer(explained: CostExplained) -> v1::ExplainCostResponse {
    let is_current = explained.is_current();
    let CostExplained { span: explained, stored, current } = explained;
    let (reason, explanation) = match &current {
        Ok(_) => ("", String::new()),
        Err(why) => (reason(*why), sentence(*why, &explained.row)),
    };
    v1::ExplainCostResponse {
        reason: reason.to_owned(),
        explanation,
        is_current,
        stored: stored.map(calculation),
        current: current.ok().map(calculation),
        span: Some(span(explained)),
    }
}

/// The word for why there is no cost.
fn reason(why: Why) -> &'static str {
    match why {
        Why::NotBillable => "not_billable",
        Why::Missing(missing) => missing.name(),
    }
}

/// Why there is no cost, with the names that it is about.
fn sentence(why: Why, row: &LlmRow) -> String {
    let reading = &row.reading;
    match why {
        Why::NotBillable if reading.is_call => {
            "the call is not billable: another span of the trace tells the same call".to_owned()
        }
        Why::NotBillable => format!("the step calls no model itself: its kind is {}", reading.kind),
        Why::Missing(NoCost::NoPrice) => {
            let name = |text: &Option<Text>| text.as_ref().map(Text::to_string);
            let mut models: Vec<_> =
                [name(&reading.response_model), name(&reading.request_model)].into_iter().flatten().collect();
            models.dedup();
            let provider = name(&reading.provider).unwrap_or_else(|| "an unknown provider".to_owned());
            format!(
                "no price is known for {} of {provider} at the start of the call: \
                 set one with `observatory prices set`",
                models.join(" or ")
            )
        }
        Why::Missing(missing) => missing.to_string(),
    }
}

fn calculation(calculation: Calculation) -> v1::CostCalculation {
    let name = match calculation.name_of {
        NameOf::Response => "response_model",
        NameOf::Request => "request_model",
    };
    v1::CostCalculation {
        price: Some(price(calculation.layer, &calculation.price)),
        matched_by: calculation.rule.name().to_owned(),
        matched_name: name.to_owned(),
        service_tier: calculation.service.name().to_owned(),
        input_tokens: calculation.prompt,
        lines: calculation.lines.iter().map(line).collect(),
        sum: decimal(calculation.exact, EXACT),
        cost: Some(money::cost(&calculation.cost)),
        price_set_time: calculation.set_at.map(timestamp),
        catalogue: match calculation.layer {
            Layer::Catalogue => about_catalogue().to_owned(),
            Layer::Project | Layer::Everyone => String::new(),
        },
    }
}

fn line(line: &Line) -> v1::CostLine {
    v1::CostLine {
        unit: line.unit.name().to_owned(),
        quantity: line.count,
        rate: Some(rate(&line.rate)),
        product: decimal(line.product, EXACT),
    }
}

/// A price.
pub(super) fn price(layer: Layer, price: &Price) -> v1::Price {
    v1::Price {
        id: price_id(price.id()),
        provider: price.provider.to_string(),
        model: price.model.to_string(),
        currency: price.currency.to_string(),
        valid_from: price.valid_from.is_known().then(|| timestamp(price.valid_from)),
        source: price.source.to_string(),
        layer: layer.name().to_owned(),
        rates: price.rates.iter().map(rate).collect(),
    }
}

fn rate(rate: &Rate) -> v1::Rate {
    v1::Rate {
        unit: rate.unit.name().to_owned(),
        service_tier: rate.service.name().to_owned(),
        from_input_tokens: rate.from,
        nanos_per_million: rate.price,
        amount_per_million: decimal(rate.price.into(), BILLIONTHS),
    }
}

/// A model that was called.
pub(super) fn model(Model { usage: used, is_priced }: Model) -> v1::ModelUsage {
    v1::ModelUsage {
        provider: used.provider.to_string(),
        model: used.model.to_string(),
        calls: used.calls,
        billable_calls: used.billable_calls,
        usage_missing_calls: used.usage_missing_calls,
        usage: Some(usage(used.usage)),
        cost: used.cost.map(money::dollars),
        reported_cost: used.reported_cost.map(money::dollars),
        unpriced_calls: used.unpriced_calls,
        is_priced,
        first_seen: used.first_seen.is_known().then(|| timestamp(used.first_seen)),
        last_seen: used.last_seen.is_known().then(|| timestamp(used.last_seen)),
        other_currency_calls: used.foreign_calls,
    }
}
