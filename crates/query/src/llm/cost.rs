//! Why an LLM span costs what it costs.

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{
    Cost, Explanation, Layer, Line, NameOf, NoCost, Price, PriceBook, Rule, ServiceTier,
};
use llm_observatory_storage::models::LlmRow;

use super::found::found;
use super::span::LlmSpan;
use crate::error::Error;
use crate::kind::Kind;
use crate::query::Query;
use crate::question::Caller;
use crate::sources::Sources;

/// Why does an LLM span cost what it costs?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainCost {
    /// Who asks.
    pub caller: Caller,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span; the earliest is meant, if the trace has several with this id.
    pub span_id: SpanId,
}

/// Why an LLM span costs what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct CostExplained {
    /// The span, with its stored cost.
    pub span: LlmSpan,
    /// How the stored cost comes about; `None` if none is stored, or if the price that it names no longer gives it.
    pub stored: Option<Calculation>,
    /// What the prices of today give.
    pub current: Result<Calculation, Why>,
}

/// Why a span has no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The span is no call, or repeats another one.
    NotBillable,
    /// Something is missing.
    Missing(NoCost),
}

/// One computation of a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calculation {
    /// The price.
    pub price: Price,
    /// Whose it is.
    pub layer: Layer,
    /// By which rule it was found.
    pub rule: Rule,
    /// By which name it was found.
    pub name_of: NameOf,
    /// The tier of service that was paid.
    pub service: ServiceTier,
    /// Input tokens of the call, cached ones included.
    pub prompt: i64,
    /// What was counted, each with its rate.
    pub lines: Vec<Line>,
    /// The sum of the products, in millionths of a billionth of the currency.
    pub exact: i128,
    /// The sum, rounded.
    pub cost: Cost,
    /// When people set the price; `None` for one of the catalogue.
    pub set_at: Option<UnixNanos>,
}

impl CostExplained {
    /// Whether the stored cost is what the prices of today give, or both give none.
    pub fn is_current(&self) -> bool {
        let row = &self.span.row;
        let stored = row.cost.filter(|_| row.billable);
        stored == self.current.as_ref().ok().map(|current| current.cost)
    }
}

impl From<Explanation<'_>> for Calculation {
    fn from(explanation: Explanation<'_>) -> Self {
        let Explanation { found, service, prompt, lines, exact, cost } = explanation;
        Self {
            price: found.price.clone(),
            layer: found.layer,
            rule: found.rule,
            name_of: found.name_of,
            service,
            prompt,
            lines,
            exact,
            cost,
            set_at: None,
        }
    }
}

impl Query {
    /// Why an LLM span costs what it costs.
    ///
    /// # Errors
    /// [`Error::NoSpan`] when the span is not stored, [`Error::NoLlmSpan`] when it is no LLM span, [`Error::Unavailable`]
    /// when the database can't answer now, [`Error::TimedOut`] beyond the time limit, and [`Error::Internal`] for a bug or
    /// a row that contradicts itself.
    pub async fn explain_cost(&self, question: ExplainCost) -> Result<CostExplained, Error> {
        let mut call = self.metrics.begin(Kind::ExplainCost);
        let answer = self.explained(&question).await;
        call.end(answer.as_ref().map(|_| 1));
        answer
    }

    async fn explained(&self, question: &ExplainCost) -> Result<CostExplained, Error> {
        let ExplainCost { caller, trace_id, span_id } = question;
        let sources = self.sources.of(caller, Some(caller.patience_within(&self.config)));
        let span = found(&sources, *trace_id, *span_id).await?.into_span();
        let row = &span.row;
        if !row.billable {
            return Ok(CostExplained { span, stored: None, current: Err(Why::NotBillable) });
        }
        let book = sources.llm.price_book().await?;
        let mut current = calculate(&book, caller.project, row).map_err(Why::Missing);
        if let Ok(current) = &mut current {
            let own = sources.llm.price(current.cost.price_id).await?;
            current.set_at = own.map(|own| own.created_at);
        }
        let stored = match (row.cost, &current) {
            (Some(stored), Ok(current)) if current.cost == stored => Some(current.clone()),
            (Some(stored), _) => former(&sources, caller.project, row, stored).await?,
            (None, _) => None,
        };
        Ok(CostExplained { span, stored, current })
    }
}

fn calculate(book: &PriceBook, project: ProjectId, row: &LlmRow) -> Result<Calculation, NoCost> {
    book.explain(project, &row.reading, row.start_time, row.duration_nanos).map(Calculation::from)
}

/// The calculation of a cost by a price that is no longer the first to be found: one that was replaced, or one of the
/// catalogue before people set another.
async fn former(
    sources: &Sources,
    project: ProjectId,
    row: &LlmRow,
    stored: Cost,
) -> Result<Option<Calculation>, Error> {
    let own = sources.llm.price(stored.price_id).await?;
    let set_at = own.as_ref().map(|own| own.created_at);
    let book = PriceBook::new(own.into_iter().map(|own| own.price).collect());
    let former = calculate(&book, project, row).ok().filter(|former| former.cost == stored);
    Ok(former.map(|former| Calculation { set_at, ..former }))
}
