//! Traces, spans and span events.

use futures_util::TryStreamExt as _;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_storage::TraceRepository;
use llm_observatory_storage::models::SpanRow;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::repositories::TimeRange;
use llm_observatory_storage::repositories::trace::{Durations, ServiceStatistics, SpanFilter, TraceFilter};

use super::{NEXT_DAY, OTHER, after_midnight, database, pages, range, store_spans};
use crate::plans::{Reads, reads};
use crate::rows::{self, MIDNIGHT, event, failed, span_id, trace_id};

/// A span of a service with a start `nanos` after [`MIDNIGHT`].
fn span(trace: u128, id: u64, nanos: i64, service: &str) -> SpanRow {
    SpanRow { service_name: service.into(), ..rows::span(trace, id, after_midnight(nanos)) }
}

fn of_other_project(span: SpanRow) -> Span {
    SpanRow { project_id: OTHER, ..span }.into()
}

fn ids<'s>(spans: impl IntoIterator<Item = &'s SpanRow>) -> Vec<u64> {
    spans.into_iter().map(|span| u64::from_be_bytes(*span.span_id.as_bytes())).collect()
}

#[tokio::test]
async fn a_trace_is_the_sum_of_its_days() {
    let (database, writer) = database().await;
    let mut root = span(1, 1, -9_000, "web");
    root.name = "GET /".into();
    let mut child = failed(span(1, 2, 2_000, "api"));
    (child.parent_span_id, child.end_time) = (Some(root.span_id), after_midnight(7_500));
    let undated = SpanRow { parent_span_id: Some(root.span_id), ..rows::span(1, 3, UnixNanos::UNKNOWN) };
    let all = [root.clone(), child, undated];
    store_spans(&writer, all.clone().map(Span::from)).await;
    store_spans(&writer, all.map(Span::from)).await; // a retry counts nothing twice
    store_spans(
        &writer,
        [span(2, 4, 0, "cron").into(), of_other_project(failed(span(1, 5, -1_000_000, "spy")))],
    )
    .await;

    let traces = TraceRepository::new(database.pool().await);
    let trace = traces.get(trace_id(1)).await.unwrap().unwrap();
    assert_eq!((trace.span_count, trace.error_count), (3, 1));
    assert_eq!((trace.start_time, trace.end_time), (root.start_time, after_midnight(7_500)));
    assert_eq!(trace.services, ["api".into(), "web".into()]);
    let found = trace.root.unwrap();
    assert_eq!((found.span_id, found.name, found.service), (root.span_id, "GET /".into(), "web".into()));

    let other = traces.clone().of(OTHER).get(trace_id(1)).await.unwrap().unwrap();
    assert_eq!((other.span_count, other.services), (1, vec!["spy".into()]));
    assert_eq!(traces.get(trace_id(9)).await.unwrap(), None);
    assert_eq!(traces.of(OTHER).get(trace_id(2)).await.unwrap(), None);
}

/// A trace with two spans of the same start at the end of its first day, and three spans on the next day, the first two
/// of which have the same start.
fn over_two_days() -> Vec<Span> {
    let starts = [(12, -999), (11, -999), (22, 1), (21, 1), (23, 5_000)];
    starts.into_iter().map(|(id, nanos)| span(1, id, nanos, "api").into()).collect()
}

#[tokio::test]
async fn the_spans_of_a_trace_come_by_start_in_pages_of_any_size() {
    let (database, writer) = database().await;
    store_spans(&writer, over_two_days()).await;
    store_spans(&writer, [span(2, 13, -999, "api").into(), of_other_project(span(1, 14, -999, "api"))]).await;
    let traces = TraceRepository::new(database.pool().await);
    // Pages of two end with the first day: an empty page must not end the list.
    for (rows, sizes) in [(1, vec![1; 5]), (2, vec![2, 2, 1]), (3, vec![2, 3]), (500, vec![2, 3])] {
        let pages: Vec<Vec<Span>> = traces.span_pages(trace_id(1), rows).try_collect().await.unwrap();
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "pages of {rows}");
        assert_eq!(ids(pages.iter().flatten().map(|span| &span.row)), [11, 12, 21, 22, 23]);
    }
    let none: Vec<Span> = traces.spans(trace_id(9)).try_collect().await.unwrap();
    assert_eq!(none, []);
}

