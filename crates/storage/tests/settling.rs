//! Traces come out the same, whatever batches their spans and log records came in, and in which order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::TestDatabase;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::config::{SettlingConfig, WriteMethod};
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::maintenance::settling::{self, Again, Days, Trace};
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::models::{LogRow, SpanRow};
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::writers::{
    Dictionary, LogBatch, RequestRows, Search, TraceBatch, commit, commit_apart, commit_requests,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::plans::reads;
use crate::rows::{self, MIDNIGHT, count, stored};
use crate::speakers::speaking;

/// Settles without any wait.
pub(crate) fn at_once() -> SettlingConfig {
    SettlingConfig { delay_ms: 0, span_wait_us: 0, ..SettlingConfig::default() }
}

pub(crate) struct Store {
    pub(crate) database: TestDatabase,
    pub(crate) writer: WriterConnection,
}

impl Store {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let writer = database.writer().await;
        let days = [MIDNIGHT.day(), UnixNanos(MIDNIGHT.0 + 1).day()].into();
        for family in [Family::Traces, Family::Logs] {
            database.pool().await.partitions().ensure(&writer, family, &days).await.unwrap();
        }
        Self { database, writer }
    }

    pub(crate) async fn spans(&self, spans: impl IntoIterator<Item = Span>) {
        let batch = TraceBatch { spans: spans.into_iter().collect(), ..TraceBatch::default() };
        commit(&self.writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
    }

    async fn logs(&self, logs: impl IntoIterator<Item = LogRow>) {
        let batch = LogBatch { logs: logs.into_iter().collect(), ..LogBatch::default() };
        commit(&self.writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
    }

    pub(crate) async fn settle(&self) -> u64 {
        settling::settle_due(&self.writer, &at_once()).await.unwrap()
    }

    /// What is asked of each LLM span, in the order of their ids.
    async fn readings(&self) -> Vec<Json> {
        let columns = "span_id, start_time, billable, usage_missing, input_tokens, log_events, is_call, \
                       session_id, session_taken_over, user_id, user_taken_over";
        stored(&self.writer, &format!("(SELECT {columns} FROM trace_llm_spans)")).await
    }

    /// The ids of the billable calls.
    pub(crate) async fn billable(&self) -> Vec<u8> {
        let query = "SELECT get_byte(span_id, 7) FROM trace_llm_spans WHERE billable ORDER BY 1";
        self.writer.query(query, &[]).await.unwrap().iter().map(|row| row.get::<_, i32>(0) as u8).collect()
    }

    /// Asserts that `traces.llm_calls` is what it sums up.
    pub(crate) async fn assert_calls(&self) {
        let query = "
            SELECT (SELECT sum(llm_calls)::bigint FROM traces), (SELECT count(*) FROM trace_llm_spans WHERE is_call)";
        let row = self.writer.query_one(query, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
    }

    pub(crate) async fn notes(&self) -> i64 {
        count(&self.writer, "llm_settling").await
    }
}

fn at(span: &mut SpanRow, parent: u64) {
    span.parent_span_id = (parent > 0).then(|| rows::span_id(parent));
    span.end_time = UnixNanos(span.start_time.0 + 1_000_000);
}

pub(crate) fn plain(id: u64, parent: u64, start: UnixNanos) -> Span {
    let mut row = rows::span(1, id, start);
    at(&mut row, parent);
    row.into()
}

/// A call that tells `tokens`, or nothing.
pub(crate) fn call(id: u64, parent: u64, tokens: Option<i64>, start: UnixNanos) -> Span {
    let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
    reading.usage.input = tokens;
    Span { llm: Some(Arc::new(reading)), ..plain(id, parent, start) }
}

pub(crate) fn tool(id: u64, parent: u64, start: UnixNanos) -> Span {
    let reading = LlmReading::new(LlmKind::Tool, Dialect::OtelGenai);
    Span { llm: Some(Arc::new(reading)), ..plain(id, parent, start) }
}

pub(crate) const NOON: UnixNanos = UnixNanos(MIDNIGHT.0 - 43_200_000_000_000);

#[tokio::test]
async fn a_call_below_a_wrapper_is_found_in_any_order_of_batches() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
        let store = Store::new().await;
        let spans = [call(1, 0, Some(10), NOON), plain(2, 1, NOON), call(3, 2, Some(10), NOON)];
        for place in order {
            store.spans([spans[place].clone()]).await;
        }
        store.settle().await;
        assert_eq!(store.billable().await, [3], "{order:?}");
        assert_eq!(store.notes().await, 0, "{order:?}");
        store.assert_calls().await;
    }
}

/// Also where PostgreSQL has no statistics yet.
#[tokio::test]
async fn a_settling_reads_the_calls_of_its_trace_alone() {
    let store = Store::new().await;
    let other = |n: u64| {
        let mut other = call(n, 0, Some(10), UnixNanos(NOON.0 + n));
        other.row.trace_id = rows::trace_id(n.into());
        other
    };
    store.spans((10..3_000).map(other)).await;
    for span in [call(1, 2, Some(10), NOON), call(2, 0, Some(10), NOON)] {
        store.spans([span]).await;
    }
    let Store { database, writer } = store;
    drop(writer);
    let settle = async |pool: StoragePool| {
        settling::settle_due(&pool.connect_writer().await.unwrap(), &at_once()).await.unwrap()
    };
    let (settled, reads) = reads(&database, &database.client().await, "trace_llm_spans", settle).await;
    assert_eq!(settled, 1);
    assert!(reads.rows < 100, "{reads:?}");
}

#[tokio::test]
async fn a_trace_in_one_batch_needs_no_settling() {
    let store = Store::new().await;
    let spans = [
        plain(1, 0, NOON),
        call(2, 1, Some(10), NOON),
        call(3, 2, Some(10), NOON),
        tool(4, 1, NOON),
        call(5, 4, None, NOON),
    ];
    store.spans(spans).await;
    assert_eq!(store.notes().await, 0);
    assert_eq!(store.billable().await, [3, 5]);
    let missing =
        "SELECT count(*) FROM trace_llm_spans WHERE usage_missing AND span_id = '\\x0000000000000005'";
    assert_eq!(store.writer.query_one(missing, &[]).await.unwrap().get::<_, i64>(0), 1);
    store.assert_calls().await;
}

#[tokio::test]
async fn a_span_between_two_calls_of_an_earlier_batch_is_enough_to_settle() {
    let store = Store::new().await;
    store.spans([call(1, 0, Some(10), NOON), call(3, 2, Some(10), NOON)]).await;
    assert_eq!(store.billable().await, [1, 3], "nothing joins them yet");
    store.spans([plain(2, 1, NOON)]).await;
    store.settle().await;
    assert_eq!(store.billable().await, [3]);
    // A tool between them makes the lower call one of its own.
    let store = Store::new().await;
    store.spans([call(1, 0, Some(10), NOON), call(3, 2, Some(10), NOON)]).await;
    store.spans([tool(2, 1, NOON)]).await;
    store.settle().await;
    assert_eq!(store.billable().await, [1, 3]);
}

#[tokio::test]
async fn calls_on_both_sides_of_midnight_are_one_trace() {
    let before = UnixNanos(MIDNIGHT.0 - 500_000);
    let after = UnixNanos(MIDNIGHT.0 + 100_000);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let store = Store::new().await;
        let spans = [call(1, 0, Some(10), before), plain(2, 1, before), call(3, 2, Some(10), after)];
        for place in order {
            store.spans([spans[place].clone()]).await;
            store.settle().await;
        }
        assert_eq!(store.billable().await, [3], "{order:?}");
    }
}

