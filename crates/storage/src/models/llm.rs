//! Rows of `trace_llm_spans`.

pub(crate) mod call;
mod details;
pub(crate) mod priced;

use std::sync::Arc;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, Nanodollars, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_genai::nesting::Role;
use llm_observatory_genai::prices::{Cost, Currency, PriceBook};
use llm_observatory_genai::speaker::Speaker;
use uuid::Uuid;

use super::attributes::{Attributes, Inconsistent};
use super::column::{
    Bool, ByteaOrNull, Id, Int2, Int4, Int8, JsonText, Nullable, SpanIdBytes, Timestamp, Utf8, Varchar,
    VarcharArray,
};
use super::row::row;
use super::time::joined;
use super::trace::{SpanKey, SpanRow};

/// A row of `trace_llm_spans`: the reading of one LLM span, or of a call that a log record tells, with what was derived from it.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmRow {
    /// Project of the span.
    pub project_id: ProjectId,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span.
    pub span_id: SpanId,
    /// The calling span, or the one in which the log record was written; `None` for a root span.
    pub parent_span_id: Option<SpanId>,
    /// Id of the log record that tells the call; `None` for a span.
    pub log_id: Option<Uuid>,
    /// Start of the span; may be unknown.
    pub start_time: UnixNanos,
    /// Nanoseconds from start to end; `None` while the span runs, and where a log record does not tell.
    pub duration_nanos: Option<i64>,
    /// Status of the span; `None` if the client sent none.
    pub status: Option<StatusCode>,
    /// `service.name` of the resource.
    pub service_name: Text,
    /// Name of the span.
    pub name: Text,
    /// What was read of the span.
    pub reading: Arc<LlmReading>,
    /// What it takes over from the spans above it: only what `reading` does not tell.
    pub taken_over: Speaker,
    /// The version of the rules by which it was read.
    pub reading_version: i16,
    /// Number of log records that were read with the span.
    pub log_events: i16,
    /// Whether the call counts: of several spans of one call exactly one does.
    pub billable: bool,
    /// Whether it is a billable call that succeeded and told no tokens.
    pub usage_missing: bool,
    /// What the call costs, whether it is billable or not; `None` if no price is known.
    pub cost: Option<Cost>,
}

impl LlmRow {
    /// The row of a reading of `span`, without cost. A call counts as billable until its trace is known.
    pub fn new(span: &SpanRow, reading: Arc<LlmReading>, reading_version: i16) -> Self {
        let end = span.end_time.is_known().then_some(span.end_time);
        let mut row = Self {
            project_id: span.project_id,
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            log_id: None,
            start_time: span.start_time,
            duration_nanos: end.map(|end| end.since(span.start_time)),
            status: span.status,
            service_name: span.service_name.clone(),
            name: span.name.clone(),
            reading,
            taken_over: Speaker::default(),
            reading_version,
            log_events: 0,
            billable: false,
            usage_missing: false,
            cost: None,
        };
        row.bill(row.reading.is_call);
        row
    }

    /// Decides whether the call is billable, and with it whether its usage is missing.
    pub fn bill(&mut self, billable: bool) {
        self.billable = billable;
        self.usage_missing = is_missing(billable, self.should_tell(), self.reading.usage.is_told());
    }

    /// Sets the cost by these prices.
    pub fn price(&mut self, book: &PriceBook) {
        self.cost = charge(self.project_id, &self.reading, self.start_time, self.duration_nanos, book);
    }

    /// The session: what the span tells, or else a span above it.
    pub fn session_id(&self) -> Option<&Text> {
        self.reading.session_id.as_ref().or(self.taken_over.session_id.as_ref())
    }

    /// The end user: what the span tells, or else a span above it.
    pub fn user_id(&self) -> Option<&Text> {
        self.reading.user_id.as_ref().or(self.taken_over.user_id.as_ref())
    }

    /// Whether the call ended and succeeded, so that it should tell its usage.
    pub(crate) fn should_tell(&self) -> bool {
        let failed = self.status == Some(StatusCode::ERROR) || self.reading.error_type.is_some();
        self.duration_nanos.is_some() && !failed
    }

    /// The unique key. Writers store rows in its order.
    pub fn key(&self) -> SpanKey {
        (self.trace_id, self.start_time.micros(), self.span_id, self.project_id)
    }
}

