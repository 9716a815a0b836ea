//! One call of an API that two spans tell, of which neither is above the other, counts once.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{ProjectId, ScopeId};
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::maintenance::settling::{self, Again, Days, Trace};
use llm_observatory_storage::models::ScopeRow;
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::writers::{Dictionary, TraceBatch, commit};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::plans::reads;
use crate::rows;
use crate::settling::{NOON, Store, at_once};

const MILLISECOND: u64 = 1_000_000;

/// A call with span id `id`, in a trace of its own number, from `from` to `to` milliseconds after noon.
fn call(dialect: Dialect, trace: u128, id: u64, response: Option<&str>, (from, to): (u64, u64)) -> Span {
    let mut reading = LlmReading::new(LlmKind::Llm, dialect);
    reading.provider = Some("anthropic".into());
    reading.request_model = Some("claude-haiku-4-5".into());
    reading.response_id = response.map(Into::into);
    reading.usage.input = Some(10);
    let mut row = rows::span(trace, id, UnixNanos(NOON.0 + from * MILLISECOND));
    row.parent_span_id = None;
    row.status = None;
    row.end_time = UnixNanos(NOON.0 + to * MILLISECOND);
    Span { llm: Some(Arc::new(reading)), ..row.into() }
}

fn outer(trace: u128, id: u64, response: Option<&str>) -> Span {
    call(Dialect::OpenLlmetry, trace, id, response, (0, 100))
}

fn inner(trace: u128, id: u64, response: Option<&str>) -> Span {
    call(Dialect::AnthropicSdk, trace, id, response, (10, 90))
}

fn below(parent: u64, span: Span) -> Span {
    let mut span = span;
    span.row.parent_span_id = Some(rows::span_id(parent));
    span
}

impl Store {
    /// Settles as if the transactions that ran when notes were written are over, until nothing is left to settle.
    async fn settle_in_the_end(&self) {
        for _ in 0..10 {
            if self.notes().await == 0 {
                return;
            }
            self.writer.execute("UPDATE llm_settling SET due = now(), again_at = now()", &[]).await.unwrap();
            self.settle().await;
        }
        panic!("traces note each other for ever");
    }

    /// Reads all spans of these traces again. Returns the number of readings that changed.
    async fn read_again(&self, traces: &[u128]) -> u64 {
        self.writer.batch_execute("BEGIN").await.unwrap();
        let mut changed = 0;
        for trace in traces {
            let trace = Trace { trace_id: rows::trace_id(*trace), project_id: ProjectId::DEFAULT };
            let days = Days::Between(NOON.day(), NOON.day());
            let settled = settling::settle(&self.writer, trace, days, Again::All, &at_once()).await.unwrap();
            changed += settled.changed;
        }
        self.writer.batch_execute("COMMIT").await.unwrap();
        changed
    }
}

#[tokio::test]
async fn siblings_and_traces_of_one_batch_are_decided_at_once() {
    for response in [Some("msg_1"), None] {
        let store = Store::new().await;
        store.spans([below(9, outer(1, 1, response)), below(9, inner(1, 2, Some("msg_1")))]).await;
        store.spans([outer(2, 3, response), inner(3, 4, Some("msg_1"))]).await;
        assert_eq!(store.billable().await, [2, 4], "{response:?}");
        let noted = "SELECT count(*) FROM llm_settling WHERE trace_id <> $1";
        let first = rows::trace_id(1).uuid();
        let noted: i64 = store.writer.query_one(noted, &[&first]).await.unwrap().get(0);
        assert_eq!(noted, 0, "only the parent that is not there may change anything");
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [2, 4], "{response:?}");
    }
}

#[tokio::test]
async fn siblings_in_two_batches() {
    for response in [Some("msg_1"), None] {
        for order in [[0, 1], [1, 0]] {
            let store = Store::new().await;
            let spans = [below(9, outer(1, 1, response)), below(9, inner(1, 2, Some("msg_1")))];
            for place in order {
                store.spans([spans[place].clone()]).await;
            }
            store.settle_in_the_end().await;
            assert_eq!(store.billable().await, [2], "{response:?} {order:?}");
            store.assert_calls().await;
        }
    }
}

