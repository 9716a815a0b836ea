//! Wrong clocks, of records and of the daemon itself: no record is lost for its time.

use std::path::PathBuf;

use harness::TestDatabase;
use harness::daemon::Options;
use harness::raw::{LOGS, METRICS, TRACES};
use harness::telemetry::{SECOND, gauge, now, point, record, records, span, spans};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::World;
use crate::caller::Caller;

const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// Clocks that were never set, that jumped, and that count beyond what a signed number or a calendar of today holds.
fn times() -> Vec<u64> {
    let year_2262 = i64::MAX as u64;
    vec![
        0,
        1,
        SECOND,
        DAY,
        now() - DAY,
        now() - HOUR,
        now() + HOUR,
        now() + 12 * HOUR,
        now() + 10 * DAY,
        year_2262 - 1,
        year_2262,
        year_2262 + 1,
        u64::MAX - 1,
        u64::MAX,
    ]
}

#[tokio::test]
async fn records_of_any_time_are_stored_and_stored_once() {
    let (world, times) = (World::new().await, times());
    let of_spans: Vec<_> = times
        .iter()
        .zip(1..)
        .map(|(&time, id)| Span {
            start_time_unix_nano: time,
            end_time_unix_nano: time,
            ..span(id, id as u64)
        })
        .collect();
    let of_logs: Vec<_> =
        times.iter().map(|&time| LogRecord { time_unix_nano: time, ..record("tick") }).collect();
    // A data point must say when it was: 0 says that it does not.
    let points: Vec<_> = times.iter().skip(1).map(|&time| point(time, 1)).collect();
    // The same records again in another request: the ledger can't know it, only their keys do.
    let again = |name: &str| {
        [
            (TRACES, spans(name, of_spans.clone()).encode_to_vec()),
            (
                METRICS,
                gauge("gauge", [points.clone(), vec![point(now(), name.len() as i64)]].concat())
                    .encode_to_vec(),
            ),
        ]
    };
    let mut requests = vec![(LOGS, records("shop", of_logs.clone()).encode_to_vec())];
    requests.extend(again("shop").into_iter().chain(again("shops")));
    for (method, body) in requests {
        assert_eq!(world.exporter.send_until_taken(method, body.into()).await.1.unwrap(), None, "{method}");
    }
    assert_eq!(world.count("trace_spans").await, of_spans.len());
    assert_eq!(world.count("logs").await, of_logs.len());
    assert_eq!(world.count("metric_data_points").await, points.len() + 2);
    // A span that never began has no end either; the others keep their time to the nanosecond.
    let nanos = "SELECT count(*) FROM trace_spans WHERE start_nanos::numeric \
                 + 1000 * (extract(epoch FROM start_time) * 1000000)::numeric = $1::text::numeric";
    for time in times {
        let row = world.client.query_one(nanos, &[&time.to_string()]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 1, "a span of {time}");
    }
}

/// The library that gives a process another clock.
fn libfaketime() -> PathBuf {
    let architectures = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let libraries = architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.is_file()).expect(
        "libfaketime is not in /usr/lib/*/faketime: apt install libfaketime (deploy/local/install test does it)",
    )
}

/// A daemon whose clock is this far off. Its timers are right: they go by the monotonic clock.
fn with_clock(database: &TestDatabase, offset: &str) -> Options {
    Options::on(database.url())
        .environment("LD_PRELOAD", libfaketime().to_string_lossy())
        .environment("FAKETIME", offset)
        .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_a_day_ahead_and_one_a_day_behind_share_a_database() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    // The request is the same for both: what one has stored, the other must know.
    let same = spans("shop", (1..=100).map(|id| span(id, id as u64)).collect()).encode_to_vec();
    for (clock, off) in [("+1d", DAY.cast_signed()), ("-1d", -DAY.cast_signed())] {
        let mut daemon = with_clock(&database, clock).start();
        let exporter = Caller::to(&daemon).await;
        let (_, answer) = exporter.send_until_taken(TRACES, same.clone().into()).await;
        assert_eq!(answer.unwrap(), None, "{clock}");
        let points = gauge(clock, vec![point(now(), 1)]).encode_to_vec();
        assert_eq!(exporter.send(METRICS, points.into()).await.unwrap(), None, "{clock}");

        // A record that knows no time gets that of its arrival: so we see which clock the daemon goes by.
        let timeless = LogRecord { time_unix_nano: 0, ..record(clock) };
        let body = records("shop", vec![timeless]).encode_to_vec();
        assert_eq!(exporter.send(LOGS, body.into()).await.unwrap(), None, "{clock}");
        let arrived = "SELECT (extract(epoch FROM time) * 1000)::bigint FROM logs WHERE body_text = $1";
        let arrived: i64 = client.query_one(arrived, &[&clock]).await.unwrap().get(0);
        let ahead = arrived * 1_000_000 - now().cast_signed();
        assert!(ahead.abs_diff(off) < HOUR, "{clock}: its clock is {} s ahead", ahead / 1_000_000_000);
        assert!(daemon.terminate().success());
        println!("{clock}: stored, with the daemon's clock {} s ahead", ahead / 1_000_000_000);
    }
    assert_eq!(super::count(&client, "trace_spans").await, 100);
    assert_eq!(super::count(&client, "metric_data_points").await, 2);
}
