//! The prices by which writers compute costs.

use std::sync::{Arc, Mutex, PoisonError};

use llm_observatory_genai::prices::PriceBook;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::models::PriceRow;
use crate::models::fields::Fields;
use crate::models::row::{ReadRow as _, Row as _};
use crate::statement::Statement;

/// The advisory lock of prices. Who writes rows with costs holds it in share mode until COMMIT; who changes prices holds it
/// alone, and raises `price_version`.
pub const PRICE_LOCK: i64 = 0x6f62_7072_6963; // "obpric"

static LOCK: Statement = Statement::fixed("prices: lock", "SELECT pg_advisory_xact_lock_shared($1)");
static VERSION: Statement = Statement::fixed("prices: version", "SELECT version FROM price_version");
static CURRENT: Statement = Statement::composed("prices: current", || {
    format!("SELECT {} FROM model_prices WHERE replaced_at IS NULL", PriceRow::TABLE.select())
});

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&LOCK, &VERSION, &CURRENT];

/// A version of the prices, and its book.
type Edition = (i64, Arc<PriceBook>);

/// Remembers the price book of the latest version that was seen. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    known: Arc<Mutex<Option<Edition>>>,
}

impl Prices {
    /// The prices for rows that the open transaction writes. They do not change before it ends.
    ///
    /// # Errors
    /// [`Error::Postgres`] when someone changes prices for longer than `database.lock_timeout_ms`,
    /// [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn for_transaction(&self, client: &Client) -> Result<Arc<PriceBook>, Error> {
        let version = lock(client).await?;
        self.of_version(client, version).await
    }

    /// The prices of this moment.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection is lost.
    pub async fn now(&self, client: &Client) -> Result<Arc<PriceBook>, Error> {
        let version = client.query_typed(VERSION.sql(), &[]).await?;
        self.of_version(client, version.first().map_or(0, |row| row.get(0))).await
    }

    /// The prices of the version that now holds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn of_version(&self, client: &Client, version: i64) -> Result<Arc<PriceBook>, Error> {
        if let Some((known, book)) = &*self.known()
            && *known == version
        {
            return Ok(book.clone());
        }
        let rows = client.query_typed(CURRENT.sql(), &[]).await?;
        let prices = rows.iter().map(|row| Ok(PriceRow::read(&mut Fields::of(row))?.price));
        let book = Arc::new(PriceBook::new(prices.collect::<Result<_, Error>>()?));
        *self.known() = Some((version, book.clone()));
        Ok(book)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Edition>> {
        // The value is replaced as a whole, so a panic elsewhere leaves none half-changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the prices from changing before the open transaction ends. Returns their version.
///
/// # Errors
/// Those of [`Prices::for_transaction`].
pub(crate) async fn lock(client: &Client) -> Result<i64, Error> {
    // Both are sent at once. The second sees what was committed before the first got the lock.
    let lock = client.query_typed(LOCK.sql(), &[(&PRICE_LOCK, Type::INT8)]);
    let (_, version) = futures_util::try_join!(lock, client.query_typed(VERSION.sql(), &[]))?;
    Ok(version.first().map_or(0, |row| row.get(0)))
}