#[tokio::test]
async fn two_traces_in_two_batches() {
    for response in [Some("msg_1"), None] {
        for order in [[0, 1], [1, 0]] {
            let store = Store::new().await;
            // The framework's call is below a span, the client's one is a root.
            let spans = [below(9, outer(1, 1, response)), inner(2, 2, Some("msg_1"))];
            for place in order {
                store.spans([spans[place].clone()]).await;
                store.settle().await;
            }
            store.settle_in_the_end().await;
            assert_eq!(store.billable().await, [2], "{response:?} {order:?}");
        }
    }
}

#[tokio::test]
async fn a_framework_that_begins_its_call_when_the_answer_begins() {
    for order in [[0, 1], [1, 0]] {
        let store = Store::new().await;
        let late = call(Dialect::LangSmith, 1, 1, Some("msg_1"), (20, 100));
        let spans = [below(9, late), inner(2, 2, Some("msg_1"))];
        for place in order {
            store.spans([spans[place].clone()]).await;
            store.settle().await;
        }
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [2], "{order:?}");
    }
}

/// The call in a trace that is a run of LangSmith's, inside another run, of which no span ever comes.
fn in_a_run(trace: u128, span: Span) -> Span {
    let mut span = span;
    span.row.trace_id = rows::trace_id(0x01a2_13ea_d9e4_75ac_98b9_826b_6ae8_0000 + trace);
    span.row.parent_span_id = Some(rows::span_id(0x01a2_13ea_da2e_7786));
    span
}

#[tokio::test]
async fn a_client_in_a_run_whose_spans_have_other_ids() {
    for order in [[0, 1], [1, 0]] {
        let store = Store::new().await;
        let spans = [below(9, outer(1, 1, Some("msg_1"))), in_a_run(2, inner(2, 2, Some("msg_1")))];
        for place in order {
            store.spans([spans[place].clone()]).await;
            store.settle().await;
        }
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [2], "{order:?}");
    }
}

#[tokio::test]
async fn a_late_outer_call_finds_the_one_inside_it_without_any_wait() {
    let store = Store::new().await;
    store.spans([inner(2, 2, Some("msg_1"))]).await;
    store.settle_in_the_end().await;
    store.spans([outer(1, 1, None)]).await;
    assert_eq!(store.settle().await, 1);
    assert_eq!((store.billable().await, store.notes().await), (vec![2], 0));
}

#[tokio::test]
async fn two_writers_at_once_do_not_see_each_other_and_are_settled_later() {
    let store = Store::new().await;
    store.spans([inner(2, 2, Some("msg_1"))]).await;
    // The other writer began before and commits after: its query did not find the first one.
    store.spans([outer(1, 1, None)]).await;
    let delete = "DELETE FROM llm_settling WHERE trace_id = $1";
    store.writer.execute(delete, &[&rows::trace_id(1).uuid()]).await.unwrap();
    assert_eq!(store.settle().await, 0, "it waits for transactions of the time when it was noted");
    assert_eq!(store.billable().await, [1, 2]);
    store.settle_in_the_end().await;
    assert_eq!(store.billable().await, [2]);
}

#[tokio::test]
async fn what_else_is_noted_does_not_end_the_wait() {
    let store = Store::new().await;
    store.spans([inner(2, 2, Some("msg_1"))]).await;
    store.spans([below(2, inner(2, 3, Some("msg_2")))]).await;
    assert_eq!(store.settle().await, 1, "two batches of one trace are settled at once");
    assert_eq!(store.notes().await, 1, "and later again");
    store.settle_in_the_end().await;
    assert_eq!(store.billable().await, [2, 3]);
}

