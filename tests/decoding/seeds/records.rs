//! Spans and log records, field by field.

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message as _;

use super::values::{named, text, values};
use super::wire::{field, fixed64, varint};
use super::{Seed, plain_span};

pub(super) fn spans() -> Vec<Seed> {
    let plain = plain_span();
    let bytes = plain.encode_to_vec();
    let with = |more: &[u8]| [bytes.clone(), more.to_vec()].concat();
    let status = |code| Status { code, message: "why\0".to_owned() };
    let event = Event { time_unix_nano: 3, name: "event\0".to_owned(), ..Event::default() };
    let full = Span {
        trace_state: "k=v".to_owned(),
        parent_span_id: vec![3; 8],
        flags: 0x301,
        name: "GET /".to_owned(),
        kind: 2,
        end_time_unix_nano: u64::MAX,
        dropped_attributes_count: 1,
        events: vec![event.clone(), Event { dropped_attributes_count: u32::MAX, ..event.clone() }],
        dropped_events_count: 2,
        links: vec![Link { trace_id: vec![4; 16], span_id: vec![5; 8], flags: 1, ..Link::default() }],
        dropped_links_count: 3,
        status: Some(status(2)),
        ..plain.clone()
    };
    vec![
        ("span", full.encode_to_vec()),
        ("span-without-ids", Span::default().encode_to_vec()),
        ("span-with-zero-ids", Span { trace_id: vec![0; 16], ..plain.clone() }.encode_to_vec()),
        ("span-with-short-id", Span { span_id: vec![1; 7], ..plain.clone() }.encode_to_vec()),
        ("span-with-long-parent", Span { parent_span_id: vec![1; 9], ..plain.clone() }.encode_to_vec()),
        ("span-of-unknown-kind", Span { kind: i32::MIN, status: Some(status(99)), ..plain }.encode_to_vec()),
        ("span-kind-of-many-bits", with(&varint(6, 1 << 32 | 2))),
        ("span-name-twice", with(&[field(5, b"first"), field(5, b"\xff\0")].concat())),
        ("span-status-twice", with(&[field(15, &field(2, b"first")), field(15, &varint(3, 1))].concat())),
        ("span-time-as-varint", with(&varint(7, 1))),
        ("span-breaks-off-in-an-event", with(&field(11, b"\x12\x05abc"))),
        ("event-with-attributes", with(&field(11, &field(3, &named(b"k", &text(b"\0\xff")))))),
        ("events-empty", with(&[field(11, b""), field(11, b"")].concat())),
        ("link-with-attributes", with(&field(13, &field(4, &named(b"k", &text(b"\0\xff")))))),
        ("link-with-odd-ids", with(&field(13, &[field(1, b"xyz"), field(3, b"\xff\0")].concat()))),
        ("elements-over-the-limit", with(&[field(11, b""), field(13, b""), field(9, b"")].concat())),
    ]
}

pub(super) fn logs() -> Vec<Seed> {
    let plain = LogRecord { time_unix_nano: 1, ..LogRecord::default() };
    let full = LogRecord {
        observed_time_unix_nano: u64::MAX,
        severity_number: 17,
        severity_text: "ERROR\0".to_owned(),
        body: Some(AnyValue { value: Some(any_value::Value::StringValue("out of memory".to_owned())) }),
        dropped_attributes_count: 1,
        flags: 1,
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "oom".to_owned(),
        ..plain.clone()
    };
    let mut logs = vec![
        ("log", full.encode_to_vec()),
        ("log-of-observed-time", LogRecord { time_unix_nano: 0, ..full.clone() }.encode_to_vec()),
        (
            "log-with-odd-ids",
            LogRecord { trace_id: vec![0; 16], span_id: vec![1; 3], ..full }.encode_to_vec(),
        ),
        ("log-of-unknown-severity", LogRecord { severity_number: -1, ..plain }.encode_to_vec()),
        ("log-name-not-utf8", field(12, b"\xff")),
        ("log-time-twice", [fixed64(1, 1), fixed64(1, 2)].concat()),
        ("log-time-as-varint", varint(1, 1)),
        ("body-twice", [field(5, &text(b"first")), field(5, &varint(3, 2))].concat()),
        ("body-breaks-off", field(5, b"\x0a\x05abc")),
    ];
    // Any value may be a body.
    logs.extend(values().into_iter().filter_map(|(name, value)| Some((body_name(name)?, field(5, &value)))));
    logs
}

fn body_name(value: &str) -> Option<&'static str> {
    Some(match value {
        "value-empty" => "body-empty",
        "text-with-nul" => "body-text-with-nul",
        "text-not-utf8" => "body-text-not-utf8",
        "bytes" => "body-bytes",
        "map-out-of-order" => "body-map-out-of-order",
        "negative-zero" => "body-negative-zero",
        "cut-arrays" => "body-cut-arrays",
        _ => return None,
    })
}
