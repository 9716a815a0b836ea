//! Lists of prices.

use std::cmp::Reverse;
use std::time::SystemTime;

use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{Layer, Price, PriceBook, PriceFilter};

use crate::error::Error;
use crate::kind::Kind;
use crate::query::Query;
use crate::question::{Asked, Caller, List, Page, Paging, Period};
use crate::token::{Fingerprint, Position};

/// What do models cost? By provider, model and start, newest start first. A filter that is `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPrices {
    /// Who asks.
    pub caller: Caller,
    /// Provider of the models.
    pub provider: Option<Text>,
    /// A part of the name of the models, in upper or lower case.
    pub model_contains: Option<Text>,
    /// Whose prices.
    pub layer: Option<Layer>,
    /// The model of a call: only the price that it would have.
    pub called_model: Option<Text>,
    /// Only prices that are valid for calls of this time; with `called_model` the default is now.
    pub at: Option<UnixNanos>,
    /// The page of the list.
    pub paging: Paging,
}

/// A price, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedPrice {
    /// Whose it is.
    pub layer: Layer,
    /// The price.
    pub price: Price,
}

/// The place of a price in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PriceCursor {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) valid_from: Reverse<UnixNanos>,
    pub(crate) layer: u8,
    pub(crate) id: i64,
}

impl PriceCursor {
    fn of(layer: Layer, price: &Price) -> Self {
        Self {
            provider: price.provider.to_string(),
            model: price.model.to_string(),
            valid_from: Reverse(price.valid_from),
            layer: layer_byte(layer),
            id: price.id(),
        }
    }
}

impl Position for PriceCursor {
    fn put(&self, to: &mut Vec<u8>) {
        let Self { provider, model, valid_from: Reverse(start), layer, id } = self;
        ((provider.clone(), model.clone()), (*start, (i64::from(*layer), *id))).put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let ((provider, model), (start, (layer, id))): ((String, String), (UnixNanos, (i64, i64))) =
            Position::get(from)?;
        Some(Self { provider, model, valid_from: Reverse(start), layer: u8::try_from(layer).ok()?, id })
    }
}

impl ListPrices {
    /// All prices.
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            provider: None,
            model_contains: None,
            layer: None,
            called_model: None,
            at: None,
            paging: Paging::default(),
        }
    }
}

impl List for ListPrices {
    type Cursor = PriceCursor;

    const KIND: Kind = Kind::ListPrices;

    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: Period::ALL, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { caller: _, paging: _, provider, model_contains, layer, called_model, at } = self;
        fingerprint
            .field(provider.as_ref().map(Text::as_bytes))
            .field(model_contains.as_ref().map(Text::as_bytes))
            .field(layer.map(|layer| [layer_byte(layer)]))
            .field(called_model.as_ref().map(Text::as_bytes))
            .field(at.map(|at| at.0.to_le_bytes()))
    }
}

fn layer_byte(layer: Layer) -> u8 {
    match layer {
        Layer::Project => 0,
        Layer::Everyone => 1,
        Layer::Catalogue => 2,
    }
}

impl Query {
    /// A page of prices.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid question, [`Error::Unavailable`] when the database can't answer now,
    /// [`Error::TimedOut`] beyond the time limit, and [`Error::Internal`] for a bug or a row that contradicts itself.
    pub async fn list_prices(&self, question: ListPrices) -> Result<Page<Vec<OwnedPrice>>, Error> {
        self.metrics.watch(Kind::ListPrices, self.prices(question)).await
    }

    async fn prices(&self, question: ListPrices) -> Result<Page<Vec<OwnedPrice>>, Error> {
        let (opened, sources) = self.open(&question)?;
        let book = sources.llm.price_book().await?;
        let (prices, next) = page_of(&book, &question, opened.after.as_ref(), opened.limit);
        let rows = prices.len();
        Ok(opened.page(prices, rows, next))
    }
}

/// The prices behind a place, at most `limit`, and the place of the next page.
fn page_of(
    book: &PriceBook,
    question: &ListPrices,
    after: Option<&PriceCursor>,
    limit: usize,
) -> (Vec<OwnedPrice>, Option<PriceCursor>) {
    let mut found: Vec<_> = matching(book, question)
        .into_iter()
        .map(|(layer, price)| (PriceCursor::of(layer, price), layer, price))
        .filter(|(place, ..)| after.is_none_or(|after| place > after))
        .collect();
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let next = (found.len() > limit).then(|| found[limit - 1].0.clone());
    let prices = found
        .into_iter()
        .take(limit)
        .map(|(_, layer, price)| OwnedPrice { layer, price: price.clone() })
        .collect();
    (prices, next)
}

fn matching<'b>(book: &'b PriceBook, question: &ListPrices) -> Vec<(Layer, &'b Price)> {
    let project = question.caller.project;
    let is_of_layer = |layer: Layer| question.layer.is_none_or(|asked| asked == layer);
    if let Some(called) = &question.called_model {
        let at = question.at.unwrap_or_else(|| SystemTime::now().into());
        let found = book.price_of(project, question.provider.as_deref(), None, Some(called), at);
        let contains = question.model_contains.as_ref().map(|text| text.to_lowercase());
        return found
            .map(|found| (found.layer, found.price))
            .filter(|(layer, price)| {
                let named =
                    contains.as_ref().is_none_or(|part| price.model.to_lowercase().contains(part.as_str()));
                is_of_layer(*layer) && named
            })
            .into_iter()
            .collect();
    }
    let filter = PriceFilter {
        provider: question.provider.as_deref(),
        model: question.model_contains.as_deref(),
        project: Some(project),
        at: question.at,
    };
    book.list(&filter).into_iter().filter(|(layer, _)| is_of_layer(*layer)).collect()
}