#[tokio::test]
async fn the_span_that_tells_its_usage_counts() {
    for (response, order) in
        [(Some("msg_1"), [0, 1]), (Some("msg_1"), [1, 0]), (None, [0, 1]), (None, [1, 0])]
    {
        let store = Store::new().await;
        let mut silent = inner(2, 2, Some("msg_1"));
        Arc::make_mut(silent.llm.as_mut().unwrap()).usage.input = None;
        let spans = [outer(1, 1, response), silent];
        for place in order {
            store.spans([spans[place].clone()]).await;
        }
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [1], "{response:?} {order:?}");
    }
}

#[tokio::test]
async fn a_client_that_nothing_else_traces_counts() {
    let store = Store::new().await;
    store.spans([inner(1, 1, Some("msg_1")), inner(2, 2, Some("msg_2"))]).await;
    store.spans([inner(3, 3, None)]).await;
    store.settle_in_the_end().await;
    assert_eq!((store.billable().await, store.notes().await), (vec![1, 2, 3], 0));
    // An instrumented client whose SDK does not trace itself leaves no note.
    let store = Store::new().await;
    store.spans([outer(1, 1, Some("msg_1")), outer(2, 2, None)]).await;
    assert_eq!((store.billable().await, store.notes().await), (vec![1, 2], 0));
}

#[tokio::test]
async fn calls_of_one_model_at_the_same_time() {
    for split in [1, 3, 6] {
        let store = Store::new().await;
        let spans = [
            outer(1, 1, Some("msg_1")),
            inner(2, 2, Some("msg_1")),
            outer(3, 3, None),
            inner(4, 4, Some("msg_2")),
            outer(5, 5, Some("msg_3")),
            inner(6, 6, Some("msg_3")),
        ];
        for spans in spans.chunks(split) {
            store.spans(spans.iter().cloned()).await;
        }
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [2, 4, 6], "batches of {split}");
    }
}

#[tokio::test]
async fn a_framework_over_an_instrumented_client() {
    for order in [[0, 1], [1, 0]] {
        let store = Store::new().await;
        let mut framework = call(Dialect::OpenInference, 1, 1, None, (0, 100));
        let mut client = call(Dialect::OpenInference, 2, 2, Some("chatcmpl-1"), (10, 90));
        Arc::make_mut(framework.llm.as_mut().unwrap()).framework = Some("langchain".into());
        for span in [&mut framework, &mut client] {
            let reading = Arc::make_mut(span.llm.as_mut().unwrap());
            (reading.provider, reading.request_model) = (Some("openai".into()), Some("gpt-4o".into()));
        }
        let spans = [framework, client];
        for place in order {
            store.spans([spans[place].clone()]).await;
        }
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [2], "{order:?}");
    }
}

#[tokio::test]
async fn another_service_makes_calls_of_its_own() {
    let store = Store::new().await;
    let mut elsewhere = inner(2, 2, Some("msg_1"));
    elsewhere.row.service_name = "billing".into();
    store.spans([outer(1, 1, Some("msg_1"))]).await;
    store.spans([elsewhere]).await;
    store.settle_in_the_end().await;
    assert_eq!(store.billable().await, [1, 2]);
}

/// A call with the attributes and the scope from which it is read.
fn recorded(scope: u128, mut span: Span) -> Span {
    let reading = span.llm.as_ref().unwrap();
    let mut attributes = vec![
        Attribute::new("gen_ai.operation.name", "chat"),
        Attribute::new("gen_ai.provider.name", "anthropic"),
        Attribute::new("gen_ai.request.model", "claude-haiku-4-5"),
        Attribute::new("gen_ai.usage.input_tokens", 10),
    ];
    if let Some(response) = &reading.response_id {
        attributes.push(Attribute::new("gen_ai.response.id", response.to_string()));
    }
    span.row.attributes = Attributes::new(&attributes);
    span.row.scope_id = ScopeId(Uuid::from_u128(scope));
    span
}

fn scope(id: u128, name: &'static str) -> ScopeRow {
    ScopeRow {
        id: ScopeId(Uuid::from_u128(id)),
        project_id: ProjectId::DEFAULT,
        name: Text::from_static(name),
        version: Text::EMPTY,
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
        schema_url: Text::EMPTY,
    }
}