#[tokio::test]
async fn a_version_that_replaces_a_span_replaces_its_reading() {
    for order in [[0, 1], [1, 0]] {
        let store = Store::new().await;
        let mut started = call(1, 0, None, NOON);
        started.row.end_time = UnixNanos::UNKNOWN;
        let versions = [started, call(1, 0, Some(7), NOON)];
        for place in order {
            store.spans([versions[place].clone()]).await;
        }
        store.settle().await;
        assert_eq!(store.readings().await[0]["input_tokens"], 7, "{order:?}");
        assert_eq!(count(&store.writer, "trace_llm_spans").await, 1);
        store.assert_calls().await;
    }
    // The better version is no LLM span: its reading goes.
    let store = Store::new().await;
    let mut started = call(1, 0, None, NOON);
    started.row.end_time = UnixNanos::UNKNOWN;
    store.spans([started]).await;
    store.spans([plain(1, 0, NOON)]).await;
    assert_eq!(count(&store.writer, "trace_llm_spans").await, 0);
    store.assert_calls().await;
}

/// A span as a real client sends it, without usage, whose log record tells the usage.
fn observed(id: u64, start: UnixNanos) -> Span {
    let attributes = [
        Attribute::new("gen_ai.operation.name", "chat"),
        Attribute::new("gen_ai.provider.name", "openai"),
        Attribute::new("gen_ai.request.model", "gpt-4o"),
    ];
    let mut span = call(id, 0, None, start);
    span.row.attributes = Attributes::new(&attributes);
    span
}

