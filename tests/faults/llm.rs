//! LLM calls whose parts come apart, or again. The daemon is killed between an outer call, an inner one, and the log record
//! that tells its tokens; all of them are sent again until they are acknowledged.

use std::sync::Arc;

use bytes::Bytes;
use harness::telemetry::{SECOND, attribute, now, record, records, span, spans, text, trace_id};
use harness::{TestDatabase, eventually};
use llm_observatory_core::Signal;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::task::JoinSet;

use crate::exporter::{Answers, Connection, Target, daemon_on};
use crate::oracle::{Oracle, Request};
use crate::run::Run;

/// Exporters at once, so that the parts of a call are written by several writers.
const EXPORTERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_between_a_span_and_its_log_record() {
    let run = Run::of("kill -9 between the spans and log records of LLM calls");
    let database = TestDatabase::new().await;
    let mut daemon = daemon_on(database.url())
        .environment("OBSERVATORY_STORAGE__SETTLING__INTERVAL_MS", "50")
        .environment("OBSERVATORY_STORAGE__SETTLING__DELAY_MS", "0")
        .environment("OBSERVATORY_STORAGE__SETTLING__BACKOFF_MS", "50")
        .start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let mut random = run.random(0);
    let calls = run.pick(60, 2_000);
    let mut parts: Vec<Request> = (1..=calls).flat_map(parts).collect();
    random.shuffle(&mut parts);

    let mut exporters = JoinSet::new();
    for parts in parts.chunks(parts.len().div_ceil(EXPORTERS)) {
        let (mut connection, oracle) = (Connection::to(&target, &Answers::default()), Arc::clone(&oracle));
        let parts = parts.to_vec();
        exporters.spawn(async move {
            for part in &parts {
                connection.deliver(&oracle, part).await;
            }
        });
    }
    let client = database.client().await;
    for restart in 1..=run.pick(4, 30) {
        // Spread over the delivery.
        let stored = (calls * 3 * restart / (run.pick(4, 30) + 1)) as i64;
        eventually("parts are stored", async || {
            let count = "SELECT (SELECT count(*) FROM trace_spans) + (SELECT count(*) FROM logs)";
            let found: i64 = client.query_one(count, &[]).await.unwrap().get(0);
            if found >= stored { Ok(()) } else { Err(format!("{found} of {stored}")) }
        })
        .await;
        daemon.restart(); // which begins with kill -9
        target.moves_to(daemon.ingest());
    }
    exporters.join_all().await;

    eventually("all traces are settled", async || {
        let notes: i64 = client.query_one("SELECT count(*) FROM llm_settling", &[]).await.unwrap().get(0);
        if notes == 0 { Ok(()) } else { Err(format!("{notes} wait")) }
    })
    .await;
    let sums = "
        SELECT count(*), count(*) FILTER (WHERE billable), sum(input_tokens) FILTER (WHERE billable)::bigint,
               count(*) FILTER (WHERE usage_missing), count(*) FILTER (WHERE log_events = 1),
               (SELECT sum(llm_calls)::bigint FROM traces),
               count(*) FILTER (WHERE billable AND session_taken_over AND session_id = input_tokens::text)
        FROM trace_llm_spans";
    let row = client.query_one(sums, &[]).await.unwrap();
    let found: Vec<i64> = (0..7).map(|column| row.get(column)).collect();
    let calls = calls as i64;
    let tokens = (1..=calls).sum();
    assert_eq!(found, [2 * calls, calls, tokens, 0, calls, 2 * calls, calls]);
}

/// The requests of one call, which uses `n` tokens. The outer span alone tells the session: `n` too.
fn parts(n: u64) -> [Request; 3] {
    let (outer, inner) = (2 * n, 2 * n + 1);
    let parent = outer.to_be_bytes().to_vec();
    let request = |signal, bytes: Vec<u8>| Request { signal, ids: Vec::new(), bytes: Bytes::from(bytes) };
    let call = |id, parent_span_id| Span {
        parent_span_id,
        attributes: vec![text("gen_ai.operation.name", "chat")],
        ..span(n.into(), id)
    };
    let mut outer_call = call(outer, Vec::new());
    outer_call.attributes.push(text("session.id", &n.to_string()));
    let details = LogRecord {
        trace_id: trace_id(n.into()),
        span_id: inner.to_be_bytes().to_vec(),
        event_name: "gen_ai.client.inference.operation.details".to_owned(),
        attributes: vec![attribute("gen_ai.usage.input_tokens", Value::IntValue(n as i64))],
        ..record("")
    };
    [
        request(Signal::Traces, spans("shop", vec![outer_call]).encode_to_vec()),
        request(Signal::Traces, spans("shop", vec![call(inner, parent)]).encode_to_vec()),
        request(Signal::Logs, records("shop", vec![details]).encode_to_vec()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_log_records_that_come_again_in_other_requests() {
    let run = Run::of("calls of log records, several times at once in other requests, to two daemons");
    let database = TestDatabase::new().await;
    let daemons = [daemon_on(database.url()).start(), daemon_on(database.url()).start()];
    let (oracle, answers, mut random) = (Oracle::of(run), Answers::default(), run.random(0));
    let calls = run.pick(300, 10_000);
    let begin = now() - 60 * SECOND;
    let mut records: Vec<_> = (1..=calls).map(|n| call_record(begin, n)).collect();
    let mut exporters = JoinSet::new();
    for exporter in 0..EXPORTERS {
        // Each sends all of them, in an order and in requests of its own.
        random.shuffle(&mut records);
        let mut rest = &*records;
        let mut requests = Vec::new();
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(rest.len().min(random.within(1..40) as usize));
            requests.push(logs(batch.to_vec()));
            rest = others;
        }
        let target = Target::at(daemons[exporter % daemons.len()].ingest());
        let (mut connection, oracle) = (Connection::to(&target, &answers), Arc::clone(&oracle));
        exporters.spawn(async move {
            for request in &requests {
                connection.deliver(&oracle, request).await;
            }
        });
    }
    exporters.join_all().await;
    println!("answers: {answers}");

    let sums = "
        SELECT count(*), count(*) FILTER (WHERE billable AND cost_usd > 0), sum(input_tokens)::bigint,
               count(DISTINCT trace_id), (SELECT count(*) FROM logs), (SELECT count(*) FROM llm_spans WHERE log_id IN
               (SELECT id FROM logs))
        FROM llm_spans";
    let row = database.client().await.query_one(sums, &[]).await.unwrap();
    let found: Vec<i64> = (0..6).map(|column| row.get(column)).collect();
    let sent = EXPORTERS as i64 * calls as i64;
    let calls = calls as i64;
    assert_eq!(found, [calls, calls, (1..=calls).sum(), SESSIONS as i64, sent, calls]);
}

/// Sessions of an agent, into which its calls are spread.
const SESSIONS: u64 = 7;

/// A call of Codex that used `n` tokens.
fn call_record(begin: u64, n: u64) -> LogRecord {
    LogRecord {
        time_unix_nano: begin + n * 1_000,
        attributes: vec![
            text("event.name", "codex.sse_event"),
            text("event.kind", "response.completed"),
            text("conversation.id", &format!("session {}", n % SESSIONS)),
            text("model", "gpt-5-mini"),
            text("input_token_count", &n.to_string()),
            text("output_token_count", "1"),
        ],
        ..record("")
    }
}

fn logs(of: Vec<LogRecord>) -> Request {
    let bytes = records("codex", of).encode_to_vec();
    Request { signal: Signal::Logs, ids: Vec::new(), bytes: Bytes::from(bytes) }
}
