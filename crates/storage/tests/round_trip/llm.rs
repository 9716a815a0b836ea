//! `trace_llm_spans`: every reading comes back as it was.

use std::sync::Arc;

use harness::TestDatabase;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, Nanodollars, Parameters, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_genai::prices::{Cost, Currency};
use llm_observatory_storage::CopyWriter;
use llm_observatory_storage::models::LlmRow;
use llm_observatory_storage::repositories::LlmRepository;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::Client;

use crate::rows;

fn text() -> impl Strategy<Value = Text> {
    // One in four is longer than an index entry.
    prop_oneof![3 => "\\PC{0,12}", 1 => "[a-zäöü]{3000,3100}"].prop_map(Text::from)
}

fn texts() -> impl Strategy<Value = Vec<Text>> {
    vec(text(), 0..4)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("NaN equals nothing", |number| !number.is_nan()),
        Just(-0.0),
        Just(1.0)
    ]
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Empty),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number().prop_map(Value::from),
        "[a\\x00\"]{0,5}".prop_map(Value::from),
        vec(any::<u8>(), 0..4).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec(("[ab]{0,3}", inner), 0..3)
                .prop_map(|map| Value::Map(map.into_iter().map(|(k, v)| Attribute::new(k, v)).collect())),
        ]
    })
}

fn metadata() -> impl Strategy<Value = Vec<Attribute<'static>>> {
    let entries = proptest::collection::btree_map("[a-c\\x00]{0,4}", value(), 0..4);
    entries.prop_map(|entries| entries.into_iter().map(|(key, value)| Attribute::new(key, value)).collect())
}

fn usage() -> impl Strategy<Value = TokenUsage> {
    vec(of(any::<i64>()), 10).prop_map(|counts| TokenUsage {
        input: counts[0],
        output: counts[1],
        cache_read: counts[2],
        cache_creation: counts[3],
        cache_creation_1h: counts[4],
        reasoning: counts[5],
        input_audio: counts[6],
        output_audio: counts[7],
        input_image: counts[8],
        output_image: counts[9],
    })
}

fn parameters() -> impl Strategy<Value = Parameters> {
    (vec(of(number()), 5), vec(of(any::<i64>()), 3), texts(), of(text())).prop_map(
        |(numbers, counts, stop, reasoning_effort)| Parameters {
            temperature: numbers[0],
            top_p: numbers[1],
            top_k: numbers[2],
            frequency_penalty: numbers[3],
            presence_penalty: numbers[4],
            max_tokens: counts[0],
            seed: counts[1],
            choice_count: counts[2],
            stop,
            reasoning_effort,
        },
    )
}

fn reading() -> impl Strategy<Value = LlmReading> {
    let kinds = (select(LlmKind::ALL), select(Dialect::ALL), any::<bool>(), of(any::<bool>()));
    let lists = (texts(), texts(), metadata());
    let counts = (usage(), of(any::<i64>()), of(any::<i64>()));
    (kinds, lists, counts, parameters(), vec(of(text()), 16)).prop_map(
        |(
            (kind, dialect, is_call, streaming),
            (finish_reasons, tags, metadata),
            counts,
            parameters,
            texts,
        )| {
            let mut texts = texts.into_iter();
            let mut text = || texts.next().flatten();
            LlmReading {
                kind,
                dialect,
                is_call,
                operation: text(),
                provider: text(),
                framework: text(),
                request_model: text(),
                response_model: text(),
                response_id: text(),
                service_tier: text(),
                usage: counts.0,
                reported_cost: counts.1.map(Nanodollars),
                finish_reasons,
                parameters,
                streaming,
                time_to_first_token: counts.2,
                session_id: text(),
                conversation_id: text(),
                user_id: text(),
                tool_name: text(),
                tool_call_id: text(),
                agent_name: text(),
                agent_id: text(),
                prompt_name: text(),
                prompt_version: text(),
                error_type: None,
                tags,
                metadata,
            }
        },
    )
}

fn row() -> impl Strategy<Value = LlmRow> {
    let cost = (any::<i64>(), any::<i64>(), select(&["USD", "CNY"][..]));
    let cost = cost.prop_map(|(amount, price_id, currency)| Cost {
        amount,
        price_id,
        currency: Currency::of(currency).unwrap(),
    });
    let times = (0..1_000_000_000_u64, any::<bool>());
    let read = (reading(), of(text()), of(text()));
    (read, of(cost), times, any::<i16>(), 0..i16::MAX, any::<[bool; 2]>()).prop_map(
        |(
            (reading, above, above_it),
            cost,
            (nanos, ended),
            reading_version,
            log_events,
            [billable, usage_missing],
        )| {
            let mut span = rows::span(1, 1, UnixNanos(rows::now().0 / 1_000_000_000 * 1_000_000_000 + nanos));
            span.parent_span_id = billable.then(|| rows::span_id(9));
            span.end_time = if ended { UnixNanos(span.start_time.0 + 5) } else { UnixNanos::UNKNOWN };
            span.status = ended.then_some(StatusCode::ERROR);
            let mut row = LlmRow::new(&span, Arc::new(reading), reading_version);
            row.taken_over.session_id = above.filter(|_| row.reading.session_id.is_none());
            row.taken_over.user_id = above_it.filter(|_| row.reading.user_id.is_none());
            LlmRow { cost, log_events, billable, usage_missing, ..row }
        },
    )
}

async fn write_and_read(client: &Client, llm: &LlmRepository, row: &LlmRow) -> LlmRow {
    client.batch_execute("DELETE FROM trace_llm_spans").await.unwrap();
    CopyWriter::write_llm_spans(client, [row]).await.unwrap();
    llm.get(row.trace_id, row.start_time, row.span_id).await.unwrap().unwrap()
}

#[test]
fn every_reading_comes_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_database, client, llm) = runtime.block_on(async {
        let database = TestDatabase::new().await;
        let (client, llm) = (database.client().await, LlmRepository::new(database.pool().await));
        (database, client, llm)
    });
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&row(), |row| {
            let found = runtime.block_on(write_and_read(&client, &llm, &row));
            prop_assert_eq!(found, row);
            Ok(())
        })
        .unwrap();
}
