//! Every attribute list and every body comes back unchanged, from text and from jsonb.

use harness::TestDatabase;
use harness::otlp::value::{any_value, attributes};
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_storage::CopyWriter;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns, to_key_value};
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::models::{Arena, LogRow};
use llm_observatory_storage::repositories::{LogRepository, TraceRepository};
use llm_observatory_storage::writers::{Dictionary, LogBatch, TraceBatch, commit};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::Client;

use crate::rows;

fn attribute(sent: &KeyValue) -> Attribute<'_> {
    Attribute::new(sent.key.as_str(), sent.value.as_ref().map_or(Value::Empty, value))
}

fn value(sent: &AnyValue) -> Value<'_> {
    match &sent.value {
        None | Some(Any::StringValueStrindex(_)) => Value::Empty,
        Some(Any::StringValue(text)) => Value::from(text.as_str()),
        Some(Any::BoolValue(truth)) => Value::from(*truth),
        Some(Any::IntValue(number)) => Value::from(*number),
        Some(Any::DoubleValue(number)) => Value::from(*number),
        Some(Any::BytesValue(bytes)) => Value::Bytes(bytes.as_slice().into()),
        Some(Any::ArrayValue(list)) => Value::Array(list.values.iter().map(value).collect()),
        Some(Any::KvlistValue(list)) => Value::Map(list.values.iter().map(attribute).collect()),
    }
}

/// The attribute as it must come back: an absent value becomes an empty one.
fn normal(mut sent: KeyValue) -> KeyValue {
    sent.value = Some(normal_value(sent.value.unwrap_or_default()));
    sent
}

fn normal_value(sent: AnyValue) -> AnyValue {
    let value = match sent.value {
        Some(Any::ArrayValue(mut list)) => {
            list.values = list.values.into_iter().map(normal_value).collect();
            Some(Any::ArrayValue(list))
        }
        Some(Any::KvlistValue(mut list)) => {
            list.values = list.values.into_iter().map(normal).collect();
            Some(Any::KvlistValue(list))
        }
        other => other,
    };
    AnyValue { value }
}

