//! Queries: lists and their pages, whole traces, and questions that are invalid.

use std::collections::BTreeSet;

use harness::admin::get;
use harness::daemon::Options;
use harness::telemetry::{SECOND, gauge, now, point, record, records, span, spans, trace_id};
use harness::{Daemon, TestDatabase, eventually};
use llm_observatory_proto::v1::{
    ListDataPointsRequest, ListLogsRequest, ListMetricsRequest, ListTracesRequest, TraceSummary,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::{Span, Status as SpanStatus};
use prost_types::{Duration, Timestamp};
use tonic::Code;

use crate::client::{BEGINNING, END, Exporter, Reader};

/// A daemon on a database of its own, with a client of each side.
pub(crate) async fn world() -> (TestDatabase, Daemon, Exporter, Reader) {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, reader) = (Exporter::to(&daemon).await, Reader::of(&daemon).await);
    (database, daemon, exporter, reader)
}

fn ids(traces: &[TraceSummary]) -> Vec<String> {
    traces.iter().map(|trace| trace.trace_id.clone()).collect()
}

fn timestamp(nanos: u64) -> Timestamp {
    Timestamp { seconds: (nanos / SECOND).cast_signed(), nanos: i32::try_from(nanos % SECOND).unwrap() }
}

#[tokio::test]
async fn pages_hold_every_trace_once_while_new_ones_arrive() {
    let (_database, _daemon, exporter, reader) = world().await;
    let begin = now() - 600 * SECOND;
    let trace = |n: u64, start| Span { start_time_unix_nano: start, ..span(u128::from(n), n) };
    // Three at a time start in the same nanosecond, and neighbours within the same microsecond.
    let first = (1..=30).map(|n| trace(n, begin + (n - 1) / 3)).collect();
    exporter.spans(spans("shop", first)).await.unwrap();

    let mut request = ListTracesRequest { page_size: 7, ..ListTracesRequest::default() };
    let mut listed = Vec::new();
    for newer in 100.. {
        let page = reader.traces(request.clone()).await.unwrap();
        assert!(page.traces.len() <= 7);
        listed.extend(ids(&page.traces));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        let arrives = vec![trace(newer, begin + newer * SECOND)];
        exporter.spans(spans("shop", arrives)).await.unwrap();
    }
    // Newest first; those of the same time by their ids.
    let expected: Vec<_> = (1..=30).rev().map(|n| hex::encode(trace_id(n))).collect();
    assert_eq!(listed, expected);

    let again = reader.traces(ListTracesRequest::default()).await.unwrap();
    assert_eq!(again.traces.len(), 34, "with the four that arrived between the pages");
}

#[tokio::test]
async fn a_summary_tells_what_the_spans_say() {
    let (_database, _daemon, exporter, reader) = world().await;
    let start = now() - 60 * SECOND;
    let root = Span {
        name: "GET /basket".to_owned(),
        start_time_unix_nano: start,
        end_time_unix_nano: start + 2 * SECOND + 7,
        ..span(1, 1)
    };
    let child = Span {
        parent_span_id: root.span_id.clone(),
        start_time_unix_nano: start + 1,
        end_time_unix_nano: start + 2,
        status: Some(SpanStatus { code: 2, message: "out of stock".to_owned() }),
        ..span(1, 2)
    };
    exporter.spans(spans("basket", vec![child])).await.unwrap();
    exporter.spans(spans("shop", vec![root])).await.unwrap();
    exporter.spans(spans("other", vec![span(2, 3)])).await.unwrap();

    let of = async |service: &str| {
        let request = ListTracesRequest { service: service.to_owned(), ..ListTracesRequest::default() };
        reader.traces(request).await.unwrap().traces
    };
    let expected = [TraceSummary {
        trace_id: hex::encode(trace_id(1)),
        root_name: "GET /basket".to_owned(),
        root_service: "shop".to_owned(),
        services: vec!["basket".to_owned(), "shop".to_owned()],
        start_time: Some(timestamp(start)),
        duration: Some(Duration { seconds: 2, nanos: 7 }),
        span_count: 2,
        error_count: 1,
    }];
    assert_eq!(of("shop").await, expected);
    assert_eq!(of("basket").await, expected);
    assert_eq!(ids(&of("other").await), [hex::encode(trace_id(2))]);
    assert!(of("sho").await.is_empty(), "services are compared exactly");
    assert_eq!(of("").await.len(), 2);
}

