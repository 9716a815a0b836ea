//! Stored LLM spans as repricing looks at them.

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{Cost, PriceBook};

use crate::error::Error;
use crate::models::column::{Bool, Id, Int4, Int8, Nullable, SpanIdBytes, Timestamp, Utf8, Varchar};
use crate::models::fields::Fields;
use crate::models::row::ReadRow;
use crate::models::trace::SpanKey;

/// What of a stored LLM span decides its cost, that cost, and where the row is.
#[derive(Debug)]
pub(crate) struct PricedRow {
    pub(crate) key: SpanKey,
    /// The place of this version of the row in its partition, `ctid`.
    pub(crate) place: Text,
    /// The transaction that wrote this version, `xmin`.
    pub(crate) version: Text,
    pub(crate) cost: Option<Cost>,
    duration_nanos: Option<i64>,
    /// Only with what decides the cost.
    reading: LlmReading,
}

impl PricedRow {
    /// What [`read`](ReadRow::read) reads of `trace_llm_spans`.
    pub(crate) const COLUMNS: &str = "\
        trace_id, start_time, span_id, project_id, ctid::text, xmin::text, is_call, duration_nanos, provider, request_model, \
        response_model, service_tier, error_type, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens, \
        cache_creation_1h_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens, input_image_tokens, \
        output_image_tokens, cost_nanos, price_id, cost_currency";

    /// The cost by these prices.
    pub(crate) fn cost_by(&self, book: &PriceBook) -> Option<Cost> {
        let (_, start, _, project) = self.key;
        super::charge(project, &self.reading, UnixNanos::from_parts(start, 0), self.duration_nanos, book)
    }

    /// The models that the request and the response name.
    pub(crate) fn models(&self) -> [&Option<Text>; 2] {
        [&self.reading.request_model, &self.reading.response_model]
    }
}

impl ReadRow for PricedRow {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let key = (
            TraceId::from_uuid(fields.take::<Id>("trace_id")?),
            fields.take::<Timestamp>("start_time")?.micros(),
            fields.take::<SpanIdBytes>("span_id")?,
            ProjectId(fields.take::<Int4>("project_id")?),
        );
        let (place, version) = (fields.take::<Varchar>("ctid")?, fields.take::<Varchar>("xmin")?);
        // The kind and the dialect decide nothing here.
        let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
        reading.is_call = fields.take::<Bool>("is_call")?;
        let duration_nanos = fields.take::<Nullable<Int8>>("duration_nanos")?;
        let mut text = |name| fields.take::<Nullable<Varchar>>(name);
        reading.provider = text("provider")?;
        reading.request_model = text("request_model")?;
        reading.response_model = text("response_model")?;
        reading.service_tier = text("service_tier")?;
        reading.error_type = text("error_type")?;
        let mut count = |name| fields.take::<Nullable<Int8>>(name);
        reading.usage = TokenUsage {
            input: count("input_tokens")?,
            output: count("output_tokens")?,
            cache_read: count("cache_read_tokens")?,
            cache_creation: count("cache_creation_tokens")?,
            cache_creation_1h: count("cache_creation_1h_tokens")?,
            reasoning: count("reasoning_tokens")?,
            input_audio: count("input_audio_tokens")?,
            output_audio: count("output_audio_tokens")?,
            input_image: count("input_image_tokens")?,
            output_image: count("output_image_tokens")?,
        };
        let (amount, price_id) = (count("cost_nanos")?, count("price_id")?);
        let currency = fields.take::<Nullable<Utf8>>("cost_currency")?;
        let cost = super::cost(amount, price_id, currency.as_deref())?;
        Ok(Self { key, place, version, cost, duration_nanos, reading })
    }
}
