//! Sets and withdraws prices, and keeps writers from pricing rows by old ones meanwhile.

use std::time::SystemTime;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::Price;

use super::insert::insert_new;
use super::transaction;
use crate::error::Error;
use crate::models::attributes::Inconsistent;
use crate::models::price::PriceRow;
use crate::models::time::moment;
use crate::postgres::writer::WriterConnection;
use crate::prices::PRICE_LOCK;
use crate::statement::Statement;

static LOCK: Statement = Statement::fixed("price: lock", "SELECT pg_advisory_xact_lock($1)");
/// Marks the other price of the same model and start as replaced. `$1` id, `$2` project, `$3` provider, `$4` model, `$5`
/// start.
static REPLACE: Statement = Statement::fixed(
    "price: replace",
    "UPDATE model_prices SET replaced_at = clock_timestamp() WHERE replaced_at IS NULL AND id <> $1 \
     AND project_id IS NOT DISTINCT FROM $2 AND provider = $3 AND model = $4 AND valid_from = $5",
);
/// Withdraws a price. `$1` project, `$2` provider, `$3` model, `$4` start.
static WITHDRAW: Statement = Statement::fixed(
    "price: withdraw",
    "UPDATE model_prices SET replaced_at = clock_timestamp() WHERE replaced_at IS NULL \
     AND project_id IS NOT DISTINCT FROM $1 AND provider = $2 AND model = $3 AND valid_from = $4",
);
static STARTS: Statement = Statement::fixed(
    "price: starts",
    "SELECT valid_from FROM model_prices WHERE replaced_at IS NULL \
     AND project_id IS NOT DISTINCT FROM $1 AND provider = $2 AND model = $3 ORDER BY valid_from",
);
static COUNTS: Statement = Statement::fixed(
    "price: counts",
    "SELECT EXISTS (SELECT FROM model_prices WHERE id = $1 AND replaced_at IS NULL)",
);
static RAISE: Statement = Statement::fixed("price: raise", "UPDATE price_version SET version = version + 1");

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOCK, &REPLACE, &WITHDRAW, &STARTS, &COUNTS, &RAISE];

/// What became of prices that were set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PricesSet {
    /// Prices that count from now on and did not before.
    pub set: usize,
    /// Those of them that took the place of another price of the same model and start.
    pub replaced: usize,
    /// Prices that counted already.
    pub unchanged: usize,
}

/// Sets prices, all or none. A price takes the place of the one with the same project, provider, model and start; that
/// one is kept as replaced. Starts count in whole microseconds.
///
/// Waits for writers that are about to commit rows with the prices before, and makes all later ones use the new prices.
/// Rows that are stored already keep their cost.
///
/// # Errors
/// [`Error::Unavailable`] when the connection is lost, or writers don't commit within `database.lock_timeout_ms`;
/// [`Error::Postgres`] when PostgreSQL refuses a row; those of a COMMIT.
pub async fn set_prices(connection: &WriterConnection, prices: &[Price]) -> Result<PricesSet, Error> {
    transaction::run(connection, async {
        connection.query_one(LOCK.sql(), &[&PRICE_LOCK]).await?;
        let mut done = PricesSet::default();
        for price in prices {
            set(connection, &in_microseconds(price)?, &mut done).await?;
        }
        if done.set > 0 {
            connection.execute(RAISE.sql(), &[]).await?;
        }
        Ok(done)
    })
    .await
}

/// What became of a price that was to be withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawal {
    /// It no longer counts. What it was stays known, so that costs that it made can be explained.
    Done,
    /// No price of that start counts. Those of the same project, provider and model begin at these times.
    NotSet(Vec<UnixNanos>),
}

/// Withdraws the price that people set for this project (`None` for all), provider and model, from `valid_from` on. Then the
/// price before it counts again, or the catalogue's. Waits for writers as [`set_prices`] does.
///
/// # Errors
/// Those of [`set_prices`].
pub async fn withdraw_price(
    connection: &WriterConnection,
    project: Option<ProjectId>,
    provider: &str,
    model: &str,
    valid_from: UnixNanos,
) -> Result<Withdrawal, Error> {
    let project = project.map(|project| project.0);
    transaction::run(connection, async {
        connection.query_one(LOCK.sql(), &[&PRICE_LOCK]).await?;
        let start = moment(valid_from.micros());
        if connection.execute(WITHDRAW.sql(), &[&project, &provider, &model, &start]).await? > 0 {
            connection.execute(RAISE.sql(), &[]).await?;
            return Ok(Withdrawal::Done);
        }
        let starts = connection.query(STARTS.sql(), &[&project, &provider, &model]).await?;
        Ok(Withdrawal::NotSet(starts.iter().map(|row| row.get::<_, SystemTime>(0).into()).collect()))
    })
    .await
}

async fn set(connection: &WriterConnection, price: &Price, done: &mut PricesSet) -> Result<(), Error> {
    if connection.query_one(COUNTS.sql(), &[&price.id()]).await?.get(0) {
        done.unchanged += 1;
        return Ok(());
    }
    let start = moment(price.valid_from.micros());
    let project = price.project.map(|project| project.0);
    let (provider, model) = (&*price.provider, &*price.model);
    let replaced =
        connection.execute(REPLACE.sql(), &[&price.id(), &project, &provider, &model, &start]).await?;
    let row = PriceRow { price: price.clone(), created_at: SystemTime::now().into(), replaced_at: None };
    insert_new(connection, &[&row]).await?;
    done.set += 1;
    done.replaced += usize::from(replaced > 0);
    Ok(())
}

/// The same price with the start that its row can hold.
fn in_microseconds(price: &Price) -> Result<Price, Error> {
    let start = UnixNanos(price.valid_from.0 / 1_000 * 1_000);
    if start == price.valid_from {
        return Ok(price.clone());
    }
    let Price { project, provider, model, currency, rates, source, .. } = price;
    let same = Price::new(*project, provider, model, start, *currency, rates.to_vec(), source);
    Ok(same.map_err(|_| Inconsistent::Column("valid_from"))?)
}