/// A text to compare by: NaN equals NaN, and 0.0 differs from -0.0.
fn text(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

#[test]
fn attributes_and_bodies_survive() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_database, client) = runtime.block_on(async {
        let database = TestDatabase::new().await;
        let client = database.client().await;
        (database, client)
    });
    // Each case is a batch, so that the round trips to PostgreSQL are few.
    let many = vec((attributes(), proptest::option::of(any_value())), 1..50);
    let config =
        Config { cases: 32, failure_persistence: None, max_shrink_time: 10_000, ..Config::default() };
    let outcome = TestRunner::new(config).run(&many, |sent| {
        runtime.block_on(async {
            let logs: Vec<LogRow> = sent.iter().enumerate().map(|(n, sent)| log(n, sent)).collect();
            client.batch_execute("DELETE FROM logs").await.unwrap();
            CopyWriter::write_logs(&client, &logs).await.unwrap();
            let query = "SELECT attributes_json, attributes_layout, body_text, body_json, body_layout FROM logs ORDER BY id";
            for (row, (attributes, body)) in client.query(query, &[]).await.unwrap().iter().zip(sent.clone()) {
                let json: &str = row.get(0);
                let back = Attributes::decode(json.as_bytes(), row.get(1)).unwrap();
                assert_eq!(text(&back), text(&attributes.into_iter().map(normal).collect::<Vec<_>>()));
                let json: Option<&str> = row.get(3);
                let back = ValueColumns::decode(row.get(2), json.map(str::as_bytes), row.get(4)).unwrap();
                assert_eq!(text(&back), text(&body.map(normal_value)));
            }
            assert_jsonb_keeps(&client, sent.iter().map(|(attributes, _)| attributes)).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn assert_jsonb_keeps(client: &Client, lists: impl Iterator<Item = &Vec<KeyValue>>) {
    let lists: Vec<_> = lists.collect();
    let columns: Vec<_> =
        lists.iter().map(|list| Attributes::jsonb(&list.iter().map(attribute).collect::<Vec<_>>())).collect();
    let json: Vec<_> = columns.iter().map(|list| std::str::from_utf8(&list.json).unwrap()).collect();
    let stored =
        client.query("SELECT json::jsonb::text FROM unnest($1::text[]) AS json", &[&json]).await.unwrap();
    for ((row, columns), list) in stored.iter().zip(&columns).zip(lists) {
        let back = Attributes::decode(row.get::<_, &str>(0).as_bytes(), Some(&columns.layout)).unwrap();
        assert_eq!(text(&back), text(&list.iter().cloned().map(normal).collect::<Vec<_>>()));
    }
}

fn log(n: usize, (attributes, body): &(Vec<KeyValue>, Option<AnyValue>)) -> LogRow {
    let attributes: Vec<_> = attributes.iter().map(attribute).collect();
    LogRow {
        attributes: Attributes::new(&attributes),
        body: body
            .as_ref()
            .map(|body| ValueColumns::encode(&value(body), &mut Arena::default()))
            .unwrap_or_default(),
        ..rows::log(n as u128, rows::now())
    }
}

/// Layouts number keys in the order in which jsonb stores them.
#[tokio::test]
async fn keys_are_written_in_the_order_of_jsonb() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let keys = ["b", "a", "aa", "Z", "ä", "", "zzz", "é", "日"];
    let attributes = Attributes::jsonb(&keys.map(|key| Attribute::new(key, 1)));
    let written: Vec<String> =
        Attributes::decode(&attributes.json, None).unwrap().into_iter().map(|pair| pair.key).collect();
    let json = std::str::from_utf8(&attributes.json).unwrap();
    let kept = client.query("SELECT jsonb_object_keys($1::text::jsonb)", &[&json]).await.unwrap();
    assert_eq!(written, kept.iter().map(|row| row.get(0)).collect::<Vec<String>>());
}

/// The deepest values that `ingest` does not cut, with a plain and an exact value at the bottom.
#[test]
fn deeply_nested_values_come_back() {
    for bottom in [Value::from(1), Value::from(f64::NAN)] {
        let arrays = (0..42).fold(bottom.clone(), |inner, _| Value::Array(vec![inner]));
        let maps = (0..28).fold(bottom, |inner, _| Value::Map(vec![Attribute::new("k", inner)]));
        let sent = [Attribute::new("arrays", arrays), Attribute::new("maps", maps)];
        let columns = Attributes::new(&sent);
        let back = Attributes::decode(&columns.json, Some(&columns.layout)).unwrap();
        assert_eq!(text(&back), text(&sent.each_ref().map(to_key_value)));
    }
}

/// Rows of before schema version 10 have jsonb, and a layout that tells the order.
#[tokio::test]
async fn rows_of_before_json_was_text_come_back() {
    let database = TestDatabase::new().await;
    let writer = database.writer().await;
    let sent = [Attribute::new("zz", 1), Attribute::new("a", f64::INFINITY), Attribute::new("zz", "again")];
    let before = Attributes::jsonb(&sent);
    let mut span = rows::span(1, 1, rows::now());
    let mut event = rows::event(&span, 0, "e");
    (span.attributes, event.attributes) = (before.clone(), before.clone());
    let spans = vec![Span { events: vec![event], ..span.clone().into() }];
    let mut log = rows::log(1, rows::now());
    log.body = ValueColumns::encode(&Value::Array(vec![Value::from(1)]), &mut Arena::default());
    log.attributes = before;
    let (time, id) = (log.time, log.id);
    let traces = TraceBatch { spans, ..TraceBatch::default() };
    let logs = LogBatch { logs: vec![log.clone()], ..LogBatch::default() };
    commit(&writer, &Dictionary::default(), &[traces], WriteMethod::Copy).await.unwrap();
    commit(&writer, &Dictionary::default(), &[logs], WriteMethod::Copy).await.unwrap();
    for (table, column) in [
        ("trace_spans", "attributes"),
        ("trace_events", "attributes"),
        ("logs", "attributes"),
        ("logs", "body"),
    ] {
        let before = format!("UPDATE {table} SET {column} = {column}_json::jsonb, {column}_json = NULL");
        assert_eq!(writer.execute(&before, &[]).await.unwrap(), 1);
    }

    let expected = text(&sent.each_ref().map(to_key_value));
    let of = |attributes: &Attributes| {
        text(&Attributes::decode(&attributes.json, Some(&attributes.layout)).unwrap())
    };
    let pool = database.pool().await;
    let stored = TraceRepository::new(pool.clone()).span(span.trace_id, span.span_id).await.unwrap().unwrap();
    assert_eq!(of(&stored.row.attributes), expected);
    assert_eq!(of(&stored.events[0].attributes), expected);
    let stored = LogRepository::new(pool).get(time, id).await.unwrap().unwrap();
    assert_eq!((of(&stored.attributes), stored.body), (expected, log.body));
}
