//! LLM spans, and the models that were called.

use std::sync::Arc;

use harness::TestDatabase;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, Nanodollars, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_genai::prices::{Cost, Currency};
use llm_observatory_storage::CopyWriter;
use llm_observatory_storage::models::{LlmRow, SpanRow};
use llm_observatory_storage::repositories::LlmRepository;
use llm_observatory_storage::repositories::llm::{
    ListedLlmSpan, LlmFilter, LlmOrder, LlmSelection, ModelFilter, ModelOrder, Range,
};
use tokio_postgres::Client;

use super::{OTHER, after_midnight, database, pages, range, store_spans};
use crate::plans::{Reads, reads};
use crate::rows::{self, span_id, trace_id};

/// A billable call of `gpt` with a start `nanos` after midnight.
fn call(trace: u128, id: u64, nanos: i64) -> LlmRow {
    let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
    reading.request_model = Some("gpt".into());
    LlmRow::new(&rows::span(trace, id, after_midnight(nanos)), Arc::new(reading), 1)
}

/// A cost of so many billionths of a dollar.
fn dollars(amount: i64) -> Cost {
    Cost { amount, currency: Currency::USD, price_id: 7 }
}

/// The call, changed.
fn with(mut row: LlmRow, change: impl FnOnce(&mut LlmRow)) -> LlmRow {
    change(&mut row);
    row
}

async fn store(client: &Client, rows: &[LlmRow]) {
    CopyWriter::write_llm_spans(client, rows).await.unwrap();
}

fn ids(listed: &[ListedLlmSpan]) -> Vec<u64> {
    listed.iter().map(|listed| u64::from_be_bytes(*listed.row.span_id.as_bytes())).collect()
}

async fn repository(database: &TestDatabase) -> LlmRepository {
    LlmRepository::new(database.pool().await)
}

/// Calls over both days, with equal starts, equal values and values that were not told.
fn mixed() -> Vec<LlmRow> {
    let valued = |trace, id, nanos, tokens: Option<i64>, cost: Option<i64>, duration| {
        with(call(trace, id, nanos), |row| {
            Arc::make_mut(&mut row.reading).usage.output = tokens;
            (row.cost, row.duration_nanos) = (cost.map(dollars), duration);
        })
    };
    vec![
        valued(1, 1, -2_000, Some(5), Some(100), Some(9)),
        valued(1, 2, 0, Some(5), None, Some(3)),
        valued(2, 3, 0, None, Some(0), None),
        valued(2, 4, 1, Some(i64::MAX), Some(7), Some(9)),
        valued(1, 5, 1_000, Some(0), Some(100), Some(i64::MAX)),
        with(valued(1, 6, 2_000, Some(9), Some(999), Some(9)), |row| row.bill(false)),
        with(valued(1, 7, 0, Some(9), Some(9), Some(9)), |row| row.project_id = OTHER),
    ]
}

