//! The models that were called.

use std::time::SystemTime;

use llm_observatory_core::text::Text;
use llm_observatory_storage::repositories::llm::{ModelCursor, ModelFilter, ModelOrder, ModelUsage};

use crate::error::Error;
use crate::kind::Kind;
use crate::query::Query;
use crate::question::{Asked, Caller, List, Page, Paging, Period};
use crate::token::Fingerprint;

/// Which models were called in a period, how often, with how many tokens, for how much?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListModels {
    /// Who asks.
    pub caller: Caller,
    /// Period of the starts of the calls.
    pub period: Period,
    /// Provider of the models.
    pub provider: Option<Text>,
    /// Service of the calls.
    pub service: Option<Text>,
    /// Whether only models are listed that have a billable call that told its usage and has no cost.
    pub unpriced_only: bool,
    /// What the list is ordered by.
    pub order: ModelOrder,
    /// The page of the list.
    pub paging: Paging,
}

/// A model that was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its calls, with their sums.
    pub usage: ModelUsage,
    /// Whether the prices of today have one for it, for calls of now.
    pub is_priced: bool,
}

impl ListModels {
    /// All models of the default period, the dearest first.
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            period: Period::default(),
            provider: None,
            service: None,
            unpriced_only: false,
            order: ModelOrder::Cost,
            paging: Paging::default(),
        }
    }
}

impl List for ListModels {
    type Cursor = ModelCursor;

    const KIND: Kind = Kind::ListModels;

    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: self.period, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { caller: _, period: _, paging: _, provider, service, unpriced_only, order } = self;
        let order = match order {
            ModelOrder::Cost => 0,
            ModelOrder::Calls => 1,
            ModelOrder::Tokens => 2,
            ModelOrder::Name => 3,
        };
        fingerprint
            .field(Some([order, u8::from(*unpriced_only)]))
            .field(provider.as_ref().map(Text::as_bytes))
            .field(service.as_ref().map(Text::as_bytes))
    }
}

impl Query {
    /// A page of models.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid question, [`Error::Unavailable`] when the database can't answer now,
    /// [`Error::TimedOut`] beyond the time limit, and [`Error::Internal`] for a bug or a row that contradicts itself.
    pub async fn list_models(&self, question: ListModels) -> Result<Page<Vec<Model>>, Error> {
        self.metrics.watch(Kind::ListModels, self.models(question)).await
    }

    async fn models(&self, question: ListModels) -> Result<Page<Vec<Model>>, Error> {
        let (opened, sources) = self.open(&question)?;
        let project = question.caller.project;
        let filter = ModelFilter {
            range: opened.range,
            provider: question.provider,
            service: question.service,
            unpriced_only: question.unpriced_only,
            order: question.order,
            after: opened.after.clone(),
            limit: opened.limit,
        };
        let page = sources.llm.models(filter).await?;
        let book = sources.llm.price_book().await?;
        let now = SystemTime::now().into();
        let named = |text: &Text| (!text.is_empty()).then(|| text.to_string());
        let models = page.items.into_iter().map(|usage| {
            let (provider, model) = (named(&usage.provider), named(&usage.model));
            let found = book.price_of(project, provider.as_deref(), None, model.as_deref(), now);
            Model { is_priced: found.is_some(), usage }
        });
        let models: Vec<_> = models.collect();
        let rows = models.len();
        Ok(opened.page(models, rows, page.next))
    }
}
