//! Rows of `model_prices`.

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{Currency, Price, Rate, ServiceTier, Unit};
use serde::{Deserialize, Serialize};

use super::attributes::Inconsistent;
use super::column::{Int4, Int8, Jsonb, Nullable, Timestamp, Utf8};
use super::row::row;

/// A row of `model_prices`: a price that people set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// The price. Its `valid_from` has whole microseconds: the table keeps no more, and the id depends on it.
    pub price: Price,
    /// When it was set.
    pub created_at: UnixNanos,
    /// When another took its place, or it was withdrawn; `None` while it counts.
    pub replaced_at: Option<UnixNanos>,
}

/// A rate as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct RateJson<'a> {
    unit: &'a str,
    service: &'a str,
    from: i64,
    price: i64,
}

fn to_json(rates: &[Rate]) -> Vec<u8> {
    let rate = |rate: &Rate| RateJson {
        unit: rate.unit.name(),
        service: rate.service.name(),
        from: rate.from,
        price: rate.price,
    };
    // Names and numbers are always JSON.
    serde_json::to_vec(&rates.iter().map(rate).collect::<Vec<_>>()).unwrap_or_default()
}

fn from_json(json: &[u8]) -> Result<Vec<Rate>, Inconsistent> {
    let rates: Vec<RateJson<'_>> = serde_json::from_slice(json)?;
    let rate = |rate: RateJson<'_>| {
        let (unit, service) = (Unit::of(rate.unit)?, ServiceTier::of(rate.service)?);
        Some(Rate { unit, service, from: rate.from, price: rate.price })
    };
    rates.into_iter().map(rate).collect::<Option<_>>().ok_or(Inconsistent::Column("rates"))
}

/// The text of a column.
fn text<'b>(bytes: &'b Bytes, column: &'static str) -> Result<&'b str, Inconsistent> {
    std::str::from_utf8(bytes).map_err(|_| Inconsistent::Column(column))
}

row! {
    PriceRow, "model_prices", |row|
    let price = &row.price;
    let json = to_json(&price.rates);
    [
        id: Int8 = price.id(),
        created_at: Timestamp = row.created_at,
        replaced_at: Nullable<Timestamp> = row.replaced_at,
        valid_from: Timestamp = price.valid_from,
        project_id: Nullable<Int4> = price.project.map(|project| project.0),
        provider: Utf8 = price.provider.as_bytes(),
        model: Utf8 = price.model.as_bytes(),
        currency: Utf8 = price.currency.as_str().as_bytes(),
        source: Utf8 = price.source.as_bytes(),
        rates: Jsonb = &json,
    ]
    read {
        _ = id; // it follows from the other columns
        let price = Price::new(
            project_id.map(ProjectId),
            text(&provider, "provider")?,
            text(&model, "model")?,
            valid_from,
            Currency::of(text(&currency, "currency")?).ok_or(Inconsistent::Column("currency"))?,
            from_json(&rates)?,
            text(&source, "source")?,
        );
        Ok(Self { price: price.map_err(|_| Inconsistent::Column("rates"))?, created_at, replaced_at })
    }
}
