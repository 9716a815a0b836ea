//! Requests and records over a limit, or that cannot be read: the daemon refuses them for good, or rejects the record alone.

use harness::TestDatabase;
use harness::daemon::Options;
use harness::raw::{self, LOGS, METRICS, TRACES};
use harness::retry::is_for_good;
use harness::telemetry::{span, spans, text};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::client::Exporter;
use crate::database::count;
use crate::mending::{World, told};

async fn refused(channel: &Channel, method: &str, encoding: Option<&str>, payload: &[u8]) -> Status {
    raw::send::<ExportTraceServiceResponse>(channel, method, encoding, payload).await.unwrap_err()
}

#[tokio::test]
async fn what_is_no_protobuf_is_refused_for_good() {
    let world = World::new().await;
    for method in [TRACES, METRICS, LOGS] {
        // A group that ends before its length, a group of another wire type, and no protobuf at all.
        for payload in [&[0x0a, 5, 1][..], &[0x08, 1], &[0xff; 16]] {
            let status = refused(&world.channel, method, None, payload).await;
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            assert!(status.message().starts_with("not a valid OTLP request: "), "{status}");
        }
    }
    let status = refused(&world.channel, &TRACES.replace("Export", "Import"), None, b"").await;
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn what_cannot_be_decompressed_is_refused_for_good() {
    let world = World::new().await;
    let request = raw::request(&[span(1, 1).encode_to_vec()]);
    for encoding in ["gzip", "zstd"] {
        let status = refused(&world.channel, TRACES, Some(encoding), &request).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{encoding}: {status}");
    }
    let status = refused(&world.channel, TRACES, Some("snappy"), &request).await;
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
    assert_eq!(count(&world.client, "trace_spans").await, 0);
}

#[tokio::test]
async fn what_is_too_large_is_refused_for_good() {
    let database = TestDatabase::new().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("observatory.yaml");
    std::fs::write(&config, "ingest:\n  max_request_bytes: 100000\n").unwrap();
    let options = Options::on(database.url()).argument("--config");
    let daemon = options.argument(config.to_string_lossy()).start();

    let of_size = |size: usize| {
        let mut sent = span(1, 1);
        sent.attributes = vec![text("text", &"x".repeat(size))];
        spans("shop", vec![sent])
    };
    let plain = Exporter::to(&daemon).await;
    let exporters = [
        plain.clone(),
        plain.clone().compressing(CompressionEncoding::Gzip),
        plain.clone().compressing(CompressionEncoding::Zstd),
    ];
    for exporter in &exporters {
        let status = exporter.spans(of_size(100_000)).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.message().contains("ingest.max_request_bytes"), "{status}");
        assert!(is_for_good(&status), "{status:?}");
    }
    for exporter in &exporters {
        assert_eq!(exporter.spans(of_size(99_000)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_record_with_too_many_elements_is_rejected_and_a_request_with_too_many_records_refused() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_INGEST__MAX_RECORD_ELEMENTS", "100")
        .environment("OBSERVATORY_INGEST__MAX_REQUEST_RECORDS", "50")
        .start();
    let exporter = Exporter::to(&daemon).await;
    let crowded = Span { attributes: (0..101).map(|n| text(&format!("k{n}"), "v")).collect(), ..span(1, 1) };
    let (rejected, message) = told(exporter.spans(spans("shop", vec![crowded, span(1, 2)])).await.unwrap());
    assert_eq!(rejected, 1);
    assert!(message.contains("spans[0]") && message.contains("ingest.max_record_elements"), "{message}");
    let status = exporter.spans(spans("shop", (1..=51).map(|id| span(1, id)).collect())).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.message().contains("ingest.max_request_records"), "{status}");
    assert!(is_for_good(&status), "{status:?}");
    assert_eq!(count(&database.client().await, "trace_spans").await, 1);
}

#[tokio::test]
async fn a_text_that_would_grow_sixfold_in_json_has_a_limit() {
    let world = World::new().await;
    let exporter = Exporter::to(&world.daemon).await;
    let with_text = |id, value: &str| Span { attributes: vec![text("screen", value)], ..span(1, id) };
    let coloured = "\u{1b}[31mred\u{1b}[0m\n".repeat(20_000);
    let bomb = "\u{1}".repeat(300_000);
    let sent = spans("shop", vec![with_text(1, &coloured), with_text(2, &bomb), span(1, 3)]);
    let (rejected, message) = told(exporter.spans(sent).await.unwrap());
    assert_eq!(rejected, 1, "{message}");
    assert!(message.contains("spans[1]") && message.contains("ingest.max_record_elements"), "{message}");
    assert_eq!(world.names().await, ["span 1", "span 3"]);
}
