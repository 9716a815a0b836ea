//! Log records.

use bytes::Bytes;
use llm_observatory_core::log::Severity;
use llm_observatory_storage::LogRepository;
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::models::attributes::ValueColumns;
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::repositories::TimeRange;
use llm_observatory_storage::repositories::log::{LogFilter, LogStatistics};

use super::{OTHER, after_midnight, database, pages, range, store_logs};
use crate::plans::reads;
use crate::rows::{self, span_id, trace_id};

fn ids<'l>(logs: impl IntoIterator<Item = &'l LogRow>) -> Vec<u128> {
    logs.into_iter().map(|log| log.id.as_u128()).collect()
}

fn text(body: &str) -> ValueColumns {
    ValueColumns { text: Some(Bytes::copy_from_slice(body.as_bytes())), ..ValueColumns::default() }
}

/// A record with a time `nanos` after [`MIDNIGHT`](rows::MIDNIGHT).
fn log(id: u128, nanos: i64, service: &str, severity: i32, body: &str) -> LogRow {
    LogRow {
        service_name: service.into(),
        severity: Severity(severity),
        body: text(body),
        ..rows::log(id, after_midnight(nanos))
    }
}

fn of_trace(trace: u128, span: Option<u64>, log: LogRow) -> LogRow {
    LogRow { trace_id: Some(trace_id(trace)), span_id: span.map(span_id), ..log }
}

/// Records of both days, with two services and without, in two traces and in none, with equal times, without a body,
/// and one record of the other project.
async fn store_mixed(writer: &WriterConnection) {
    let nothing = LogRow { body: ValueColumns::default(), ..log(5, 1, "", 0, "") };
    let logs = [
        log(1, -2_000, "api", 9, "Answer sent to the user"),
        of_trace(1, Some(1), log(2, 0, "api", 17, "the answer was EMPTY; asked again")),
        of_trace(1, None, log(3, 0, "api", 17, "answer")),
        of_trace(2, Some(1), log(4, 0, "web", 9, "a question")),
        nothing,
        of_trace(1, Some(2), log(6, 1_001, "api", 24, "no answers")),
        LogRow { project_id: OTHER, ..of_trace(1, Some(1), log(7, 0, "api", 17, "the answer of another")) },
    ];
    store_logs(writer, logs).await;
}

#[tokio::test]
async fn records_are_listed_newest_first_in_pages_of_any_size() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let logs = LogRepository::new(database.pool().await);
    for limit in 1..=6 {
        let read = async |after| logs.list(LogFilter { after, limit, ..LogFilter::default() }).await.unwrap();
        let found = pages(read).await;
        assert_eq!(ids(found.iter().flatten()), [6, 5, 4, 3, 2, 1], "pages of {limit}");
        assert_eq!(found.len(), 6_usize.div_ceil(limit));
    }
    let severe =
        LogFilter { min_severity: Severity::ERROR, service: Some("api".into()), ..LogFilter::default() };
    assert_eq!(ids(&logs.list(severe).await.unwrap().items), [6, 3, 2]);
    assert_eq!(ids(&logs.of(OTHER).list(LogFilter::default()).await.unwrap().items), [7]);
}

#[tokio::test]
async fn the_records_of_a_trace_come_newest_first() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let logs = LogRepository::new(database.pool().await);
    let all = LogFilter::default;
    let read =
        async |after| logs.by_trace(trace_id(1), LogFilter { after, limit: 2, ..all() }).await.unwrap();
    assert_eq!(pages(read).await.iter().map(ids).collect::<Vec<_>>(), [vec![6, 3], vec![2]]);
    let of_span = LogFilter { span_id: Some(span_id(1)), ..all() };
    assert_eq!(ids(&logs.by_trace(trace_id(1), of_span).await.unwrap().items), [2]);
    let first_day = LogFilter { range: range(-9_000, 1), ..all() };
    assert_eq!(ids(&logs.by_trace(trace_id(1), first_day).await.unwrap().items), [3, 2]);
    assert_eq!(ids(&logs.by_trace(trace_id(9), all()).await.unwrap().items), Vec::<u128>::new());
    assert_eq!(ids(&logs.of(OTHER).by_trace(trace_id(1), all()).await.unwrap().items), [7]);
}