#[tokio::test]
async fn a_trace_across_midnight_is_one_trace() {
    let (_database, _daemon, exporter, reader) = world().await;
    let midnight = now() / (86_400 * SECOND) * 86_400 * SECOND;
    let before = Span {
        start_time_unix_nano: midnight - SECOND,
        end_time_unix_nano: midnight + 3 * SECOND,
        ..span(1, 1)
    };
    let after = Span {
        parent_span_id: before.span_id.clone(),
        start_time_unix_nano: midnight + SECOND,
        end_time_unix_nano: midnight + 2 * SECOND,
        ..span(1, 2)
    };
    // Late and out of order, as it happens.
    exporter.spans(spans("shop", vec![after])).await.unwrap();
    exporter.spans(spans("shop", vec![before])).await.unwrap();

    let between = async |start, end| {
        let request = ListTracesRequest {
            start_time: Some(timestamp(start)),
            end_time: Some(timestamp(end)),
            ..ListTracesRequest::default()
        };
        reader.traces(request).await.unwrap().traces
    };
    let listed = between(midnight - 60 * SECOND, midnight + 60 * SECOND).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].span_count, 2);
    assert_eq!(listed[0].root_name, "span 1");
    assert_eq!(listed[0].start_time, Some(timestamp(midnight - SECOND)));
    assert_eq!(listed[0].duration, Some(Duration { seconds: 4, nanos: 0 }));
    // It started before midnight; the start of a range belongs to it, the end does not.
    assert!(between(midnight, midnight + 60 * SECOND).await.is_empty());
    assert_eq!(between(midnight - SECOND, midnight).await.len(), 1);
    assert!(between(midnight - 60 * SECOND, midnight - SECOND).await.is_empty());

    let messages = reader.trace(&trace_id(1)).await.unwrap().concat();
    let names: Vec<_> = messages
        .iter()
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .map(|span| span.name.as_str())
        .collect();
    assert_eq!(names, ["span 1", "span 2"]);
}

#[tokio::test]
async fn times_at_both_ends_of_otlp_are_listed() {
    let (_database, _daemon, exporter, reader) = world().await;
    let at = |n: u64, time| Span {
        start_time_unix_nano: time,
        end_time_unix_nano: time,
        ..span(u128::from(n), n)
    };
    let sent = vec![at(1, 0), at(2, 1), at(3, u64::MAX)];
    exporter.spans(spans("shop", sent)).await.unwrap();
    let everything =
        ListTracesRequest { start_time: BEGINNING, end_time: END, ..ListTracesRequest::default() };
    let listed = reader.traces(everything).await.unwrap().traces;
    assert_eq!(ids(&listed), [3, 2, 1].map(|n| hex::encode(trace_id(n))));
}

#[tokio::test]
async fn a_large_trace_comes_in_several_messages() {
    const SPANS: u64 = 4_000;
    let (_database, _daemon, exporter, reader) = world().await;
    let start = now() - 60 * SECOND;
    // Sent in reverse: it is the reader that puts them in order.
    for request in (0..SPANS).collect::<Vec<_>>().chunks(500).rev() {
        let sent = request.iter().rev().map(|n| Span { start_time_unix_nano: start + n, ..span(1, n + 1) });
        exporter.spans(spans("shop", sent.collect())).await.unwrap();
    }
    let messages = reader.trace(&trace_id(1)).await.unwrap();
    assert!(messages.len() > 1, "one message of {SPANS} spans");
    let starts: Vec<_> = messages
        .concat()
        .iter()
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .map(|span| span.start_time_unix_nano - start)
        .collect();
    assert_eq!(starts, (0..SPANS).collect::<Vec<_>>());
}

#[tokio::test]
async fn wrong_questions_are_told_what_is_wrong() {
    let (_database, _daemon, exporter, reader) = world().await;
    let two = vec![span(1, 1), span(2, 2)];
    exporter.spans(spans("shop", two)).await.unwrap();
    let question =
        ListTracesRequest { service: "shop".to_owned(), page_size: 1, ..ListTracesRequest::default() };
    let token = reader.traces(question.clone()).await.unwrap().next_page_token;
    let wrong = [
        (
            ListTracesRequest { service: String::new(), page_token: token.clone(), ..question.clone() },
            "page_token",
        ),
        (ListTracesRequest { page_token: token[1..].to_owned(), ..question.clone() }, "page_token"),
        (ListTracesRequest { page_size: -1, ..question.clone() }, "page_size"),
        (ListTracesRequest { start_time: END, end_time: BEGINNING, ..question.clone() }, "end_time"),
    ];
    for (request, named) in wrong {
        let status = reader.traces(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains(named), "{status}");
    }
    // The size of a page may change on the way.
    let next = ListTracesRequest { page_size: 5, page_token: token, ..question };
    assert_eq!(reader.traces(next).await.unwrap().traces.len(), 1);

    let unknown = reader.trace(&trace_id(99)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
    for no_id in [&b""[..], &[1; 15], &[0; 16]] {
        let status = reader.trace(no_id).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains("trace_id"), "{status}");
    }
}