/// What a call costs. Steps that are no calls cost nothing, since they repeat what calls cost.
fn charge(
    project: ProjectId,
    reading: &LlmReading,
    start: UnixNanos,
    duration_nanos: Option<i64>,
    book: &PriceBook,
) -> Option<Cost> {
    let cost = || book.cost(project, reading, start, duration_nanos).ok();
    reading.is_call.then(cost).flatten()
}

/// Whether the usage of a call is missing: it counts, it ended and succeeded, and it did not tell its tokens.
pub(crate) fn is_missing(billable: bool, should_tell: bool, is_told: bool) -> bool {
    billable && should_tell && !is_told
}

/// What a span with this reading, or with none, does as far as billing looks at it.
pub(crate) fn role(reading: Option<&LlmReading>) -> Role {
    match reading {
        Some(reading) if reading.is_call => Role::Call { tells_usage: reading.usage.is_told() },
        Some(reading) if reading.kind == LlmKind::Tool => Role::Tool,
        _ => Role::Other,
    }
}

/// Whether the conversation is the session, so that one column tells both: many instrumentations tell no other session.
fn is_session(reading: &LlmReading) -> bool {
    reading.conversation_id.is_some() && reading.conversation_id == reading.session_id
}

/// The items, or NULL for none.
fn some(items: &[Text]) -> Option<&[Text]> {
    (!items.is_empty()).then_some(items)
}

/// The item with this name.
fn named<T>(name: &[u8], of: fn(&str) -> Option<T>, column: &'static str) -> Result<T, Inconsistent> {
    std::str::from_utf8(name).ok().and_then(of).ok_or(Inconsistent::Column(column))
}

/// The currency of the cost, unless it is the usual one: the column `cost_currency`.
pub(crate) fn foreign(cost: Option<&Cost>) -> Option<&str> {
    cost.map(|cost| &cost.currency).filter(|currency| **currency != Currency::USD).map(Currency::as_str)
}

/// The cost from its three columns.
fn cost(
    amount: Option<i64>,
    price_id: Option<i64>,
    currency: Option<&[u8]>,
) -> Result<Option<Cost>, Inconsistent> {
    let currency = match currency {
        Some(code) => named(code, Currency::of, "cost_currency")?,
        None => Currency::USD,
    };
    Ok(amount.zip(price_id).map(|(amount, price_id)| Cost { amount, currency, price_id }))
}

