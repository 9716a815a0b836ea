//! Rows of `model_prices`.

use std::time::SystemTime;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{Currency, Price, Rate, ServiceTier, Unit};
use serde_json::{Value, json};

use super::attributes::Inconsistent;
use super::column::{Int4, Int8, Jsonb, Nullable, Timestamp, Utf8};
use super::row::row;

/// A row of `model_prices`: a price that people set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// The price. Its start has whole microseconds.
    pub price: Price,
    /// When it was set.
    pub created_at: SystemTime,
    /// When another price took its place, or it was withdrawn; `None` while it counts.
    pub replaced_at: Option<SystemTime>,
}

row! {
    PriceRow, "model_prices", |row|
    let price = &row.price;
    let rates = rates_json(&price.rates);
    [
        id: Int8 = price.id(),
        created_at: Timestamp = row.created_at.into(),
        replaced_at: Nullable<Timestamp> = row.replaced_at.map(UnixNanos::from),
        valid_from: Timestamp = price.valid_from,
        project_id: Nullable<Int4> = price.project.map(|project| project.0),
        provider: Utf8 = price.provider.as_bytes(),
        model: Utf8 = price.model.as_bytes(),
        currency: Utf8 = price.currency.as_str().as_bytes(),
        source: Utf8 = price.source.as_bytes(),
        rates: Jsonb = rates.as_bytes(),
    ]
    read {
        let text = |bytes: &[u8], column| {
            std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Inconsistent::Column(column))
        };
        let currency = text(&currency, "currency")?;
        let price = Price::new(
            project_id.map(ProjectId),
            &text(&provider, "provider")?,
            &text(&model, "model")?,
            valid_from,
            Currency::of(&currency).ok_or(Inconsistent::Column("currency"))?,
            rates_of(&rates)?,
            &text(&source, "source")?,
        );
        let price = price.map_err(|_| Inconsistent::Column("rates"))?;
        if price.id() != id {
            return Err(Inconsistent::Column("id").into());
        }
        Ok(Self { price, created_at: moment(created_at), replaced_at: replaced_at.map(moment) })
    }
}

fn moment(time: UnixNanos) -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(time.0)
}

/// The rates as a JSON array for people, one object for each: `{"unit", "price"}`, with `service` and `from` where these
/// are not the usual ones. `price` is in billionths of the currency for a million units.
fn rates_json(rates: &[Rate]) -> String {
    let rate = |rate: &Rate| {
        let mut shown = json!({ "unit": rate.unit.name(), "price": rate.price });
        if rate.service != ServiceTier::Standard {
            shown["service"] = rate.service.name().into();
        }
        if rate.from != 0 {
            shown["from"] = rate.from.into();
        }
        shown
    };
    Value::Array(rates.iter().map(rate).collect()).to_string()
}

fn rates_of(json: &[u8]) -> Result<Vec<Rate>, Inconsistent> {
    let rates: Vec<Value> = serde_json::from_slice(json)?;
    let rate = |rate: &Value| {
        Some(Rate {
            unit: Unit::of(rate["unit"].as_str()?)?,
            service: match &rate["service"] {
                Value::Null => ServiceTier::Standard,
                service => ServiceTier::of(service.as_str()?)?,
            },
            from: match &rate["from"] {
                Value::Null => 0,
                from => from.as_i64()?,
            },
            price: rate["price"].as_i64()?,
        })
    };
    rates.iter().map(|given| rate(given).ok_or(Inconsistent::Column("rates"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shown_without_what_is_usual() {
        let usual = Rate { unit: Unit::Input, service: ServiceTier::Standard, from: 0, price: 2_500_000_000 };
        let long = Rate { from: 200_001, service: ServiceTier::Batch, ..usual };
        let json = rates_json(&[usual, long]);
        let shown: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(shown[0], json!({ "unit": "input", "price": 2_500_000_000_i64 }));
        assert_eq!(shown[1]["service"], "batch");
        assert_eq!(rates_of(json.as_bytes()).unwrap(), [usual, long]);
    }

    #[test]
    fn rates_that_this_program_does_not_write_are_an_error() {
        for odd in [r#"[{"unit":"word","price":1}]"#, r#"[{"unit":"input"}]"#, r#"[{"unit":"input","price":1.5}]"#] {
            assert!(matches!(rates_of(odd.as_bytes()), Err(Inconsistent::Column("rates"))), "{odd}");
        }
    }
}