fn details(log: u128, id: u64, time: UnixNanos) -> LogRow {
    LogRow {
        trace_id: Some(rows::trace_id(1)),
        span_id: Some(rows::span_id(id)),
        event_name: "gen_ai.client.inference.operation.details".into(),
        attributes: Attributes::new(&[
            Attribute::new("gen_ai.usage.input_tokens", 1_000),
            Attribute::new("gen_ai.usage.output_tokens", 100),
        ]),
        is_llm_event: true,
        ..rows::log(log, time)
    }
}

async fn assert_joined(store: &Store, why: &str) {
    let reading = &store.readings().await[0];
    assert_eq!((&reading["input_tokens"], &reading["log_events"]), (&json!(1_000), &json!(1)), "{why}");
    assert_eq!(reading["usage_missing"], false, "{why}");
    // 1,000 tokens at $2.50 and 100 at $10 a million.
    let cost = "SELECT cost_usd::text FROM llm_spans";
    let cost: Option<String> = store.writer.query_one(cost, &[]).await.unwrap().get(0);
    assert_eq!(cost.map(|cost| cost.parse::<f64>().unwrap()), Some(0.0035), "{why}");
    assert_eq!(store.notes().await, 0, "{why}");
    store.assert_calls().await;
}

#[tokio::test]
async fn log_records_join_their_span_in_either_order() {
    let store = Store::new().await;
    store.spans([observed(1, NOON)]).await;
    assert_eq!(store.readings().await[0]["usage_missing"], true);
    store.logs([details(1, 1, NOON)]).await;
    store.settle().await;
    assert_joined(&store, "span first").await;

    let store = Store::new().await;
    store.logs([details(1, 1, NOON)]).await;
    store.settle().await;
    assert_eq!(store.notes().await, 1, "the note waits for the span");
    store.spans([observed(1, NOON)]).await;
    assert_eq!(store.settle().await, 1, "the span makes the note due");
    assert_joined(&store, "log record first").await;
}

#[tokio::test]
async fn log_records_of_another_day_join_their_span() {
    let store = Store::new().await;
    // The client told no time, so the record has the time at which it came: days later.
    let late = UnixNanos(NOON.0 + 10 * 86_400_000_000_000);
    store.database.pool().await.ensure_partitions(Family::Logs, &[late.day()].into()).await.unwrap();
    store.logs([details(1, 1, late)]).await;
    store.settle().await;
    store.spans([observed(1, NOON)]).await;
    store.settle().await;
    assert_joined(&store, "days apart").await;
}