#[tokio::test]
async fn a_search_finds_all_words_in_any_order_and_case() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let logs = LogRepository::new(database.pool().await);
    let all = LogFilter::default;
    let read = async |after| logs.search("ANSWER", LogFilter { after, limit: 2, ..all() }).await.unwrap();
    // "answers" is another word.
    assert_eq!(pages(read).await.iter().map(ids).collect::<Vec<_>>(), [vec![3, 2], vec![1]]);
    assert_eq!(ids(&logs.search("the answer", all()).await.unwrap().items), [2, 1]);
    assert_eq!(ids(&logs.search("empty the", all()).await.unwrap().items), [2]);
    assert_eq!(ids(&logs.search("nowhere", all()).await.unwrap().items), Vec::<u128>::new());
    let of_trace = LogFilter { trace_id: Some(trace_id(1)), ..all() };
    assert_eq!(ids(&logs.search("answer", of_trace).await.unwrap().items), [3, 2]);
    let severe = LogFilter { min_severity: Severity::ERROR, range: range(0, 1), ..all() };
    assert_eq!(ids(&logs.search("answer", severe).await.unwrap().items), [3, 2]);
    assert_eq!(ids(&logs.of(OTHER).search("answer", all()).await.unwrap().items), [7]);
}

/// Rare and common words among many records, with pages that go beyond the newest 2,000 records.
#[tokio::test]
async fn a_search_finds_old_records_among_many_newer_ones() {
    let (database, writer) = database().await;
    let body = |n: u128| if n.is_multiple_of(1_000) { "common rare" } else { "common" };
    store_logs(&writer, (0..5_000_u128).map(|n| log(n, n as i64 * 1_000, "api", 9, body(n)))).await;
    let logs = LogRepository::new(database.pool().await);
    let read = async |after| {
        logs.search("rare", LogFilter { after, limit: 2, ..LogFilter::default() }).await.unwrap()
    };
    let expected = [vec![4_000, 3_000], vec![2_000, 1_000], vec![0]];
    assert_eq!(pages(read).await.iter().map(ids).collect::<Vec<_>>(), expected);
    let read = async |after| {
        logs.search("common", LogFilter { after, limit: 2_500, ..LogFilter::default() }).await.unwrap()
    };
    let found = pages(read).await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2_500, 2_500]);
    assert_eq!(ids(found.iter().flatten()), (0..5_000).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn records_are_counted_by_service_and_severity() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let logs = LogRepository::new(database.pool().await);
    let of = |service: &str, severity, count| LogStatistics {
        service: service.into(),
        severity: Severity(severity),
        count,
    };
    let all = [of("", 0, 1), of("api", 9, 1), of("api", 17, 2), of("api", 24, 1), of("web", 9, 1)];
    assert_eq!(logs.statistics(TimeRange::ALL).await.unwrap(), all);
    assert_eq!(logs.statistics(range(0, 1)).await.unwrap(), [of("api", 17, 2), of("web", 9, 1)]);
    assert_eq!(logs.statistics(range(-1_999, 0)).await.unwrap(), []);
    assert_eq!(logs.of(OTHER).statistics(TimeRange::ALL).await.unwrap(), [of("api", 17, 1)]);
}

/// The table was never analysed: the harness switches autovacuum off.
#[tokio::test]
async fn a_list_reads_few_rows_beyond_its_page_without_statistics() {
    let (database, writer) = database().await;
    let record = |n: u64| {
        let body = if n % 100 == 7 { "a needle in the hay" } else { "nothing but hay" };
        let log =
            log(u128::from(n), n as i64 * 1_000, if n.is_multiple_of(2) { "api" } else { "web" }, 9, body);
        of_trace(u128::from(n / 10), None, log)
    };
    store_logs(&writer, (0..20_000).map(record)).await;
    drop(writer);
    let client = database.client().await;
    // Empties the pending list of the index of words, which is a small part of the index in a larger table.
    let indexes = "
        SELECT gin_clean_pending_list(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indrelid = 'logs_20260102'::regclass AND indexrelid::regclass::text LIKE '%tsvector%'";
    assert_eq!(client.execute(indexes, &[]).await.unwrap(), 1);
    let day = LogFilter { range: range(-1_000, 3_600_000_000_000), limit: 50, ..LogFilter::default() };
    let questions = [
        ("newest", LogFilter { ..day.clone() }, 50, 60),
        ("of a service", LogFilter { service: Some("api".into()), ..day.clone() }, 50, 120),
        ("of a trace", LogFilter { trace_id: Some(trace_id(3)), ..day.clone() }, 10, 10),
        // Twice the newest 2,000, and the 200 with the word.
        ("of a rare word", LogFilter { text: Some("needle".into()), ..day.clone() }, 50, 4_250),
        ("of a common word", LogFilter { text: Some("hay".into()), ..day }, 50, 100),
    ];
    for (question, filter, found, most) in questions {
        let list = async |pool| LogRepository::new(pool).list(filter).await.unwrap().items.len();
        let (items, reads) = reads(&database, &client, "logs", list).await;
        assert_eq!(items, found, "{question}");
        assert!(reads.seq_scans == 0 && reads.rows <= most, "{question}: {reads:?}");
    }
}
