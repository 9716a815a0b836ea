//! What each port tells about itself: its services by reflection, and by health whether it takes requests.

use std::time::{Duration, Instant};

use harness::admin::get;
use harness::daemon::Options;
use harness::telemetry::{span, spans};
use harness::{Daemon, Postgres, TestDatabase, eventually};
use tokio_stream::once;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{Exporter, connect};

const OTLP: [&str; 3] = [
    "opentelemetry.proto.collector.logs.v1.LogsService",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "opentelemetry.proto.collector.trace.v1.TraceService",
];
const BOOKS: &str = "llm_observatory.v1.IngestService";
const QUERIES: [&str; 4] = [
    "llm_observatory.v1.LlmService",
    "llm_observatory.v1.LogService",
    "llm_observatory.v1.MetricService",
    "llm_observatory.v1.TraceService",
];
const BESIDE: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// The two ports of a daemon, each with the services that it has beside health and reflection.
fn ports(daemon: &Daemon) -> [(String, Vec<&'static str>); 2] {
    [
        (daemon.ingest().to_owned(), [&[BOOKS], &OTLP[..]].concat()),
        (daemon.query().to_owned(), [&[BOOKS], &QUERIES[..]].concat()),
    ]
}

/// Whether both ports, and each of their services, have this status.
async fn all_have(daemon: &Daemon, expected: ServingStatus) -> Result<(), String> {
    for (address, services) in ports(daemon) {
        let mut health = HealthClient::new(connect(&address).await);
        for service in [""].iter().chain(&services) {
            let request = HealthCheckRequest { service: (*service).to_owned() };
            let status = health.check(request).await.unwrap().into_inner().status();
            if status != expected {
                return Err(format!("{service:?} on {address}: {status:?}"));
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_follows_postgresql() {
    let mut postgres = Postgres::start();
    // Longer than a probe waits: `/readyz` answers from what the daemon knows, without asking PostgreSQL.
    let daemon = Options::on(postgres.url("postgres"))
        .environment("OBSERVATORY_STORAGE__DATABASE__ACQUIRE_TIMEOUT_MS", "20000")
        .start();
    all_have(&daemon, ServingStatus::Serving).await.unwrap();
    let mut health = HealthClient::new(connect(daemon.query()).await);
    let unknown = HealthCheckRequest { service: "llm_observatory.v1.NoService".to_owned() };
    assert_eq!(health.check(unknown).await.unwrap_err().code(), Code::NotFound);

    postgres.stop();
    eventually("nothing is served", async || all_have(&daemon, ServingStatus::NotServing).await).await;
    let asked = Instant::now();
    let (status, cause) = get(daemon.admin(), "/readyz").await;
    assert!(asked.elapsed() < Duration::from_secs(1), "a probe would have given up");
    assert_eq!(status, 503);
    assert!(cause.contains("PostgreSQL is not available: error connecting to server"), "{cause}");
    assert!(daemon.log().contains("PostgreSQL does not answer"), "the daemon logs it at once");

    postgres.resume();
    eventually("all is served again", async || all_have(&daemon, ServingStatus::Serving).await).await;
    assert_eq!(get(daemon.admin(), "/readyz").await, (200, "ready\n".to_owned()));
    Exporter::to(&daemon).await.spans(spans("shop", vec![span(1, 1)])).await.unwrap();
}

#[tokio::test]
async fn a_health_watch_is_told_that_the_daemon_stops() {
    let database = TestDatabase::new().await;
    let mut daemon = Options::on(database.url()).start();
    let mut health = HealthClient::new(connect(daemon.ingest()).await);
    let request = HealthCheckRequest { service: OTLP[2].to_owned() };
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    daemon.ask_to_stop();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(
        watch.message().await.is_ok_and(|end| end.is_none()),
        "the watch ends, and the daemon does not wait for it"
    );
    assert_eq!(daemon.terminate().code(), Some(0));
}

/// The services that a port lists by one version of reflection, each of which it can describe.
macro_rules! listed {
    ($version:ident, $address:expr) => {{
        use tonic_reflection::pb::$version::ServerReflectionRequest;
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

        let mut reflection = ServerReflectionClient::new(connect($address).await);
        let mut ask = async |question| {
            let request = ServerReflectionRequest {
                message_request: Some(question),
                ..ServerReflectionRequest::default()
            };
            let mut answers = reflection.server_reflection_info(once(request)).await.unwrap().into_inner();
            answers.message().await.unwrap().unwrap().message_response.unwrap()
        };
        let MessageResponse::ListServicesResponse(list) =
            ask(MessageRequest::ListServices(String::new())).await
        else {
            panic!("no list of services")
        };
        let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
        for name in &names {
            let answer = ask(MessageRequest::FileContainingSymbol(name.clone())).await;
            assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{name}");
        }
        names.sort();
        names
    }};
}

#[tokio::test]
async fn each_port_describes_what_it_serves_and_nothing_else() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    for (address, services) in ports(&daemon) {
        let mut expected = [&services[..], &BESIDE[..]].concat();
        expected.sort();
        assert_eq!(listed!(v1, &address), expected);
        assert_eq!(listed!(v1alpha, &address), expected);
    }
}

#[tokio::test]
async fn a_query_daemon_does_not_serve_the_books() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).argument("--role").argument("query").start();
    let mut expected = [&QUERIES[..], &BESIDE[..]].concat();
    expected.sort();
    assert_eq!(listed!(v1, daemon.query()), expected);
}