#[tokio::test]
async fn spans_of_the_same_start_that_overflow_a_page_come_once_each() {
    let (database, writer) = database().await;
    let count = TraceRepository::PAGE_ROWS as u64 + 1;
    let spans = (1..=count).map(|id| {
        let row = span(1, id, 0, "api");
        Span { events: vec![event(&row, 0, &id.to_string())], ..row.into() }
    });
    store_spans(&writer, spans).await;
    let traces = TraceRepository::new(database.pool().await);
    let spans: Vec<Span> = traces.spans(trace_id(1)).try_collect().await.unwrap();
    assert_eq!(ids(spans.iter().map(|span| &span.row)), (1..=count).collect::<Vec<_>>());
    for span in &spans {
        assert_eq!(span.events.len(), 1);
        assert_eq!(span.events[0].span_id, span.row.span_id);
    }
    let events: Vec<_> = traces.events(trace_id(1)).try_collect().await.unwrap();
    let names: Vec<String> = events.iter().map(|event| event.name.to_string()).collect();
    assert_eq!(names, (1..=count).map(|id| id.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_come_by_their_span_and_their_place_in_it() {
    let (database, writer) = database().await;
    let mut spans = over_two_days();
    for span in &mut spans {
        let id = span.row.span_id.as_bytes()[7];
        span.events = (0..2).map(|n| event(&span.row, n, &format!("{id}.{n}"))).collect();
    }
    // The first span has no events; its neighbours keep theirs.
    spans.iter_mut().find(|span| span.row.span_id == span_id(11)).unwrap().events.clear();
    let stranger = span(2, 11, -999, "api");
    store_spans(&writer, spans).await;
    store_spans(&writer, [Span { events: vec![event(&stranger, 0, "strange")], ..stranger.into() }]).await;

    let traces = TraceRepository::new(database.pool().await);
    let names = ["12.0", "12.1", "21.0", "21.1", "22.0", "22.1", "23.0", "23.1"];
    let events: Vec<_> = traces.events(trace_id(1)).try_collect().await.unwrap();
    assert_eq!(events.iter().map(|event| &*event.name).collect::<Vec<_>>(), names);
    let spans: Vec<Span> = traces.spans(trace_id(1)).try_collect().await.unwrap();
    assert_eq!(spans[0].events, []);
    let of_spans: Vec<_> = spans.iter().flat_map(|span| &span.events).map(|event| &*event.name).collect();
    assert_eq!(of_spans, names);
}

#[tokio::test]
async fn of_several_spans_with_one_id_the_earliest_is_found_with_its_events() {
    let (database, writer) = database().await;
    let rows = [span(1, 1, 5_000, "late"), span(1, 1, -5_000, "early"), span(1, 2, -5_000, "neighbour")];
    let spans = rows.map(|row| Span { events: vec![event(&row, 0, &row.service_name)], ..row.into() });
    store_spans(&writer, spans).await;
    store_spans(&writer, [of_other_project(span(1, 1, -9_000, "spy")), span(2, 3, 0, "api").into()]).await;
    let traces = TraceRepository::new(database.pool().await);
    let found = traces.span(trace_id(1), span_id(1)).await.unwrap().unwrap();
    assert_eq!(found.row.service_name, "early".into());
    assert_eq!(found.events.iter().map(|event| &*event.name).collect::<Vec<_>>(), ["early"]);
    assert_eq!(
        traces.span(trace_id(1), span_id(3)).await.unwrap(),
        None,
        "the span belongs to another trace"
    );
    assert_eq!(traces.span(trace_id(9), span_id(1)).await.unwrap(), None);
    let other = traces.of(OTHER).span(trace_id(1), span_id(1)).await.unwrap().unwrap();
    assert_eq!((other.row.service_name, other.events), ("spy".into(), vec![]));
}

/// Spans of both days, with two services and without, with and without errors, with equal starts, and one of the other
/// project.
async fn store_mixed(writer: &WriterConnection) {
    let with = |mut row: SpanRow, status: Option<i32>, lasts: Option<u64>| {
        row.status = status.map(StatusCode);
        row.end_time = lasts.map_or(UnixNanos::UNKNOWN, |nanos| UnixNanos(row.start_time.0 + nanos));
        Span::from(row)
    };
    let spans = [
        with(span(1, 1, -2_000, "api"), None, Some(30)),
        with(span(1, 2, 0, "api"), Some(2), Some(10)),
        with(span(2, 3, 0, "api"), Some(1), None),
        with(span(2, 4, 0, "web"), Some(2), None),
        // One nanosecond later: another day, and later than the three above.
        with(span(1, 5, 1, ""), Some(0), Some(7)),
        with(span(1, 6, 1_001, "api"), Some(2), Some(20)),
        of_other_project(failed(span(1, 7, 0, "api"))),
    ];
    store_spans(writer, spans.clone()).await;
    store_spans(writer, spans).await; // a retry
}

#[tokio::test]
async fn spans_are_listed_newest_first_in_pages_of_any_size() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let traces = TraceRepository::new(database.pool().await);
    // Of spans with equal starts the higher trace comes first, then the higher span.
    let newest_first = [6, 5, 4, 3, 2, 1];
    for limit in 1..=6 {
        let read = async |after| {
            traces.list_spans(SpanFilter { after, limit, ..SpanFilter::default() }).await.unwrap()
        };
        let found = pages(read).await;
        assert_eq!(ids(found.iter().flatten()), newest_first, "pages of {limit}");
        assert_eq!(found.len(), 6_usize.div_ceil(limit), "no empty page at the end");
    }
    let within = async |range| {
        ids(&traces.list_spans(SpanFilter { range, ..SpanFilter::default() }).await.unwrap().items)
    };
    assert_eq!(within(range(0, 1)).await, [4, 3, 2], "the start belongs to a range, the end does not");
    assert_eq!(within(range(-2_000, 0)).await, [1]);
    assert_eq!(within(range(1, 1_001)).await, [5]);
    assert_eq!(within(range(2, 1_001)).await, Vec::<u64>::new());
    let other = traces.of(OTHER).list_spans(SpanFilter::default()).await.unwrap();
    assert_eq!(ids(&other.items), [7]);
}

#[tokio::test]
async fn spans_are_listed_by_service_and_by_failure() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let traces = TraceRepository::new(database.pool().await);
    let all = SpanFilter::default;
    let read = async |after| traces.by_service("api", SpanFilter { after, limit: 2, ..all() }).await.unwrap();
    let of_api = pages(read).await;
    assert_eq!(of_api.iter().map(ids).collect::<Vec<_>>(), [vec![6, 3], vec![2, 1]]);
    assert_eq!(ids(&traces.by_service("", all()).await.unwrap().items), [5], "a service without a name");
    assert_eq!(ids(&traces.by_service("ap", all()).await.unwrap().items), Vec::<u64>::new());

    // A span without a status did not fail.
    assert_eq!(ids(&traces.errors(all()).await.unwrap().items), [6, 4, 2]);
    let of_api = SpanFilter { service: Some("api".into()), ..all() };
    assert_eq!(ids(&traces.errors(of_api).await.unwrap().items), [6, 2]);
    let first_day = SpanFilter { range: range(-9_000, 1), ..all() };
    assert_eq!(ids(&traces.errors(first_day).await.unwrap().items), [4, 2]);
}

#[tokio::test]
async fn services_are_counted_with_their_failures_and_durations() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let traces = TraceRepository::new(database.pool().await);
    let of = |service: &str, span_count, error_count, durations: Option<[i64; 3]>| ServiceStatistics {
        service: service.into(),
        span_count,
        error_count,
        durations: durations.map(|[p50, p95, p99]| Durations { p50, p95, p99 }),
    };
    let all = [
        of("", 1, 0, Some([7, 7, 7])),
        // 10, 20 and 30; the span without an end has no duration.
        of("api", 4, 2, Some([20, 30, 30])),
        of("web", 1, 1, None),
    ];
    assert_eq!(traces.statistics(TimeRange::ALL).await.unwrap(), all);
    let tie = [of("api", 2, 1, Some([10, 10, 10])), of("web", 1, 1, None)];
    assert_eq!(traces.statistics(range(0, 1)).await.unwrap(), tie);
    assert_eq!(traces.statistics(range(-1_999, 0)).await.unwrap(), []);
    assert_eq!(traces.of(OTHER).statistics(TimeRange::ALL).await.unwrap(), [of("api", 1, 1, None)]);
}