row! {
    LlmRow, "trace_llm_spans", |row|
    let reading = &*row.reading;
    let usage = reading.usage;
    let details = details::encode(reading);
    [
        start_time: Timestamp = row.start_time,
        duration_nanos: Nullable<Int8> = row.duration_nanos,
        input_tokens: Nullable<Int8> = usage.input,
        output_tokens: Nullable<Int8> = usage.output,
        cache_read_tokens: Nullable<Int8> = usage.cache_read,
        cache_creation_tokens: Nullable<Int8> = usage.cache_creation,
        cache_creation_1h_tokens: Nullable<Int8> = usage.cache_creation_1h,
        reasoning_tokens: Nullable<Int8> = usage.reasoning,
        input_audio_tokens: Nullable<Int8> = usage.input_audio,
        output_audio_tokens: Nullable<Int8> = usage.output_audio,
        input_image_tokens: Nullable<Int8> = usage.input_image,
        output_image_tokens: Nullable<Int8> = usage.output_image,
        cost_nanos: Nullable<Int8> = row.cost.map(|cost| cost.amount),
        price_id: Nullable<Int8> = row.cost.map(|cost| cost.price_id),
        reported_cost_nanos: Nullable<Int8> = reading.reported_cost.map(|cost| cost.0),
        time_to_first_token_nanos: Nullable<Int8> = reading.time_to_first_token,
        project_id: Int4 = row.project_id.0,
        status_code: Nullable<Int4> = row.status.map(|status| status.0),
        start_nanos: Int2 = row.start_time.sub_micros(),
        reading_version: Int2 = row.reading_version,
        log_events: Nullable<Int2> = (row.log_events > 0).then_some(row.log_events),
        is_call: Bool = reading.is_call,
        billable: Bool = row.billable,
        usage_missing: Bool = row.usage_missing,
        may_be_hidden: Bool = row.may_be_hidden(),
        session_taken_over: Bool = row.taken_over.session_id.is_some(),
        user_taken_over: Bool = row.taken_over.user_id.is_some(),
        streaming: Nullable<Bool> = reading.streaming,
        trace_id: Id = row.trace_id.uuid(),
        span_id: SpanIdBytes = row.span_id,
        parent_span_id: Nullable<SpanIdBytes> = row.parent_span_id,
        log_id: Nullable<Id> = row.log_id,
        kind: Utf8 = reading.kind.name().as_bytes(),
        dialect: Utf8 = reading.dialect.name().as_bytes(),
        service_name: Varchar = &row.service_name,
        name: Varchar = &row.name,
        operation: Nullable<Varchar> = reading.operation.as_ref(),
        provider: Nullable<Varchar> = reading.provider.as_ref(),
        request_model: Nullable<Varchar> = reading.request_model.as_ref(),
        response_model: Nullable<Varchar> = reading.response_model.as_ref(),
        response_id: Nullable<Varchar> = reading.response_id.as_ref(),
        service_tier: Nullable<Varchar> = reading.service_tier.as_ref(),
        session_id: Nullable<Varchar> = row.session_id(),
        user_id: Nullable<Varchar> = row.user_id(),
        tool_name: Nullable<Varchar> = reading.tool_name.as_ref(),
        tool_call_id: Nullable<Varchar> = reading.tool_call_id.as_ref(),
        agent_name: Nullable<Varchar> = reading.agent_name.as_ref(),
        agent_id: Nullable<Varchar> = reading.agent_id.as_ref(),
        prompt_name: Nullable<Varchar> = reading.prompt_name.as_ref(),
        prompt_version: Nullable<Varchar> = reading.prompt_version.as_ref(),
        error_type: Nullable<Varchar> = reading.error_type.as_ref(),
        cost_currency: Nullable<Utf8> = foreign(row.cost.as_ref()).map(str::as_bytes),
        finish_reasons: Nullable<VarcharArray> = some(&reading.finish_reasons),
        tags: Nullable<VarcharArray> = some(&reading.tags),
        details_layout: ByteaOrNull = details.as_ref().map_or(&[], |details| &*details.layout),
        details_json: Nullable<JsonText> = details.as_ref().map(|details| &*details.json),
        session_is_conversation: Bool = is_session(reading),
    ]
    read {
        _ = may_be_hidden; // it follows from the reading and the ids
        let (told_session, session) = if session_taken_over { (None, session_id) } else { (session_id, None) };
        let (told_user, user) = if user_taken_over { (None, user_id) } else { (user_id, None) };
        let mut reading = LlmReading {
            is_call,
            operation,
            provider,
            request_model,
            response_model,
            response_id,
            service_tier,
            usage: TokenUsage {
                input: input_tokens,
                output: output_tokens,
                cache_read: cache_read_tokens,
                cache_creation: cache_creation_tokens,
                cache_creation_1h: cache_creation_1h_tokens,
                reasoning: reasoning_tokens,
                input_audio: input_audio_tokens,
                output_audio: output_audio_tokens,
                input_image: input_image_tokens,
                output_image: output_image_tokens,
            },
            reported_cost: reported_cost_nanos.map(Nanodollars),
            finish_reasons: finish_reasons.unwrap_or_default(),
            streaming,
            time_to_first_token: time_to_first_token_nanos,
            session_id: told_session,
            user_id: told_user,
            tool_name,
            tool_call_id,
            agent_name,
            agent_id,
            prompt_name,
            prompt_version,
            error_type,
            tags: tags.unwrap_or_default(),
            ..LlmReading::new(
                named(&kind, LlmKind::of, "kind")?,
                named(&dialect, Dialect::of, "dialect")?,
            )
        };
        if session_is_conversation {
            reading.conversation_id = reading.session_id.clone();
        }
        if let Some(json) = details_json {
            details::decode(&Attributes { json, layout: details_layout }, &mut reading)?;
        }
        Ok(Self {
            project_id: ProjectId(project_id),
            trace_id: TraceId::from_uuid(trace_id),
            span_id,
            parent_span_id,
            log_id,
            start_time: joined(start_time, start_nanos),
            duration_nanos,
            status: status_code.map(StatusCode),
            service_name,
            name,
            reading: Arc::new(reading),
            taken_over: Speaker { session_id: session, user_id: user },
            reading_version,
            log_events: log_events.unwrap_or(0),
            billable,
            usage_missing,
            cost: cost(cost_nanos, price_id, cost_currency.as_deref())?,
        })
    }
}
