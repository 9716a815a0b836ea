//! Lists of LLM spans.

use llm_observatory_core::ids::TraceId;
use llm_observatory_core::text::Text;
use llm_observatory_storage::repositories::llm::{LlmCursor, LlmFilter, LlmOrder, LlmSelection, Range};

use super::span::LlmSpan;
use crate::error::{Error, Invalid, Record};
use crate::kind::Kind;
use crate::query::Query;
use crate::question::{Asked, Caller, List, Page, Paging, Period};
use crate::size::{Outgoing, next_fitting};
use crate::token::Fingerprint;

/// Which LLM spans of a period fit all filters?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLlmSpans {
    /// Who asks.
    pub caller: Caller,
    /// Period of the starts of the spans.
    pub period: Period,
    /// The filters. One that is `None` does not narrow the list.
    pub selection: LlmSelection,
    /// What the list is ordered by.
    pub order: LlmOrder,
    /// Whether the least value comes first.
    pub ascending: bool,
    /// The page of the list.
    pub paging: Paging,
}

impl ListLlmSpans {
    /// All LLM spans of the default period, newest first.
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            period: Period::default(),
            selection: LlmSelection::default(),
            order: LlmOrder::StartTime,
            ascending: false,
            paging: Paging::default(),
        }
    }
}

impl List for ListLlmSpans {
    type Cursor = LlmCursor;

    const KIND: Kind = Kind::ListLlmSpans;

    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: self.period, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { caller: _, period: _, paging: _, selection, order, ascending } = self;
        let LlmSelection {
            kind,
            provider,
            model,
            service,
            session_id,
            user_id,
            status,
            billable,
            usage_missing,
            tool_name,
            agent_name,
            prompt_name,
            tag,
            trace_id,
            input_tokens,
            output_tokens,
            total_tokens,
            cost,
            duration,
        } = selection;
        let texts = [provider, model, service, session_id, user_id, tool_name, agent_name, prompt_name, tag];
        let fingerprint = fingerprint
            .field(Some([order_byte(*order), u8::from(*ascending)]))
            .field(kind.map(|kind| kind.name()))
            .field(status.map(|status| status.0.to_le_bytes()))
            .field(billable.map(|truth| [u8::from(truth)]))
            .field(usage_missing.map(|truth| [u8::from(truth)]))
            .field(trace_id.as_ref().map(TraceId::as_bytes));
        let fingerprint = texts
            .into_iter()
            .fold(fingerprint, |fingerprint, text| fingerprint.field(text.as_ref().map(Text::as_bytes)));
        [input_tokens, output_tokens, total_tokens, cost, duration].into_iter().fold(
            fingerprint,
            |fingerprint, Range { least, most }| {
                fingerprint.field(least.map(i64::to_le_bytes)).field(most.map(i64::to_le_bytes))
            },
        )
    }
}

fn order_byte(order: LlmOrder) -> u8 {
    match order {
        LlmOrder::StartTime => 0,
        LlmOrder::Duration => 1,
        LlmOrder::Cost => 2,
        LlmOrder::Tokens => 3,
    }
}

impl Query {
    /// A page of LLM spans. It ends early at `query.page_bytes`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid question, [`Error::TooLarge`] for a span beyond `query.max_record_bytes`,
    /// [`Error::Unavailable`] when the database can't answer now, [`Error::TimedOut`] beyond the time limit, and
    /// [`Error::Internal`] for a bug or a row that contradicts itself.
    pub async fn list_llm_spans(&self, question: ListLlmSpans) -> Result<Page<Vec<LlmSpan>>, Error> {
        self.metrics.watch(Kind::ListLlmSpans, self.llm_spans(question)).await
    }

    async fn llm_spans(&self, question: ListLlmSpans) -> Result<Page<Vec<LlmSpan>>, Error> {
        check(&question.selection)?;
        let (opened, sources) = self.open(&question)?;
        let filter = LlmFilter {
            range: opened.range,
            selection: question.selection,
            order: question.order,
            ascending: question.ascending,
            after: opened.after,
            limit: opened.limit,
        };
        let mut page = sources.llm.list(filter).await?;
        let listed: Vec<_> = page.items.iter().map(|listed| &listed.row).collect();
        let sized = |span: LlmSpan| {
            let name = Record::Span(span.row.trace_id, span.row.span_id);
            Ok(Outgoing { bytes: span.bytes(), content: span, name })
        };
        let mut spans = LlmSpan::of(&sources, &listed).await?.into_iter().map(sized).peekable();
        let spans = next_fitting(&mut spans, self.config.page_bytes, self.config.max_record_bytes)?;
        let rows = spans.len();
        page.truncate(rows);
        Ok(opened.page(spans, rows, page.next))
    }
}

/// Each range must have room for a number.
fn check(selection: &LlmSelection) -> Result<(), Invalid> {
    let ranges = [
        ("input_tokens", selection.input_tokens),
        ("output_tokens", selection.output_tokens),
        ("total_tokens", selection.total_tokens),
        ("cost_nanos", selection.cost),
        ("duration", selection.duration),
    ];
    let empty = |range: Range| range.least.zip(range.most).is_some_and(|(least, most)| least > most);
    match ranges.into_iter().find(|(_, range)| empty(*range)) {
        Some((field, _)) => Err(Invalid::EmptyRange(field)),
        None => Ok(()),
    }
}