#[tokio::test]
async fn one_trace_and_one_span_are_looked_up_by_key() {
    let (database, writer) = database().await;
    // 300 traces of ten spans, over both days; every span has an event.
    let spans = (0..3_000).map(|n| {
        let row = rows::span(u128::from(n % 300), n + 1, if n < 1_500 { MIDNIGHT } else { NEXT_DAY });
        Span { events: vec![event(&row, 0, "e")], ..row.into() }
    });
    store_spans(&writer, spans).await;
    drop(writer);
    let client = database.client().await;
    let get = async |pool| TraceRepository::new(pool).get(trace_id(7)).await.unwrap().unwrap().span_count;
    let found = reads(&database, &client, "traces", get).await;
    assert_eq!(found, (10, Reads { seq_scans: 0, rows: 2 }), "a row for each day");

    let get = async |pool| TraceRepository::new(pool).span(trace_id(7), span_id(8)).await.unwrap().is_some();
    for (table, rows) in [("traces", 2), ("trace_spans", 1), ("trace_events", 1)] {
        let found = reads(&database, &client, table, get).await;
        assert_eq!(found, (true, Reads { seq_scans: 0, rows }), "{table}");
    }

    let get = async |pool| {
        TraceRepository::new(pool)
            .spans(trace_id(7))
            .try_fold(0, async |count, _| Ok(count + 1))
            .await
            .unwrap()
    };
    for (table, rows) in [("trace_spans", 10), ("trace_events", 10)] {
        let found = reads(&database, &client, table, get).await;
        assert_eq!(found, (10, Reads { seq_scans: 0, rows }), "{table}");
    }
}

/// The table was never analysed: the harness switches autovacuum off.
#[tokio::test]
async fn a_page_of_traces_reads_few_rows_beyond_it_without_statistics() {
    let (database, writer) = database().await;
    let spans = (0..5_000)
        .map(|n| span(n, 1, n as i64 * 1_000, if n.is_multiple_of(2) { "api" } else { "web" }).into());
    store_spans(&writer, spans).await;
    drop(writer);
    let client = database.client().await;
    for (service, most) in [(None, 300), (Some("api".into()), 400)] {
        let filter = TraceFilter {
            range: range(-1_000, 3_600_000_000_000),
            service,
            limit: 50,
            ..TraceFilter::default()
        };
        let list = async |pool| TraceRepository::new(pool).list(filter).await.unwrap().items.len();
        let (traces, reads) = reads(&database, &client, "traces", list).await;
        assert_eq!(traces, 50);
        assert!(reads.seq_scans == 0 && reads.rows <= most, "{reads:?}");
    }
}
