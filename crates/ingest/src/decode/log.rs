//! Decodes `ExportLogsServiceRequest` into rows of log records.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::{LogObservation, Scope, is_llm_event, log_call};
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::models::{LlmRow, LogRow};
use llm_observatory_storage::writers::LogBatch;
use uuid::Uuid;

use super::decoded::{Decoded, Undecodable};
use super::decoder::Decoder;
use super::place::Levels;
use super::resource::{Owner, each_record};
use super::value;
use crate::wire::{Fields, Malformed};

/// The names of the levels of a request.
pub(crate) const LEVELS: Levels = ["resource_logs", "scope_logs", "log_records"];

/// Decodes a request.
///
/// # Errors
/// [`Undecodable`] when the outer framing is broken or the rows outgrow their allowance. Anything broken below that
/// rejects single records.
pub(crate) fn decode(mut decoder: Decoder<'_>) -> Result<Decoded<LogBatch>, Undecodable> {
    let mut logs = Vec::with_capacity(decoder.expected);
    let mut attributes = Vec::new();
    let mut ids = Ids(decoder.hash.as_u128());
    let (resources, scopes) = each_record(&mut decoder, |owner, place, message, decoder| {
        let id = ids.next();
        match owner.and_then(|owner| log(message, id, owner, &mut attributes, decoder)) {
            Ok(log) => {
                decoder.decoded(place, message, held(&log));
                logs.push(log);
            }
            Err(malformed) => decoder.reject(malformed.into(), place, LEVELS, message),
        }
    })?;
    Ok(decoder.finish(LogBatch { resources, scopes, logs }))
}

/// The ids of the records of a request: its hash, counted up. The same request gets the same ids again.
struct Ids(u128);

/// Memory of a record's row, without the request that its texts are slices of.
fn held(log: &LogRow) -> usize {
    let body = log.body.text.as_ref().map_or(0, |text| text.len())
        + log.body.json.as_ref().map_or(0, |json| json.len())
        + log.body.exact.len();
    let call = log.call.as_ref().map_or(0, |call| size_of_val(&**call) + size_of_val(&*call.reading));
    size_of::<LogRow>() + body + log.attributes.bytes() + call
}

impl Ids {
    fn next(&mut self) -> Uuid {
        self.0 = self.0.wrapping_add(1);
        Uuid::from_u128(self.0)
    }
}

fn log<'a>(
    message: &'a [u8],
    id: Uuid,
    owner: &Owner,
    attributes: &mut Vec<Attribute<'a>>,
    decoder: &mut Decoder<'a>,
) -> Result<LogRow, Malformed> {
    attributes.clear();
    let mut log = LogRow {
        project_id: decoder.project_id,
        id,
        time: UnixNanos::UNKNOWN,
        time_source: TimeSource::Record,
        observed_time: UnixNanos::UNKNOWN,
        severity: Severity::UNSPECIFIED,
        severity_text: Text::EMPTY,
        event_name: Text::EMPTY,
        body: ValueColumns::default(),
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
        flags: 0,
        trace_id: None,
        span_id: None,
        service_name: owner.service.clone(),
        resource_id: owner.resource,
        scope_id: owner.scope,
        is_llm_event: false,
        call: None,
    };
    let mut said = Value::Empty;
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => log.time = UnixNanos(field.fixed64()?),
            2 => log.severity = Severity(field.i32()?),
            3 => log.severity_text = decoder.text(field.bytes()?),
            5 => {
                said = value::value(field.bytes()?, &mut decoder.notes)?;
                log.body = ValueColumns::encode(&said, &mut decoder.arena);
            }
            6 => attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
            7 => log.dropped_attributes_count = field.u32()?,
            8 => log.flags = field.fixed32()?,
            9 => log.trace_id = TraceId::from_wire(field.bytes()?),
            10 => log.span_id = SpanId::from_wire(field.bytes()?),
            11 => log.observed_time = UnixNanos(field.fixed64()?),
            12 => log.event_name = decoder.text(field.bytes()?),
            _ => {}
        }
    }
    log.is_llm_event = is_llm_event(&log.event_name, attributes);
    log.attributes = Attributes::encode(attributes, &mut decoder.arena);
    if !log.time.is_known() {
        let observed = log.observed_time.is_known();
        log.time = if observed { log.observed_time } else { decoder.received };
        log.time_source = if observed { TimeSource::Observed } else { TimeSource::Received };
    }
    log.call = call(&log, owner, attributes, &said).map(Box::new);
    Ok(log)
}

/// The call that the record tells. It comes last, since its key holds the time of the record.
fn call(log: &LogRow, owner: &Owner, attributes: &[Attribute<'_>], body: &Value<'_>) -> Option<LlmRow> {
    let call = log_call(&LogObservation {
        scope: Scope { name: &owner.scope_name, version: &owner.scope_version },
        event_name: &log.event_name,
        attributes,
        body,
        is_in_span: log.span_id.is_some(),
    })?;
    Some(LlmRow::of_log(log, call))
}