#[tokio::test]
async fn a_replaced_span_keeps_what_its_log_records_told() {
    let store = Store::new().await;
    let mut started = observed(1, NOON);
    started.row.end_time = UnixNanos::UNKNOWN;
    store.spans([started]).await;
    store.logs([details(1, 1, NOON)]).await;
    store.settle().await;
    store.spans([observed(1, NOON)]).await;
    store.settle().await;
    assert_joined(&store, "replaced").await;
}

#[tokio::test]
async fn a_note_without_a_span_ends_at_last() {
    let store = Store::new().await;
    store.logs([details(1, 1, NOON), LogRow { is_llm_event: false, ..details(2, 1, NOON) }]).await;
    assert_eq!(store.notes().await, 1);
    let impatient = SettlingConfig { max_age_s: 0, ..at_once() };
    settling::settle_due(&store.writer, &impatient).await.unwrap();
    assert_eq!(store.notes().await, 0);
}

#[tokio::test]
async fn a_large_trace_rests_before_it_is_settled_again() {
    let store = Store::new().await;
    store.spans([call(1, 0, Some(1), NOON)]).await;
    store.spans([call(2, 1, Some(1), NOON)]).await;
    let slow = SettlingConfig { delay_ms: 0, span_wait_us: 3_600_000_000, ..SettlingConfig::default() };
    assert_eq!(settling::settle_due(&store.writer, &slow).await.unwrap(), 0);
    assert_eq!(store.notes().await, 1);
    assert_eq!(store.settle().await, 0, "its note says when it is due");
    store.writer.execute("UPDATE llm_settling SET due = now()", &[]).await.unwrap();
    assert_eq!(store.settle().await, 1);
    assert_eq!(store.billable().await, [2]);
}

#[tokio::test]
async fn a_trace_that_is_too_large_keeps_what_its_batches_told() {
    let store = Store::new().await;
    store.spans([call(1, 0, Some(1), NOON)]).await;
    store.spans([call(2, 1, Some(1), NOON)]).await;
    let small = SettlingConfig { max_spans: 1, ..at_once() };
    assert_eq!(settling::settle_due(&store.writer, &small).await.unwrap(), 0);
    assert_eq!((store.notes().await, store.billable().await), (0, vec![1, 2]));
}

#[tokio::test]
async fn one_daemon_settles_at_a_time() {
    let store = Store::new().await;
    store.spans([call(1, 0, Some(1), NOON)]).await;
    store.spans([call(2, 1, Some(1), NOON)]).await;
    let other = store.database.writer().await;
    other.query_one("SELECT pg_advisory_lock($1)", &[&settling::LOCK]).await.unwrap();
    assert_eq!(store.settle().await, 0, "the lock is taken");
    other.query_one("SELECT pg_advisory_unlock_all()", &[]).await.unwrap();
    assert_eq!(store.settle().await, 1);
}

#[tokio::test]
async fn old_spans_can_be_read_again() {
    let store = Store::new().await;
    // As the binary before schema version 9 stored it.
    store.spans([Span { llm: None, ..observed(1, NOON) }, plain(2, 1, NOON)]).await;
    store.logs([LogRow { is_llm_event: false, ..details(1, 1, NOON) }]).await;
    assert!(store.readings().await.is_empty());
    let trace = Trace { trace_id: rows::trace_id(1), project_id: ProjectId::DEFAULT };
    let days = Days::Between(NOON.day(), NOON.day());
    store.writer.batch_execute("BEGIN").await.unwrap();
    let settled = settling::settle(&store.writer, trace, days, Again::All, &at_once()).await.unwrap();
    store.writer.batch_execute("COMMIT").await.unwrap();
    assert_eq!((settled.spans, settled.changed), (2, 1));
    assert_joined(&store, "read again").await;
    store.writer.batch_execute("BEGIN").await.unwrap();
    let settled = settling::settle(&store.writer, trace, days, Again::All, &at_once()).await.unwrap();
    store.writer.batch_execute("COMMIT").await.unwrap();
    assert_eq!(settled.changed, 0, "nothing is written when nothing changed");
}