#[tokio::test]
async fn llm_spans_are_listed_in_every_order_and_in_pages_of_any_size() {
    let (database, writer) = database().await;
    store(&writer, &mixed()).await;
    let spans = repository(&database).await;
    let orders = [
        (LlmOrder::StartTime, [6, 5, 4, 3, 2, 1]),
        // Values that were not told come last, and equal values by start, trace and id.
        (LlmOrder::Duration, [5, 6, 4, 1, 2, 3]),
        // Span 6 is not billable: what it would cost does not count.
        (LlmOrder::Cost, [5, 1, 4, 3, 6, 2]),
        (LlmOrder::Tokens, [4, 6, 2, 1, 5, 3]),
    ];
    for (order, greatest_first) in orders {
        for ascending in [false, true] {
            let mut expected = greatest_first;
            if ascending {
                expected.reverse();
            }
            for limit in [1, 2, 4, 6] {
                let read = async |after| {
                    let filter = LlmFilter { order, ascending, after, limit, ..LlmFilter::default() };
                    spans.list(filter).await.unwrap()
                };
                let found = pages(read).await;
                assert_eq!(ids(&found.concat()), expected, "{order:?}, pages of {limit}");
                assert_eq!(found.len(), 6_usize.div_ceil(limit), "no empty page at the end");
            }
        }
    }
    let within = async |range, ascending| {
        let filter = LlmFilter { range, ascending, ..LlmFilter::default() };
        ids(&spans.list(filter).await.unwrap().items)
    };
    assert_eq!(within(range(0, 1), false).await, [3, 2], "the start belongs to a range, the end does not");
    assert_eq!(within(range(0, 1), true).await, [2, 3]);
    assert_eq!(within(range(1, 1_001), false).await, [5, 4]);
    assert_eq!(within(range(2, 1_000), false).await, Vec::<u64>::new());
    let other = spans.clone().of(OTHER).list(LlmFilter::default()).await.unwrap();
    assert_eq!(ids(&other.items), [7]);
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_though_spans_arrive() {
    let (database, writer) = database().await;
    store(&writer, &mixed()).await;
    let spans = repository(&database).await;
    // In each round a span arrives that the page before would have shown first.
    let rounds = [
        (LlmOrder::StartTime, 101, vec![6, 5], vec![4, 3, 2, 1]),
        (LlmOrder::Tokens, 102, vec![101, 4], vec![6, 2, 1, 5, 3]),
        (LlmOrder::Cost, 103, vec![102, 101], vec![5, 1, 4, 3, 6, 2]),
        (LlmOrder::Duration, 104, vec![103, 102], vec![101, 5, 6, 4, 1, 2, 3]),
    ];
    for (order, id, shown, expected) in rounds {
        let first = LlmFilter { order, limit: 2, ..LlmFilter::default() };
        let page = spans.list(first.clone()).await.unwrap();
        assert_eq!(ids(&page.items), shown, "{order:?}");
        let arrives = with(call(9, id, 9_000 + id.cast_signed()), |row| {
            Arc::make_mut(&mut row.reading).usage.output = Some(i64::MAX);
            (row.cost, row.duration_nanos) = (Some(dollars(i64::MAX)), Some(i64::MAX));
        });
        store(&writer, &[arrives]).await;
        let rest = spans.list(LlmFilter { after: page.next, limit: 9, ..first }).await.unwrap();
        assert_eq!(ids(&rest.items), expected, "{order:?}");
    }
}

#[tokio::test]
async fn every_filter_leaves_out_what_does_not_fit() {
    let (database, writer) = database().await;
    let odd = with(call(1, 1, 0), |row| {
        row.service_name = "shop".into();
        row.status = Some(StatusCode::ERROR);
        row.duration_nanos = Some(50);
        row.cost = Some(dollars(70));
        let reading = Arc::make_mut(&mut row.reading);
        reading.kind = LlmKind::Embedding;
        reading.provider = Some("openai".into());
        (reading.request_model, reading.response_model) = (None, Some("ada".into()));
        reading.session_id = Some("s1".into());
        reading.user_id = Some("u1".into());
        reading.tool_name = Some("t1".into());
        reading.agent_name = Some("a1".into());
        reading.prompt_name = Some("p1".into());
        reading.tags = vec!["blue".into(), "green".into()];
        reading.usage = TokenUsage { input: Some(30), output: Some(12), ..TokenUsage::default() };
    });
    let plain = with(call(2, 2, 0), |row| {
        (row.billable, row.usage_missing) = (false, true);
        Arc::make_mut(&mut row.reading).response_model = Some("ada".into());
    });
    store(&writer, &[odd, plain]).await;
    let spans = repository(&database).await;
    let text = |text: &str| Some(Text::from(text));
    let all = LlmSelection::default;
    let ranges = |least, most| Range { least: Some(least), most: Some(most) };
    let fit_the_first = [
        LlmSelection { kind: Some(LlmKind::Embedding), ..all() },
        LlmSelection { provider: text("openai"), ..all() },
        LlmSelection { model: text("ada"), ..all() },
        LlmSelection { service: text("shop"), ..all() },
        LlmSelection { session_id: text("s1"), ..all() },
        LlmSelection { user_id: text("u1"), ..all() },
        LlmSelection { status: Some(StatusCode::ERROR), ..all() },
        LlmSelection { billable: Some(true), ..all() },
        LlmSelection { usage_missing: Some(false), ..all() },
        LlmSelection { tool_name: text("t1"), ..all() },
        LlmSelection { agent_name: text("a1"), ..all() },
        LlmSelection { prompt_name: text("p1"), ..all() },
        LlmSelection { tag: text("green"), ..all() },
        LlmSelection { trace_id: Some(trace_id(1)), ..all() },
        LlmSelection { input_tokens: ranges(30, 30), ..all() },
        LlmSelection { output_tokens: ranges(12, 12), ..all() },
        LlmSelection { total_tokens: ranges(42, 42), ..all() },
        LlmSelection { cost: ranges(70, 70), ..all() },
        LlmSelection { duration: ranges(50, 50), ..all() },
    ];
    let found = async |selection: LlmSelection| {
        ids(&spans.list(LlmFilter { selection, ..LlmFilter::default() }).await.unwrap().items)
    };
    for selection in fit_the_first {
        assert_eq!(found(selection.clone()).await, [1], "{selection:?}");
    }
    let fit_none = [
        LlmSelection { model: text("ad"), ..all() },
        LlmSelection { tag: text("gree"), ..all() },
        LlmSelection { status: Some(StatusCode::OK), ..all() },
        LlmSelection { input_tokens: ranges(31, 99), ..all() },
        LlmSelection { output_tokens: ranges(0, 11), ..all() },
        LlmSelection { total_tokens: ranges(43, 99), ..all() },
        LlmSelection { cost: ranges(0, 69), ..all() },
        LlmSelection { duration: ranges(51, 99), ..all() },
        LlmSelection { session_id: text("s1"), provider: text("anthropic"), ..all() },
    ];
    for selection in fit_none {
        assert_eq!(found(selection.clone()).await, Vec::<u64>::new(), "{selection:?}");
    }
    assert_eq!(found(LlmSelection { status: Some(StatusCode::UNSET), ..all() }).await, [2]);
    assert_eq!(found(LlmSelection { model: text("gpt"), ..all() }).await, [2], "the model asked for");
}

#[tokio::test]
async fn models_of_long_names_are_told_apart() {
    let (database, writer) = database().await;
    let long = |end: &str| Text::from(format!("{}{end}", "\u{e4}".repeat(500)));
    let of =
        |id, end| with(call(1, id, 0), |row| Arc::make_mut(&mut row.reading).request_model = Some(long(end)));
    store(&writer, &[of(1, ""), of(2, "x"), of(3, "y")]).await;
    let spans = repository(&database).await;
    for (end, expected) in [("", 1), ("x", 2), ("y", 3)] {
        let selection = LlmSelection { model: Some(long(end)), ..LlmSelection::default() };
        let found = spans.list(LlmFilter { selection, ..LlmFilter::default() }).await.unwrap();
        assert_eq!(ids(&found.items), [expected]);
    }
}

/// The table was never analysed: the harness switches autovacuum off.
#[tokio::test]
async fn the_newest_of_a_model_or_session_come_from_an_index() {
    let (database, writer) = database().await;
    let spans: Vec<_> = (0..6_000_u32)
        .map(|n| {
            with(call(u128::from(n) + 1, 1, i64::from(n) * 1_000), |row| {
                Arc::make_mut(&mut row.reading).request_model = Some(Text::from(format!("model-{}", n % 20)));
                Arc::make_mut(&mut row.reading).session_id = Some(Text::from(format!("session-{}", n % 30)));
            })
        })
        .collect();
    store(&writer, &spans).await;
    drop(writer);
    let client = database.client().await;
    let selections = [
        (LlmSelection::default(), 150),
        (LlmSelection { model: Some("model-7".into()), ..LlmSelection::default() }, 150),
        (LlmSelection { session_id: Some("session-7".into()), ..LlmSelection::default() }, 150),
        (LlmSelection { trace_id: Some(trace_id(5_000)), ..LlmSelection::default() }, 1),
    ];
    for ascending in [false, true] {
        for (selection, most) in &selections {
            let filter = LlmFilter {
                range: range(-1_000, 3_600_000_000_000),
                selection: selection.clone(),
                ascending,
                limit: 100,
                ..LlmFilter::default()
            };
            let list = async |pool| LlmRepository::new(pool).list(filter).await.unwrap().items.len();
            let (found, reads) = reads(&database, &client, "trace_llm_spans", list).await;
            assert_eq!(found, (*most).min(100), "{selection:?}");
            let Reads { seq_scans, rows } = reads;
            assert!(seq_scans == 0 && rows <= i64::try_from(*most).unwrap(), "{selection:?}: {reads:?}");
        }
    }
}

#[tokio::test]
async fn models_are_summed_over_billable_calls() {
    let (database, writer) = database().await;
    let of = |id, model: &str, cost: Option<i64>, tokens: Option<i64>| {
        with(call(1, id, id as i64 * 1_000), |row| {
            Arc::make_mut(&mut row.reading).provider = Some("openai".into());
            Arc::make_mut(&mut row.reading).request_model = Some(model.into());
            Arc::make_mut(&mut row.reading).usage.input = tokens;
            Arc::make_mut(&mut row.reading).usage.cache_read = tokens.map(|count| count / 2);
            row.cost = cost.map(dollars);
        })
    };
    let calls = [
        of(1, "a", Some(5), Some(10)),
        of(2, "a", Some(6), Some(i64::MAX)),
        // An outer span that repeats the usage of another one.
        with(of(3, "a", Some(6), Some(20)), |row| row.bill(false)),
        of(4, "b", None, Some(1)),
        with(of(5, "b", None, None), |row| row.usage_missing = true),
        with(of(6, "c", Some(0), Some(1)), |row| row.service_name = "shop".into()),
        with(of(7, "c", Some(1), Some(1)), |row| Arc::make_mut(&mut row.reading).provider = None),
        // No call.
        with(of(8, "d", None, None), |row| Arc::make_mut(&mut row.reading).is_call = false),
        with(of(9, "e", Some(1), None), |row| row.project_id = OTHER),
    ];
    store(&writer, &calls).await;
    let spans = repository(&database).await;

    let names = async |filter: ModelFilter| {
        let read = async |after| spans.models(ModelFilter { after, ..filter.clone() }).await.unwrap();
        let found = pages(read).await.concat();
        found.iter().map(|found| format!("{}/{}", found.provider, found.model)).collect::<Vec<_>>()
    };
    let all = || ModelFilter { limit: 1, ..ModelFilter::default() };
    assert_eq!(names(all()).await, ["openai/a", "/c", "openai/c", "openai/b"]);
    let by = |order| ModelFilter { order, ..all() };
    assert_eq!(names(by(ModelOrder::Name)).await, ["/c", "openai/a", "openai/b", "openai/c"]);
    assert_eq!(names(by(ModelOrder::Calls)).await, ["openai/a", "openai/b", "/c", "openai/c"]);
    assert_eq!(names(by(ModelOrder::Tokens)).await, ["openai/a", "/c", "openai/b", "openai/c"]);
    // Euros are not added to dollars.
    let euros = Cost { currency: Currency::of("EUR").unwrap(), ..dollars(1_000) };
    store(&writer, &[with(of(10, "b", None, Some(1)), |row| row.cost = Some(euros))]).await;
    assert_eq!(names(all()).await, ["openai/a", "/c", "openai/c", "openai/b"]);
    assert_eq!(names(ModelFilter { unpriced_only: true, ..all() }).await, ["openai/b"]);
    assert_eq!(names(ModelFilter { service: Some("shop".into()), ..all() }).await, ["openai/c"]);
    assert_eq!(
        names(ModelFilter { provider: Some("openai".into()), range: range(3_000, 5_000), ..all() }).await,
        ["openai/a", "openai/b"]
    );

    let found = spans.models(ModelFilter::default()).await.unwrap().items;
    let a = &found[0];
    assert_eq!((a.calls, a.billable_calls, a.usage_missing_calls, a.unpriced_calls), (3, 2, 0, 0));
    assert_eq!(a.usage.input, Some(i64::MAX), "a sum beyond 2^63 is cut");
    assert_eq!((a.usage.cache_read, a.usage.output), (Some(5 + i64::MAX / 2), None));
    assert_eq!((a.cost, a.reported_cost), (Some(Nanodollars(11)), None));
    let micros = |nanos| UnixNanos(after_midnight(nanos).0 / 1_000 * 1_000);
    assert_eq!((a.first_seen, a.last_seen), (micros(1_000), micros(3_000)));
    let b = found.last().unwrap();
    assert_eq!((b.calls, b.billable_calls, b.usage_missing_calls, b.unpriced_calls), (3, 3, 1, 1));
    assert_eq!((b.cost, b.foreign_calls), (None, 1));
}

#[tokio::test]
async fn an_llm_span_is_looked_up_by_key() {
    let (database, writer) = database().await;
    let row = call(1, 1, -1);
    store(&writer, &[row.clone(), call(1, 2, -1), call(1, 1, 5_000)]).await;
    let spans = repository(&database).await;
    assert_eq!(spans.get(trace_id(1), row.start_time, span_id(1)).await.unwrap(), Some(row.clone()));
    assert_eq!(spans.get(trace_id(1), row.start_time, span_id(3)).await.unwrap(), None);
    assert_eq!(spans.of(OTHER).get(trace_id(1), row.start_time, span_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn status_messages_come_in_the_order_of_the_spans() {
    let (database, writer) = database().await;
    let told = |trace, id, nanos, message: &str| {
        let mut span = rows::span(trace, id, after_midnight(nanos));
        span.status_message = Text::from(message);
        span
    };
    let stored = [told(1, 1, -1, "yesterday"), told(1, 2, 5_000, "today"), told(2, 1, 5_000, "")];
    let other = SpanRow { project_id: OTHER, ..told(3, 1, 5_000, "of others") };
    store_spans(&writer, stored.into_iter().chain([other]).map(Into::into)).await;
    let asked = [call(2, 1, 5_000), call(1, 2, 5_000), call(3, 1, 5_000), call(1, 1, -1), call(9, 9, 0)];
    let spans = repository(&database).await;
    let messages = spans.status_messages(&asked.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(messages, ["", "today", "", "yesterday", ""].map(Text::from));
    assert_eq!(spans.status_messages(&[]).await.unwrap(), Vec::<Text>::new());
}
