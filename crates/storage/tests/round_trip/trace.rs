//! `traces`, `trace_spans` and `trace_events`.

use bytes::Bytes;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::trace::{Nested, Span};
use llm_observatory_storage::models::{EventRow, SpanRow};
use llm_observatory_storage::writers::TraceBatch;
use serde_json::{Value as Json, json};

use super::{Everything, LAST, assert_stored};
use crate::rows::{self, MIDNIGHT};

pub(super) fn full_span() -> SpanRow {
    SpanRow {
        parent_span_id: Some(rows::span_id(u64::MAX)),
        end_time: LAST,
        name: "chat \"ünïcode\" \u{10ffff}".into(),
        service_name: "a\0b".into(),
        kind: SpanKind(i32::MIN),
        status: Some(StatusCode(i32::MAX)),
        status_message: "it failed".into(),
        trace_state: "vendor=1".into(),
        flags: u32::MAX,
        attributes: Attributes::new(&[Attribute::new("b", f64::NAN), Attribute::new("a", 1)]),
        dropped_attributes_count: u32::MAX,
        dropped_events_count: 1 << 31,
        dropped_links_count: 1,
        links: Some(Nested {
            json: Bytes::from_static(br#"[{"span_id":"01"}]"#),
            otlp: Bytes::from_static(b"\0\xff"),
        }),
        ..rows::span(u128::MAX, 1, MIDNIGHT)
    }
}

fn full_span_as_stored() -> Json {
    json!({
        "start_time": "2026-01-01T23:59:59.999999+00:00", "start_nanos": 999,
        "end_time": "2554-07-21T23:34:33.709551+00:00", "end_nanos": 615,
        "duration_nanos": i64::MAX,
        "input_tokens": null, "output_tokens": null, "cache_read_tokens": null, "cache_creation_tokens": null,
        "reasoning_tokens": null,
        "project_id": 1, "kind": i32::MIN, "status_code": i32::MAX, "flags": -1,
        "dropped_attributes_count": -1, "dropped_events_count": i32::MIN, "dropped_links_count": 1,
        "trace_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "resource_id": "00000000-0000-0000-0000-00000000000a",
        "scope_id": "00000000-0000-0000-0000-00000000000b",
        "span_id": "\\x0000000000000001", "parent_span_id": "\\xffffffffffffffff",
        "name": "chat \"ünïcode\" \u{10ffff}", "service_name": "a\u{fffd}b",
        "trace_state": "vendor=1", "status_message": "it failed",
        "llm_operation": null, "llm_provider": null, "llm_request_model": null, "llm_response_model": null,
        "llm_session_id": null, "llm_user_id": null,
        // Layout: beside a text, one attribute is exact: the first (NaN).
        "attributes": null, "attributes_json": r#"{"b":"NaN","a":1}"#,
        "attributes_layout": "\\x0001000a0e0a0162120921000000000000f87f",
        "links": [{"span_id": "01"}], "links_otlp": "\\x00ff",
    })
}

fn bare_span_as_stored() -> Json {
    let mut row = full_span_as_stored();
    let columns = row.as_object_mut().unwrap();
    columns.values_mut().for_each(|value| *value = Json::Null);
    columns.extend([
        ("start_time".to_owned(), json!("1970-01-01T00:00:00+00:00")),
        ("start_nanos".to_owned(), json!(0)),
        ("project_id".to_owned(), json!(1)),
        ("kind".to_owned(), json!(0)),
        ("status_code".to_owned(), json!(null)),
        ("trace_id".to_owned(), json!("00000000-0000-0000-0000-000000000001")),
        ("resource_id".to_owned(), json!("00000000-0000-0000-0000-00000000000a")),
        ("scope_id".to_owned(), json!("00000000-0000-0000-0000-00000000000b")),
        ("span_id".to_owned(), json!("\\x0000000000000002")),
        ("name".to_owned(), json!("")),
        ("service_name".to_owned(), json!("")),
        ("attributes_json".to_owned(), json!("{}")),
    ]);
    row
}

#[tokio::test]
async fn spans() {
    let bare = rows::span(1, 2, UnixNanos::UNKNOWN);
    let batch = TraceBatch { spans: vec![bare.into(), full_span().into()], ..TraceBatch::default() };
    let rows = Everything { traces: batch, ..Everything::default() };
    assert_stored(rows, "trace_spans", &[bare_span_as_stored(), full_span_as_stored()]).await;
}

#[tokio::test]
async fn events() {
    let span = rows::span(1, 2, MIDNIGHT);
    let full = EventRow {
        time: LAST,
        attributes: Attributes::new(&[Attribute::new("k", "v")]),
        dropped_attributes_count: u32::MAX,
        ..rows::event(&span, 1, "exception")
    };
    let bare = EventRow { time: UnixNanos::UNKNOWN, ..rows::event(&span, 0, "") };
    let as_stored = |ordinal: i32, time: &str, nanos: i16, dropped: Json, name: &str, attributes: &str| {
        json!({
            "start_time": "2026-01-01T23:59:59.999999+00:00", "time": time, "time_nanos": nanos, "project_id": 1,
            "ordinal": ordinal, "dropped_attributes_count": dropped, "name": name,
            "trace_id": "00000000-0000-0000-0000-000000000001", "span_id": "\\x0000000000000002",
            "attributes": null, "attributes_json": attributes, "attributes_layout": null,
        })
    };
    let expected = [
        as_stored(0, "1970-01-01T00:00:00+00:00", 0, Json::Null, "", "{}"),
        as_stored(1, "2554-07-21T23:34:33.709551+00:00", 615, json!(-1), "exception", r#"{"k":"v"}"#),
    ];
    let spans = vec![Span { events: vec![bare, full], ..span.into() }];
    let rows = Everything { traces: TraceBatch { spans, ..TraceBatch::default() }, ..Everything::default() };
    assert_stored(rows, "trace_events", &expected).await;
}

#[tokio::test]
async fn summaries() {
    let mut orphan = rows::failed(rows::span(2, 1, LAST));
    orphan.parent_span_id = Some(rows::span_id(9));
    orphan.service_name = "chat".into();
    let mut root = rows::span(1, 7, UnixNanos(1));
    root.name = "GET /".into();
    root.service_name = "web".into();
    let expected = [
        json!({
            "start_time": "1970-01-01T00:00:00+00:00", "start_nanos": 1, "end_time": "1970-01-01T00:00:00+00:00",
            "end_nanos": 1, "root_start": "1970-01-01T00:00:00+00:00", "span_count": 1, "error_count": 0, "llm_calls": 0, "speakers": 0,
            "day": "1970-01-01", "project_id": 1, "trace_id": "00000000-0000-0000-0000-000000000001",
            "root_span_id": "\\x0000000000000007", "root_name": "GET /", "root_service": "web", "services": ["web"],
        }),
        json!({
            "start_time": "2554-07-21T23:34:33.709551+00:00", "start_nanos": 615,
            "end_time": "2554-07-21T23:34:33.709551+00:00", "end_nanos": 615, "root_start": null, "span_count": 1,
            "error_count": 1, "llm_calls": 0, "speakers": 0, "day": "2554-07-21", "project_id": 1,
            "trace_id": "00000000-0000-0000-0000-000000000002",
            "root_span_id": null, "root_name": null, "root_service": null, "services": ["chat"],
        }),
    ];
    let batch = TraceBatch { spans: vec![orphan.into(), root.into()], ..TraceBatch::default() };
    assert_stored(Everything { traces: batch, ..Everything::default() }, "traces", &expected).await;
}
