//! `ExportLogsServiceRequest` to log records.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::writers::LogBatch;
use uuid::Uuid;

use super::resource::{Owner, each_record};
use super::{Decoded, Request, value};
use crate::wire::{Fields, Malformed};

const LEVELS: [&str; 3] = ["resource_logs", "scope_logs", "log_records"];

/// Decodes a request.
///
/// # Errors
/// When the outer framing is broken; everything below rejects records one by one.
pub(crate) fn decode(mut request: Request<'_>) -> Result<Decoded<LogBatch>, Malformed> {
    let mut logs = Vec::new();
    let mut attributes = Vec::new();
    let mut ids = Ids::of(request.bytes);
    let (resources, scopes) = each_record(&mut request, |owner, place, message, request| {
        match log(message, ids.next(), owner, &mut attributes, request) {
            Ok(log) => logs.push(log),
            Err(malformed) => request.rejections.reject(malformed.into(), || place.named(LEVELS)),
        }
    })?;
    let batch = LogBatch { resources, scopes, logs };
    Ok(Decoded { batch, rejections: request.rejections })
}

/// The ids of the records of a request: the hash of the request, counted up. The same request has the same ids again.
struct Ids(u128);

impl Ids {
    fn of(request: &[u8]) -> Self {
        let mut id = [0; 16];
        blake3::Hasher::new().update(request).finalize_xof().fill(&mut id);
        Self(u128::from_be_bytes(id))
    }

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
    request: &mut Request<'a>,
) -> Result<LogRow, Malformed> {
    attributes.clear();
    let mut log = LogRow {
        project_id: request.project_id,
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
    };
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => log.time = UnixNanos(field.fixed64()?),
            2 => log.severity = Severity(field.i32()?),
            3 => log.severity_text = request.text(field.bytes()?),
            5 => {
                let body = value::value(field.bytes()?, &mut request.rejections)?;
                log.body = ValueColumns::encode(&body, &mut request.arena);
            }
            6 => attributes.push(value::attribute(field.bytes()?, &mut request.rejections)?),
            7 => log.dropped_attributes_count = field.u32()?,
            8 => log.flags = field.fixed32()?,
            9 => log.trace_id = TraceId::from_wire(field.bytes()?),
            10 => log.span_id = SpanId::from_wire(field.bytes()?),
            11 => log.observed_time = UnixNanos(field.fixed64()?),
            12 => log.event_name = request.text(field.bytes()?),
            _ => {}
        }
    }
    log.attributes = Attributes::encode(attributes, &mut request.arena);
    if !log.time.is_known() {
        let observed = log.observed_time.is_known();
        log.time = if observed { log.observed_time } else { request.received };
        log.time_source = if observed { TimeSource::Observed } else { TimeSource::Received };
    }
    Ok(log)
}
