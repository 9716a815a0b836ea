//! All prices, and which of them is the price of a call.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::time::UnixNanos;

use super::catalogue::CATALOGUE;
use super::cost::{Cost, Explanation, NoCost, explain, sum};
use super::found::{Layer, Match, NameOf, Rule};
use super::index::Index;
use super::names::without_prefixes;
use super::price::Price;
use super::providers::{canonical, lowercase};

static CATALOGUE_INDEX: LazyLock<Index> =
    LazyLock::new(|| Index::new(CATALOGUE.prices.iter().enumerate(), &CATALOGUE.aliases));

static CATALOGUE_IDS: LazyLock<HashMap<i64, usize>> = LazyLock::new(|| by_id(&CATALOGUE.prices));

fn by_id(prices: &[Price]) -> HashMap<i64, usize> {
    prices.iter().enumerate().map(|(place, price)| (price.id(), place)).collect()
}

/// Which prices to list. Each `None` lets all through.
#[derive(Debug, Clone, Copy, Default)]
pub struct PriceFilter<'a> {
    /// Prices of this provider, whoever spells it.
    pub provider: Option<&'a str>,
    /// Prices whose model holds this text, whatever the case.
    pub model: Option<&'a str>,
    /// Prices of this project, and those for all. `None`: of every project.
    pub project: Option<ProjectId>,
    /// Only the prices that hold at this moment. `None`: past and future ones too.
    pub at: Option<UnixNanos>,
}

/// All prices: those that people set, over the catalogue. It is made once, and again when people change prices; to ask it
/// costs a fraction of a microsecond.
///
/// The price of a call is looked for in this order, and the first that is found is taken:
///
/// 1. prices that people set for the project, then those that they set for all, then the catalogue;
/// 2. in each of them by the model that the response names, then by the one that the request names;
/// 3. for each name by the rules of [`Rule`], in their order: the name itself, its aliases, without prefixes, without
///    suffixes, patterns. Case does not matter;
/// 4. of the provider that the call tells, then of another door of the same vendor (Gemini API and Vertex AI; the two of
///    Azure). A prefix of the model names a provider where the call tells none, or where its client is used for others too
///    (`openai` and `anthropic`). Without any provider the name must be unambiguous: one provider has it, or one maker of
///    models does;
/// 5. of these prices the last that begins at the start of the call or before.
#[derive(Debug)]
pub struct PriceBook {
    own: Vec<Price>,
    layers: HashMap<Option<ProjectId>, Index>,
    ids: HashMap<i64, usize>,
}

impl PriceBook {
    /// The book with the prices that people set, in any order.
    pub fn new(mut own: Vec<Price>) -> Self {
        own.sort_by(|a, b| {
            let key = |price: &Price| (price.project, price.valid_from, price.id());
            (&a.provider, &a.model, key(a)).cmp(&(&b.provider, &b.model, key(b)))
        });
        let mut places: HashMap<Option<ProjectId>, Vec<usize>> = HashMap::new();
        for (place, price) in own.iter().enumerate() {
            places.entry(price.project).or_default().push(place);
        }
        let index =
            |places: Vec<usize>| Index::new(places.into_iter().map(|place| (place, &own[place])), &[]);
        let layers = places.into_iter().map(|(project, places)| (project, index(places))).collect();
        let ids = by_id(&own);
        Self { own, layers, ids }
    }

    /// What the call costs by the price that held when it started. It does not ask whether the call is billable.
    /// `duration`, in nanoseconds, matters for prices that count seconds.
    ///
    /// # Errors
    /// [`NoCost`] says what is missing. Nothing is guessed.
    pub fn cost(
        &self,
        project: ProjectId,
        reading: &LlmReading,
        start: UnixNanos,
        duration: Option<i64>,
    ) -> Result<Cost, NoCost> {
        sum(self.price_of_reading(project, reading, start)?.price, reading, duration, |_| {})
            .map(|(_, cost)| cost)
    }

