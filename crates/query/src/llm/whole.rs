//! One LLM span, with what was said in it.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::llm::LlmContent;
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::attributes::to_key_value;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::models::{LlmRow, Observed, ObservedLog};
use llm_observatory_storage::repositories::log::LogFilter;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message as _;

use super::content::{content_bytes, cut};
use super::found::{Found, found};
use super::span::LlmSpan;
use crate::encode::ValueLimit;
use crate::error::{Error, Record};
use crate::kind::Kind;
use crate::query::Query;
use crate::question::Caller;
use crate::sources::Sources;

/// Most log records of a span that are read for its content.
const MAX_LOG_RECORDS: usize = 1_000;

/// What does an LLM span say?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetLlmSpan {
    /// Who asks.
    pub caller: Caller,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span; the earliest is meant, if the trace has several with this id.
    pub span_id: SpanId,
    /// Limit of texts and values; longer ones are cut.
    pub max_value: ValueLimit,
}

/// An LLM span, with what was said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeLlmSpan {
    /// Who made it, what was read from it, and what it cost.
    pub span: LlmSpan,
    /// Name of the instrumentation scope; empty for a call whose log record is gone.
    pub scope_name: Text,
    /// Version of the instrumentation scope.
    pub scope_version: Text,
    /// What was asked and answered.
    pub content: LlmContent,
    /// The other attributes of the span, in their order: see [`llm_observatory_genai::remaining`].
    pub attributes: Vec<KeyValue>,
    /// Number of events of the span.
    pub events: usize,
    /// Number of log records that were read for the content.
    pub log_records: usize,
    /// Whether the span has more log records than are looked at.
    pub log_records_left: bool,
}

impl Query {
    /// One LLM span, with what was said in it.
    ///
    /// # Errors
    /// [`Error::NoSpan`] when the span is not stored, [`Error::NoLlmSpan`] when it is no LLM span, [`Error::TooLarge`] when
    /// it is beyond `query.max_record_bytes`, [`Error::Unavailable`] when the database can't answer now,
    /// [`Error::TimedOut`] beyond the time limit, and [`Error::Internal`] for a bug or a row that contradicts itself.
    pub async fn get_llm_span(&self, question: GetLlmSpan) -> Result<WholeLlmSpan, Error> {
        let mut call = self.metrics.begin(Kind::GetLlmSpan);
        let answer = self.whole(&question).await;
        call.end(answer.as_ref().map(|_| 1));
        answer
    }

    async fn whole(&self, question: &GetLlmSpan) -> Result<WholeLlmSpan, Error> {
        let GetLlmSpan { caller, trace_id, span_id, max_value } = question;
        let sources = self.sources.of(caller, Some(caller.patience_within(&self.config)));
        let mut whole = match found(&sources, *trace_id, *span_id).await? {
            Found::Span(span, row) => of_span(&sources, &span, row, *max_value).await?,
            Found::Log(row) => of_log(&sources, row, *max_value).await?,
        };
        let attributes: usize = whole.attributes.iter().map(|attribute| attribute.encoded_len()).sum();
        let bytes = whole.span.bytes() + content_bytes(&mut whole.content) + attributes;
        let limit = self.config.max_record_bytes;
        if bytes > limit {
            return Err(Error::TooLarge { record: Record::Span(*trace_id, *span_id), bytes, limit });
        }
        Ok(whole)
    }
}

/// A span, with its log records.
async fn of_span(
    sources: &Sources,
    span: &Span,
    row: LlmRow,
    limit: ValueLimit,
) -> Result<WholeLlmSpan, Error> {
    let logs = LogFilter {
        trace_id: Some(row.trace_id),
        span_id: Some(row.span_id),
        limit: MAX_LOG_RECORDS,
        ..LogFilter::default()
    };
    let logs = sources.logs.list(logs).await?;
    let scope = sources.scope(span.row.scope_id).await?;
    let observed = Observed::new(span, scope.as_ref(), logs.items.into_iter().rev())?;
    Ok(said(span, row, &observed, logs.next.is_some(), limit))
}

/// The call with what its log record says: nothing, if the record is gone.
async fn of_log(sources: &Sources, row: LlmRow, limit: ValueLimit) -> Result<WholeLlmSpan, Error> {
    let log = match row.log_id {
        Some(id) => sources.logs.get(row.log_time(), id).await?,
        None => None,
    };
    let mut whole = WholeLlmSpan {
        span: LlmSpan { row, status_message: Text::EMPTY },
        scope_name: Text::EMPTY,
        scope_version: Text::EMPTY,
        content: LlmContent::default(),
        attributes: Vec::new(),
        events: 0,
        log_records: 0,
        log_records_left: false,
    };
    let Some(log) = log else { return Ok(whole) };
    let scope = sources.scope(log.scope_id).await?;
    let observed = ObservedLog::new(&log, scope.as_ref())?;
    let content = observed.observe(llm_observatory_genai::content);
    (whole.content, whole.attributes) = within(limit, content, observed.attributes());
    whole.scope_name = observed.scope_name().clone();
    whole.scope_version = observed.scope_version().clone();
    whole.log_records = 1;
    Ok(whole)
}

/// What was said, and the attributes beside it, with no longer texts than the limit.
fn within(
    limit: ValueLimit,
    mut content: LlmContent,
    attributes: &[Attribute<'static>],
) -> (LlmContent, Vec<KeyValue>) {
    cut(&mut content, limit);
    let mut others: Vec<_> = llm_observatory_genai::remaining(attributes).iter().map(to_key_value).collect();
    limit.cut_attributes(&mut others);
    (content, others)
}

fn said(
    span: &Span,
    row: LlmRow,
    observed: &Observed<'_>,
    log_records_left: bool,
    limit: ValueLimit,
) -> WholeLlmSpan {
    let content = observed.observe(llm_observatory_genai::content);
    let (content, attributes) = within(limit, content, observed.attributes());
    WholeLlmSpan {
        span: LlmSpan { row, status_message: span.row.status_message.clone() },
        scope_name: observed.scope_name().clone(),
        scope_version: observed.scope_version().clone(),
        content,
        attributes,
        events: span.events.len(),
        log_records: observed.log_events(),
        log_records_left,
    }
}