/// Up to eight spans of two traces, each a call, a tool or neither, in up to four batches. Some tell a session or a user.
fn batches() -> impl Strategy<Value = Vec<Vec<Span>>> {
    let told = || prop::sample::select(&["", "", "a", "b"][..]);
    let span = (0..2_u128, 0..9_u64, 0..4_u8, any::<bool>(), told(), told());
    let spans = prop::collection::vec(span, 1..9).prop_map(|spans| {
        let span = |(n, (trace, parent, what, late, session, user))| {
            let id = n + 1;
            // Half of them start after midnight, and all end there.
            let start =
                if late { UnixNanos(MIDNIGHT.0 + id * 1_000) } else { UnixNanos(MIDNIGHT.0 - id * 1_000) };
            let mut span = match what {
                0 => plain(id, parent, start),
                1 => tool(id, parent, start),
                2 => call(id, parent, None, start),
                _ => call(id, parent, Some(5), start),
            };
            span.row.trace_id = rows::trace_id(trace + 1);
            span.row.status = id.is_multiple_of(4).then_some(StatusCode::ERROR);
            speaking(session, user, span)
        };
        (0_u64..).zip(spans).map(span).collect::<Vec<_>>()
    });
    (spans, prop::collection::vec(0..4_usize, 9)).prop_map(|(spans, of)| {
        let mut batches = vec![Vec::new(); 4];
        spans.into_iter().zip(of).for_each(|(span, batch)| batches[batch].push(span));
        batches.retain(|batch| !batch.is_empty());
        batches
    })
}

/// The whole trace in one batch tells the truth: the rules of `genai::nesting` and `genai::speaker` over all of its spans.
#[test]
fn any_split_of_traces_gives_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::new());
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    runner
        .run(&batches(), |batches| {
            runtime.block_on(async {
                let clear = "TRUNCATE traces, trace_spans, trace_events, trace_llm_spans, llm_settling";
                store.writer.batch_execute(clear).await.unwrap();
                store.spans(batches.concat()).await;
                store.settle().await;
                let whole = store.readings().await;
                store.writer.batch_execute(clear).await.unwrap();
                for (n, batch) in batches.iter().enumerate() {
                    store.spans(batch.clone()).await;
                    if n % 2 == 0 {
                        store.settle().await;
                    }
                }
                store.spans(batches.concat()).await; // all of them again
                store.settle().await;
                assert_eq!(store.readings().await, whole);
                assert_eq!(store.notes().await, 0);
                store.assert_calls().await;
            });
            Ok(())
        })
        .unwrap();
}

/// A request with these spans.
fn request(hash: u128, spans: Vec<Span>) -> RequestRows<TraceBatch> {
    RequestRows {
        hash: Uuid::from_u128(hash),
        project_id: ProjectId::DEFAULT,
        batch: TraceBatch { spans, ..TraceBatch::default() },
        rejected: 0,
        rejections: Vec::new(),
    }
}

#[tokio::test]
async fn a_rejected_span_takes_its_reading_with_it() {
    let store = Store::new().await;
    let check = "ALTER TABLE trace_llm_spans ADD CONSTRAINT no_seven CHECK (input_tokens <> 7)";
    store.writer.batch_execute(check).await.unwrap();
    let spans = vec![call(1, 0, Some(1), NOON), call(2, 1, Some(7), NOON), call(3, 1, Some(1), NOON)];
    let request = request(1, spans);
    let dictionary = Dictionary::default();
    let refused = commit_requests(&store.writer, &dictionary, &[&request]).await.unwrap_err();
    assert_eq!(refused.failure(), Failure::Data);
    let search = Search { most: 10, until: Instant::now() + Duration::from_secs(60) };
    let (_, rejected) =
        commit_apart(&store.writer, &dictionary, &request, search, |_, _, _| None).await.unwrap();
    assert_eq!(rejected, [1]);
    assert_eq!(count(&store.writer, "trace_spans").await, 2);
    store.settle().await;
    assert_eq!(store.billable().await, [3], "1 and 3 came in different parts of the search");
    store.assert_calls().await;
}