#[tokio::test]
async fn log_records_are_found_by_what_they_say() {
    let (_database, _daemon, exporter, reader) = world().await;
    let severe = LogRecord {
        severity_number: 17,
        trace_id: trace_id(1),
        span_id: 1_u64.to_be_bytes().to_vec(),
        event_name: "checkout.failed".to_owned(),
        ..record("The card was declined")
    };
    exporter.records(records("shop", vec![severe, record("all is well")])).await.unwrap();
    exporter.records(records("cart", vec![record("still well")])).await.unwrap();

    let all = ListLogsRequest::default;
    let questions = [
        (all(), 3),
        (ListLogsRequest { service: "cart".to_owned(), ..all() }, 1),
        (ListLogsRequest { trace_id: hex::encode(trace_id(1)), ..all() }, 1),
        (
            ListLogsRequest {
                span_id: "0000000000000001".to_owned(),
                trace_id: hex::encode(trace_id(1)),
                ..all()
            },
            1,
        ),
        (ListLogsRequest { min_severity_number: 17, ..all() }, 1),
        (ListLogsRequest { min_severity_number: 18, ..all() }, 0),
        (ListLogsRequest { text: "declined".to_owned(), ..all() }, 1),
        (ListLogsRequest { text: "well".to_owned(), ..all() }, 2),
        (ListLogsRequest { event_name: "checkout.failed".to_owned(), ..all() }, 1),
        (ListLogsRequest { end_time: Some(timestamp(now() - 60 * SECOND)), ..all() }, 0),
    ];
    for (request, expected) in questions {
        // One to a page, so that the pages are many.
        let request = ListLogsRequest { page_size: 1, ..request };
        let found = reader.records(request.clone()).await.unwrap();
        let found: usize =
            found.iter().flat_map(|resource| &resource.scope_logs).map(|scope| scope.log_records.len()).sum();
        assert_eq!(found, expected, "{request:?}");
    }
}

#[tokio::test]
async fn metrics_are_listed_and_their_points_found() {
    let (_database, _daemon, exporter, reader) = world().await;
    for (n, name) in ["queue.length", "cpu.load", "memory.free"].into_iter().enumerate() {
        let points = (0..=n as u64).map(|n| point(now() - n, 1)).collect();
        exporter.points(gauge(name, points)).await.unwrap();
    }
    let mut names = BTreeSet::new();
    let mut request = ListMetricsRequest { page_size: 2, ..ListMetricsRequest::default() };
    loop {
        let page = reader.metrics.clone().list_metrics(request.clone()).await.unwrap().into_inner();
        for metric in page.metrics {
            assert!(names.insert(metric.name.clone()), "{} is listed twice", metric.name);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names.iter().collect::<Vec<_>>(), ["cpu.load", "memory.free", "queue.length"]);

    for (name, expected) in [("queue.length", 1), ("memory.free", 3), ("", 6), ("none", 0)] {
        let request =
            ListDataPointsRequest { name: name.to_owned(), page_size: 1, ..ListDataPointsRequest::default() };
        let found = reader.points(request).await.unwrap();
        assert_eq!(harness::otlp::normalise::points(&found).len(), expected, "{name}");
    }
}

/// The number in the line of `/metrics` that begins with `name`; 0 when there is none.
fn metric(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

#[tokio::test]
async fn a_query_daemon_exports_metrics_of_its_questions() {
    let database = TestDatabase::new().await;
    let writer = Options::on(database.url()).argument("--role=ingest").start();
    Exporter::to(&writer).await.spans(spans("shop", vec![span(1, 1), span(1, 2), span(2, 3)])).await.unwrap();

    let daemon = Options::on(database.url()).argument("--role=query").start();
    let reader = Reader::of(&daemon).await;
    let read = async || get(daemon.admin(), "/metrics").await.1;
    assert_eq!(metric(&read().await, "observatory_query_calls_total"), 0.0);

    assert_eq!(reader.traces(ListTracesRequest::default()).await.unwrap().traces.len(), 2);
    assert_eq!(reader.trace(&trace_id(1)).await.unwrap().len(), 1);
    reader.trace(&trace_id(9)).await.unwrap_err();
    let backwards =
        ListTracesRequest { start_time: END, end_time: BEGINNING, ..ListTracesRequest::default() };
    reader.traces(backwards).await.unwrap_err();

    let expected = [
        ("observatory_query_calls_total{question=\"list_traces\",outcome=\"answered\"}", 1.0),
        ("observatory_query_calls_total{question=\"list_traces\",outcome=\"invalid\"}", 1.0),
        ("observatory_query_calls_total{question=\"get_trace\",outcome=\"answered\"}", 1.0),
        ("observatory_query_calls_total{question=\"get_trace\",outcome=\"not_found\"}", 1.0),
        ("observatory_query_rows_total{question=\"list_traces\"}", 2.0),
        ("observatory_query_rows_total{question=\"get_trace\"}", 2.0),
        ("observatory_query_seconds_count{question=\"get_trace\"}", 2.0),
        ("observatory_query_pool_max_connections", 10.0),
    ];
    // A streamed answer is counted when its end has been sent, and its reader may have that end a moment before.
    eventually("/metrics tells all that was asked", async || {
        let metrics = read().await;
        match expected.iter().find(|(name, value)| metric(&metrics, name) != *value) {
            None => Ok(()),
            Some((name, value)) => Err(format!("{name} is not {value} in\n{metrics}")),
        }
    })
    .await;
    let metrics = read().await;
    assert!(metric(&metrics, "observatory_query_pool_connections") >= 1.0, "{metrics}");
    assert!(metric(&metrics, "observatory_query_seconds_sum{question=\"list_traces\"}") > 0.0, "{metrics}");
}
