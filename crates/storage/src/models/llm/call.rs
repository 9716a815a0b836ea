//! Calls as `genai::repeats` looks at them.

use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::llm::Dialect;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::repeats::{Call, Layer};
use tokio_postgres::Row;

use super::LlmRow;

/// What of a stored call decides whether it repeats another. Times are in whole microseconds.
#[derive(Debug, Clone)]
pub(crate) struct CallRow {
    pub(crate) project_id: ProjectId,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    /// Whether it may be the span of a client inside a call of another trace.
    pub(crate) may_be_hidden: bool,
    pub(crate) layer: Layer,
    pub(crate) service: Text,
    pub(crate) provider: Option<Text>,
    pub(crate) model: Option<Text>,
    pub(crate) response: Option<Text>,
    pub(crate) tells_usage: bool,
    pub(crate) billable: bool,
}

impl CallRow {
    /// What [`read`](Self::read) reads of `trace_llm_spans AS reading`.
    pub(crate) const COLUMNS: &str = "\
        reading.trace_id, reading.span_id, reading.start_time, reading.project_id, reading.duration_nanos, \
        reading.may_be_hidden, reading.dialect, \
        coalesce(reading.details_json::jsonb, reading.details) -> 'framework' IS NOT NULL, \
        reading.service_name, reading.provider, coalesce(reading.request_model, reading.response_model), \
        reading.response_id, reading.input_tokens IS NOT NULL OR reading.output_tokens IS NOT NULL, reading.billable";

    /// The call whose columns begin at `first`; `None` if there is none, or one that this program does not know.
    pub(crate) fn read(row: &Row, first: usize) -> Option<Self> {
        let text = |place: usize| row.get::<_, Option<&str>>(first + place).map(Text::from);
        let start = UnixNanos::from(row.get::<_, Option<SystemTime>>(first + 2)?);
        let dialect = Dialect::of(row.get(first + 6))?;
        Some(Self {
            trace_id: TraceId::from_uuid(row.get(first)),
            span_id: SpanId::from_wire(row.get(first + 1))?,
            start,
            project_id: ProjectId(row.get(first + 3)),
            end: end(start, row.get(first + 4)),
            may_be_hidden: row.get(first + 5),
            layer: Layer::new(dialect, row.get(first + 7)),
            service: text(8)?,
            provider: text(9),
            model: text(10),
            response: text(11),
            tells_usage: row.get(first + 12),
            billable: row.get(first + 13),
        })
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            project: self.project_id,
            trace: self.trace_id,
            span: self.span_id,
            service: &self.service,
            model: self.model.as_deref(),
            response: self.response.as_deref(),
            start: self.start,
            end: self.end,
            layer: self.layer,
            tells_usage: self.tells_usage,
        }
    }

    /// Whether the span of its client may be in another trace.
    pub(crate) fn may_hide_a_client(&self) -> bool {
        self.layer.may_hide_a_client(self.provider.as_deref(), self.model.as_deref())
    }
}

impl From<&LlmRow> for CallRow {
    fn from(row: &LlmRow) -> Self {
        let Call { start, end, layer, tells_usage, .. } = row.call();
        Self {
            project_id: row.project_id,
            trace_id: row.trace_id,
            span_id: row.span_id,
            start,
            end,
            may_be_hidden: row.may_be_hidden(),
            layer,
            service: row.service_name.clone(),
            provider: row.reading.provider.clone(),
            model: row.reading.model().cloned(),
            response: row.reading.response_id.clone(),
            tells_usage,
            billable: row.billable,
        }
    }
}

impl LlmRow {
    /// Whether it is a call that may be the span of a client inside a call of another trace.
    pub(crate) fn may_be_hidden(&self) -> bool {
        let reading = &*self.reading;
        let is_span_of_call = self.log_id.is_none() && reading.is_call;
        is_span_of_call
            && Layer::of(reading).may_be_hidden(reading.dialect, self.trace_id, self.parent_span_id)
    }

    /// The call, as `genai::repeats` looks at it.
    pub(crate) fn call(&self) -> Call<'_> {
        let start = UnixNanos::from_parts(self.start_time.micros(), 0);
        Call {
            project: self.project_id,
            trace: self.trace_id,
            span: self.span_id,
            service: &self.service_name,
            model: self.reading.model().map(|model| &**model),
            response: self.reading.response_id.as_deref(),
            start,
            end: end(start, self.duration_nanos),
            layer: Layer::of(&self.reading),
            tells_usage: self.reading.usage.is_told(),
        }
    }
}

/// The end in whole microseconds; the start if the span runs, or ends before it starts.
fn end(start: UnixNanos, duration_nanos: Option<i64>) -> UnixNanos {
    let micros = duration_nanos.unwrap_or(0).max(0) / 1_000;
    UnixNanos::from_parts(start.micros().saturating_add(micros), 0)
}
