//! `logs`.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::log::Severity;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::models::Arena;
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::models::{LogRow, Row as _};
use llm_observatory_storage::writers::LogBatch;
use serde_json::{Value as Json, json};

use super::{Everything, LAST, assert_stored};
use crate::rows::{self, MIDNIGHT};

#[tokio::test]
async fn logs() {
    let mut arena = Arena::default();
    let full = LogRow {
        time_source: TimeSource::Received,
        observed_time: LAST,
        severity: Severity(i32::MAX),
        severity_text: "WARN".into(),
        event_name: "gen_ai.choice".into(),
        body: ValueColumns::encode(&Value::from(vec![Value::from(1), Value::Empty]), &mut arena),
        attributes: Attributes::new(&[Attribute::new("k", "v")]),
        dropped_attributes_count: u32::MAX,
        flags: 1,
        trace_id: Some(rows::trace_id(3)),
        span_id: Some(rows::span_id(4)),
        service_name: "chat".into(),
        ..rows::log(1, MIDNIGHT)
    };
    let mut nul = rows::log(2, MIDNIGHT);
    nul.body = ValueColumns::encode(&Value::from("a\0b"), &mut arena);
    let bare = rows::log(3, UnixNanos(1));

    let as_stored = |id: u8, filled: Json| {
        let mut row = json!({
            "time": "2026-01-01T23:59:59.999999+00:00", "time_nanos": 999, "project_id": 1, "severity_number": 0,
            "time_source": 0, "id": format!("00000000-0000-0000-0000-00000000000{id}"), "service_name": "",
            "resource_id": "00000000-0000-0000-0000-00000000000a",
            "scope_id": "00000000-0000-0000-0000-00000000000b", "body": null, "attributes": null, "attributes_json": "{}",
        });
        let columns = row.as_object_mut().unwrap();
        LogRow::TABLE.columns.iter().for_each(|nullable| _ = columns.entry(*nullable).or_insert(Json::Null));
        columns.extend(filled.as_object().unwrap().clone());
        row
    };
    let expected = [
        as_stored(3, json!({"time": "1970-01-01T00:00:00+00:00", "time_nanos": 1})),
        as_stored(2, json!({"body_text": "a\u{fffd}b", "body_layout": "\\x0a03610062"})),
        as_stored(
            1,
            json!({
                "time_source": 2, "observed_time": "2554-07-21T23:34:33.709551+00:00", "observed_nanos": 615,
                "severity_number": i32::MAX, "severity_text": "WARN", "event_name": "gen_ai.choice", "body_json": "[1,null]",
                "attributes_json": r#"{"k":"v"}"#, "dropped_attributes_count": -1, "flags": 1, "service_name": "chat",
                "trace_id": "00000000-0000-0000-0000-000000000003", "span_id": "\\x0000000000000004",
            }),
        ),
    ];
    let rows = Everything {
        logs: LogBatch { logs: vec![full, nul, bare], ..LogBatch::default() },
        ..Everything::default()
    };
    assert_stored(rows, "logs", &expected).await;
}
