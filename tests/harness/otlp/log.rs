//! Requests of LogsService.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use proptest::collection::vec;
use proptest::prelude::*;

use super::value::{any_value, attributes, open_enum, optional_id, resource, scope, text, time, word};

/// Requests of up to a few dozen records.
pub fn logs() -> BoxedStrategy<ExportLogsServiceRequest> {
    let scopes = vec((scope(), vec(record(), 0..6), text()), 0..3);
    let scopes = scopes.prop_map(|scopes| {
        let of = |(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url };
        scopes.into_iter().map(of).collect()
    });
    vec((resource(), scopes, text()), 0..4)
        .prop_map(|resources| {
            let of = |(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url };
            ExportLogsServiceRequest { resource_logs: resources.into_iter().map(of).collect() }
        })
        .boxed()
}

/// One record.
pub fn record() -> BoxedStrategy<LogRecord> {
    let ids = prop_oneof![
        1 => (Just(Vec::new()), Just(Vec::new())),
        2 => (super::value::id(16), optional_id(8)),
    ];
    let what = (open_enum(24), text(), proptest::option::weighted(0.8, any_value()), attributes(), text());
    (time(), time(), what, word(), word(), ids)
        .prop_map(|(time_unix_nano, observed_time_unix_nano, what, dropped, flags, (trace_id, span_id))| {
            let (severity_number, severity_text, body, attributes, event_name) = what;
            LogRecord {
                time_unix_nano,
                observed_time_unix_nano,
                severity_number,
                severity_text,
                body,
                attributes,
                dropped_attributes_count: dropped,
                flags,
                trace_id,
                span_id,
                event_name,
            }
        })
        .boxed()
}
