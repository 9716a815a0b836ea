//! All prices, and which of them is the price of a call.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::time::UnixNanos;

use super::cost::{Cost, Explanation, NoCost};
use super::price::Price;

/// Whose price it is. The first layer that knows the model decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A price that people set for the project.
    Project,
    /// A price that people set for all projects.
    Everyone,
    /// A price of the catalogue.
    Catalogue,
}

/// The rule by which a name of a model was found, in the order in which rules are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The price has this name.
    Exact,
}

/// Which of the two names of a model was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameOf {
    /// The model that the response names. It is looked for first.
    Response,
    /// The model that the request names.
    Request,
}

/// A price of a call, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    /// The price.
    pub price: &'a Price,
    /// Whose it is.
    pub layer: Layer,
    /// By which rule.
    pub rule: Rule,
    /// By which name.
    pub name_of: NameOf,
}

/// Which prices to list. Each `None` lets all through.
#[derive(Debug, Clone, Copy, Default)]
pub struct PriceFilter<'a> {
    /// Prices of this provider.
    pub provider: Option<&'a str>,
    /// Prices whose model holds this text, whatever the case.
    pub model: Option<&'a str>,
    /// Prices of this project, and those for all. `None`: of every project.
    pub project: Option<ProjectId>,
    /// Only the prices that are valid at this moment. `None`: past and future ones too.
    pub at: Option<UnixNanos>,
}

/// All prices: those that people set, over the catalogue. Cheap to ask, so it is made once and again when prices change.
#[derive(Debug)]
pub struct PriceBook {
    own: Vec<Price>,
}

impl PriceBook {
    /// The book with the prices that people set, in any order.
    pub fn new(own: Vec<Price>) -> Self {
        Self { own }
    }

    /// What the call costs by the price that was valid when it started. It does not ask whether the call is billable.
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
        self.explain(project, reading, start, duration).map(|explanation| explanation.cost)
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
        let _ = (project, reading, start, duration, &self.own);
        Err(NoCost::NoPrice)
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
        let _ = (project, provider, response_model, request_model, start);
        None
    }

    /// The price with this id.
    pub fn find(&self, id: i64) -> Option<&Price> {
        let _ = id;
        None
    }

    /// The prices that the filter lets through, by provider, model and time, those that people set first.
    pub fn list(&self, filter: &PriceFilter<'_>) -> Vec<(Layer, &Price)> {
        let _ = filter;
        Vec::new()
    }
}