#[tokio::test]
async fn calls_that_are_read_again_keep_their_verdicts() {
    let store = Store::new().await;
    let (sdk, other) = (0x51, 0x52);
    let scopes =
        vec![scope(sdk, "com.anthropic.sdk.python"), scope(other, "opentelemetry.instrumentation.anthropic")];
    let spans = vec![
        recorded(other, outer(1, 1, None)),
        recorded(sdk, inner(2, 2, Some("msg_1"))),
        recorded(other, below(9, outer(3, 3, Some("msg_2")))),
        recorded(sdk, below(9, inner(3, 4, Some("msg_2")))),
    ];
    let batch = TraceBatch { scopes, spans: spans.clone(), ..TraceBatch::default() };
    commit(&store.writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
    store.settle_in_the_end().await;
    assert_eq!(store.billable().await, [2, 4]);
    store.read_again(&[1, 2, 3]).await;
    assert_eq!(store.billable().await, [2, 4]);
    assert_eq!(store.read_again(&[1, 2, 3]).await, 0, "nothing is written when nothing changed");
    assert_eq!(store.notes().await, 0);
    // As the binary before schema version 9 stored them: each trace is read for the first time.
    for order in [[1, 2, 3], [3, 2, 1]] {
        store.writer.batch_execute("DELETE FROM trace_llm_spans").await.unwrap();
        store.read_again(&order).await;
        store.settle_in_the_end().await;
        assert_eq!(store.billable().await, [2, 4], "{order:?}");
    }
}

/// Calls every second for eleven hours, each thousandth by a client that traces itself.
const MANY: &str = "
    INSERT INTO trace_llm_spans (start_time, duration_nanos, project_id, start_nanos, reading_version, is_call, billable,
                                 usage_missing, may_be_hidden, session_taken_over, user_taken_over, trace_id, span_id, kind,
                                 dialect, service_name, name)
    SELECT $1::timestamptz + n * interval '1 second', 1000, 1, 0, 1, true, true, false, n % 1000 = 0, false, false,
           gen_random_uuid(), '\\x0000000000000001',
           'llm', CASE WHEN n % 1000 = 0 THEN 'anthropic_sdk' ELSE 'openllmetry' END, '', 'call'
    FROM generate_series(1, 40000) AS n";

#[tokio::test]
async fn calls_of_other_traces_are_found_by_their_time() {
    let Store { database, writer } = Store::new().await;
    let at =
        |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_nanos(NOON.0) + Duration::from_secs(seconds);
    writer.execute(MANY, &[&at(0)]).await.unwrap();
    writer.batch_execute("ANALYZE trace_llm_spans").await.unwrap();
    drop(writer);
    let client = database.client().await;
    // Four hours of clients that trace themselves, and half a minute of all calls.
    for (name, from, most) in [("apart: hidden", at(0), 20), ("apart: around", at(14_400 - 30), 40)] {
        let statement = llm_observatory_storage::statements().into_iter().find(|known| known.name() == name);
        let to = at(14_400);
        let (found, reads) = reads(&database, &client, "trace_llm_spans", async |pool| {
            let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
                (&vec![from], Type::TIMESTAMPTZ_ARRAY),
                (&vec![to], Type::TIMESTAMPTZ_ARRAY),
                (&1, Type::INT4),
                (&from, Type::TIMESTAMPTZ),
                (&to, Type::TIMESTAMPTZ),
                (&vec![""], Type::TEXT_ARRAY),
                (&Uuid::nil(), Type::UUID),
                (&100_i64, Type::INT8),
            ];
            let connection = pool.connect_writer().await.unwrap();
            connection.query_typed(statement.unwrap().sql(), &parameters).await.unwrap().len()
        })
        .await;
        assert!(found > 10, "{name}: {found}");
        assert!(reads.seq_scans == 0 && reads.rows <= most, "{name}: {reads:?}");
    }
}