    /// How the cost comes about.
    ///
    /// # Errors
    /// As [`cost`](Self::cost).
    pub fn explain(
        &self,
        project: ProjectId,
        reading: &LlmReading,
        start: UnixNanos,
        duration: Option<i64>,
    ) -> Result<Explanation<'_>, NoCost> {
        explain(self.price_of_reading(project, reading, start)?, reading, duration)
    }

    fn price_of_reading(
        &self,
        project: ProjectId,
        reading: &LlmReading,
        start: UnixNanos,
    ) -> Result<Match<'_>, NoCost> {
        let (response, request) = (reading.response_model.as_deref(), reading.request_model.as_deref());
        if response.is_none() && request.is_none() {
            return Err(NoCost::NoModel);
        }
        let provider = reading.provider.as_deref();
        self.price_of(project, provider, response, request, start).ok_or(NoCost::NoPrice)
    }

    /// The price of a call that starts at `start`: `provider` as the reading has it, and the models that the response and
    /// the request name.
    pub fn price_of(
        &self,
        project: ProjectId,
        provider: Option<&str>,
        response_model: Option<&str>,
        request_model: Option<&str>,
        start: UnixNanos,
    ) -> Option<Match<'_>> {
        let own = |project| self.layers.get(&project).map(|index| (index, &*self.own));
        let layers = [
            (Layer::Project, own(Some(project))),
            (Layer::Everyone, own(None)),
            (Layer::Catalogue, Some((&*CATALOGUE_INDEX, &*CATALOGUE.prices))),
        ];
        let provider = provider.filter(|name| !name.is_empty()).map(canonical);
        let request_model = request_model.filter(|request| response_model != Some(request));
        let names = [(NameOf::Response, response_model), (NameOf::Request, request_model)]
            .map(|(name_of, name)| (name_of, name.filter(|name| !name.is_empty()).map(lowercase)));
        let is_provider =
            |name: &str| layers.iter().any(|(_, layer)| layer.is_some_and(|(index, _)| index.knows(name)));
        for (layer, of_layer) in &layers {
            let Some((index, prices)) = of_layer else { continue };
            for (name_of, name) in &names {
                let Some(name) = name else { continue };
                if let Some((place, rule)) = find(index, provider.as_deref(), name, start, &is_provider) {
                    return Some(Match { price: &prices[place], layer: *layer, rule, name_of: *name_of });
                }
            }
        }
        None
    }

    /// The price with this id; `None` if it is neither in the catalogue of this version nor among those that people set.
    pub fn find(&self, id: i64) -> Option<&Price> {
        let own = self.ids.get(&id).map(|place| &self.own[*place]);
        own.or_else(|| CATALOGUE_IDS.get(&id).map(|place| &CATALOGUE.prices[*place]))
    }

    /// The prices that the filter lets through: those that people set first, then by provider, model and moment.
    pub fn list(&self, filter: &PriceFilter<'_>) -> Vec<(Layer, &Price)> {
        let provider = filter.provider.map(canonical);
        let model = filter.model.map(lowercase);
        let fits = |price: &Price| {
            let (project, at) = (filter.project, filter.at);
            provider.as_ref().is_none_or(|name| canonical(&price.provider) == *name)
                && model.as_ref().is_none_or(|text| lowercase(&price.model).contains(&**text))
                && (project.is_none() || price.project.is_none() || price.project == project)
                && at.is_none_or(|at| price.valid_from <= at)
        };
        let layer = |price: &Price| if price.project.is_some() { Layer::Project } else { Layer::Everyone };
        let own = self.own.iter().map(|price| (layer(price), price));
        let all = own.chain(CATALOGUE.prices.iter().map(|price| (Layer::Catalogue, price)));
        let mut listed: Vec<(Layer, &Price)> = all.filter(|(_, price)| fits(price)).collect();
        listed.sort_by_key(|(layer, price)| (*layer, key(price), price.valid_from, price.id()));
        if filter.at.is_some() {
            // Of prices for the same, the last one holds.
            listed.reverse();
            listed.dedup_by_key(|(layer, price)| (*layer, key(price)));
            listed.reverse();
        }
        listed
    }
}

/// What a price is for.
fn key(price: &Price) -> (Option<ProjectId>, Cow<'_, str>, Cow<'_, str>) {
    (price.project, canonical(&price.provider), lowercase(&price.model))
}

/// The place of the price of a name.
fn find(
    index: &Index,
    provider: Option<&str>,
    name: &str,
    start: UnixNanos,
    is_provider: &dyn Fn(&str) -> bool,
) -> Option<(usize, Rule)> {
    // Most names stand in the index as they are.
    index.exact(provider, name, start).or_else(|| {
        let forms = without_prefixes(name, is_provider);
        index.loose(provider, &forms, start)
    })
}