#[tokio::test]
async fn a_reading_that_outlived_its_span_is_replaced() {
    let store = Store::new().await;
    store.spans([call(1, 0, Some(1), NOON)]).await;
    // As if the days of spans were dropped, and those of readings not.
    store.writer.batch_execute("DELETE FROM trace_spans; DELETE FROM traces").await.unwrap();
    store.spans([call(1, 0, Some(2), NOON)]).await;
    assert_eq!(store.readings().await[0]["input_tokens"], 2);
    store.assert_calls().await;
}

#[tokio::test]
async fn a_request_that_comes_again_changes_nothing() {
    let store = Store::new().await;
    let request = request(1, vec![call(1, 0, Some(10), NOON), call(2, 1, Some(10), NOON)]);
    for _ in 0..2 {
        commit_requests(&store.writer, &Dictionary::default(), &[&request]).await.unwrap();
    }
    assert_eq!((store.billable().await, store.notes().await), (vec![2], 0));
    store.assert_calls().await;
}

/// Writers of spans and of log records, with the same traces, while two jobs settle them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_and_settlers_at_once() {
    const TRACES: u128 = 6;
    const BATCHES: u64 = 12;
    let store = Store::new().await;
    let pool = store.database.pool().await;
    let tasks = (0..4_u64).map(|writer| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let connection = pool.connect_writer().await.unwrap();
            for batch in 0..BATCHES {
                // Each writer has the calls of one level: 1 above 2 above 3, and log records of 4 to say the same of all.
                let traces = (0..TRACES).filter(|trace| (u64::try_from(*trace).unwrap() + batch) % 3 != 0);
                let spans = traces.clone().map(|trace| {
                    let id = batch * 3 + writer % 3 + 1;
                    let parent = if writer % 3 == 0 { 0 } else { id - 1 };
                    let mut span = observed(id, UnixNanos(NOON.0 + batch * 1_000_000));
                    span.row.parent_span_id = (parent > 0).then(|| rows::span_id(parent));
                    span.row.trace_id = rows::trace_id(trace + 1);
                    span
                });
                let logs = traces.clone().map(|trace| LogRow {
                    trace_id: Some(rows::trace_id(trace + 1)),
                    ..details(u128::from(batch) * 100 + trace, batch * 3 + 3, NOON)
                });
                // A deadlock would be an error.
                if writer == 3 {
                    let batch = LogBatch { logs: logs.collect(), ..LogBatch::default() };
                    commit(&connection, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
                } else {
                    let batch = TraceBatch { spans: spans.collect(), ..TraceBatch::default() };
                    commit(&connection, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
                }
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let settling = tokio::spawn(async move {
        let connection = pool.connect_writer().await.unwrap();
        loop {
            settling::settle_due(&connection, &at_once()).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    for task in tasks {
        task.await.unwrap();
    }
    settling.abort();
    assert!(settling.await.unwrap_err().is_cancelled());
    // Notes of which the job was looking for the span have their wait before them.
    while store.notes().await > 0 {
        store.writer.execute("UPDATE llm_settling SET due = now()", &[]).await.unwrap();
        store.settle().await;
    }
    store.assert_calls().await;
    // The lowest call of each three tells its usage by its log record, so it is the one that counts.
    let wrong = "SELECT count(*) FROM trace_llm_spans
                 WHERE billable <> (get_byte(span_id, 7) % 3 = 0) OR usage_missing
                    OR (get_byte(span_id, 7) % 3 = 0) <> (coalesce(log_events, 0) = 1)";
    assert_eq!(store.writer.query_one(wrong, &[]).await.unwrap().get::<_, i64>(0), 0);
    assert_eq!(count(&store.writer, "trace_llm_spans").await, 4 * 12 * 3);
}
