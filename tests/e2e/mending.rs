//! Requests that a strict receiver would refuse as a whole: the daemon stores the records that it can, and rejects the
//! others by name.

use harness::daemon::Options;
use harness::raw::{self, LOGS, METRICS, TRACES};
use harness::telemetry::{SECOND, attribute, metrics, now, point, record, span, spans, text, trace_id};
use harness::{Daemon, TestDatabase};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio_postgres::Client;
use tonic::transport::Channel;

use crate::client::{Exporter, Reader, connect};
use crate::database::{count, span_ids};

pub(crate) struct World {
    pub(crate) channel: Channel,
    pub(crate) client: Client,
    pub(crate) daemon: Daemon,
    _database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let daemon = Options::on(database.url()).start();
        Self {
            channel: connect(daemon.ingest()).await,
            client: database.client().await,
            daemon,
            _database: database,
        }
    }

    /// Sends encoded spans; gives the count and the text of the partial success.
    async fn spans<T: AsRef<[u8]>>(&self, spans: &[T]) -> (i64, String) {
        let request = raw::request(spans);
        let answer: ExportTraceServiceResponse =
            raw::send(&self.channel, TRACES, None, &request).await.unwrap();
        told(answer.partial_success)
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        let query = "SELECT name FROM trace_spans ORDER BY span_id";
        let rows = self.client.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The only span of the trace, as it comes back.
    async fn read_back(&self, trace: u128) -> Span {
        let messages = Reader::of(&self.daemon).await.trace(&trace_id(trace)).await;
        messages.unwrap()[0][0].scope_spans[0].spans[0].clone()
    }
}

pub(crate) fn told(partial: Option<ExportTracePartialSuccess>) -> (i64, String) {
    partial.map_or((0, String::new()), |partial| (partial.rejected_spans, partial.error_message))
}

/// The span with these bytes as its name, valid or not: of a field that comes twice, the last one counts.
fn named(span: &Span, name: &[u8]) -> Vec<u8> {
    [span.encode_to_vec(), raw::field(5, name)].concat()
}

#[tokio::test]
async fn one_name_that_is_no_utf8() {
    let world = World::new().await;
    let broken = named(&span(1, 2), b"caf\xe9 \xff");
    let sent = [span(1, 1).encode_to_vec(), broken, span(1, 3).encode_to_vec()];
    let (rejected, message) = world.spans(&sent).await;
    assert_eq!(rejected, 0);
    assert_eq!(message, "1 texts held invalid UTF-8 or NUL, which became U+FFFD");
    assert_eq!(world.names().await, ["span 1", "caf\u{fffd} \u{fffd}", "span 3"]);
}

#[tokio::test]
async fn nul_becomes_a_mark_in_names_and_stays_in_values() {
    let world = World::new().await;
    let mut sent = span(1, 1);
    sent.name = "a\0b".to_owned();
    sent.attributes = vec![text("key\0", "value\0")];
    let (rejected, message) = world.spans(&[sent.encode_to_vec()]).await;
    assert_eq!(rejected, 0);
    assert_eq!(message, "1 texts held invalid UTF-8 or NUL, which became U+FFFD");
    let back = world.read_back(1).await;
    assert_eq!(back.name, "a\u{fffd}b");
    assert_eq!(back.attributes, sent.attributes);
}

#[tokio::test]
async fn a_value_two_hundred_arrays_deep_is_cut() {
    let world = World::new().await;
    let innermost = Value::StringValue("treasure".to_owned());
    let deep = (0..200).fold(innermost, |inner, _| {
        let values = vec![AnyValue { value: Some(inner) }];
        Value::ArrayValue(ArrayValue { values })
    });
    let mut sent = span(1, 1);
    sent.attributes = vec![attribute("deep", deep), text("shallow", "kept")];
    let neighbour = span(2, 2);
    let (rejected, message) = world.spans(&[sent.encode_to_vec(), neighbour.encode_to_vec()]).await;
    assert_eq!(rejected, 0);
    assert_eq!(message, "1 attribute values were nested too deep and were cut");
    assert_eq!(world.names().await, ["span 1", "span 2"]);

    // A stock client can decode what is left.
    let back = world.read_back(1).await;
    assert_eq!(back.attributes[1], sent.attributes[1]);
    let mut value = back.attributes[0].value.as_ref().unwrap();
    let mut levels = 0;
    while let Some(Value::ArrayValue(array)) = &value.value {
        (value, levels) = (&array.values[0], levels + 1);
    }
    assert_eq!(levels, 42);
    let Some(Value::StringValue(mark)) = &value.value else { panic!("{value:?} is no mark") };
    assert!(mark.starts_with("<cut: "), "{mark}");
}

#[tokio::test]
async fn a_truncated_span_is_rejected_alone() {
    let world = World::new().await;
    let whole = span(1, 2).encode_to_vec();
    let sent = [span(1, 1).encode_to_vec(), whole[..whole.len() - 3].to_vec(), span(1, 3).encode_to_vec()];
    let (rejected, message) = world.spans(&sent).await;
    assert_eq!(rejected, 1);
    assert_eq!(message, "resource_spans[0].scope_spans[0].spans[1]: the message ends within a field");
    assert_eq!(world.names().await, ["span 1", "span 3"]);
}

#[tokio::test]
async fn spans_without_valid_ids_are_named() {
    let world = World::new().await;
    let with_ids = |trace_id: &[u8], span_id: &[u8]| Span {
        trace_id: trace_id.to_vec(),
        span_id: span_id.to_vec(),
        ..span(1, 1)
    };
    let mut sent = spans("shop", vec![with_ids(&[], &[1; 8]), span(1, 1), with_ids(&[0; 16], &[1; 8])]);
    let more = spans("cart", vec![with_ids(&[1; 15], &[1; 8]), with_ids(&[1; 16], &[1; 4])]);
    let last = spans("cart", vec![span(1, 2), with_ids(&[1; 16], &[0; 8])]);
    sent.resource_spans.extend(more.resource_spans);
    let group = last.resource_spans.into_iter().next().unwrap();
    sent.resource_spans[1].scope_spans.extend(group.scope_spans);

    let exporter = Exporter::to(&world.daemon).await;
    let (rejected, message) = told(exporter.spans(sent).await.unwrap());
    assert_eq!(rejected, 5);
    let (no_trace, no_span) =
        ("trace_id must be 16 bytes and not all zero", "span_id must be 8 bytes and not all zero");
    let expected = [
        format!("resource_spans[0].scope_spans[0].spans[0]: {no_trace}"),
        format!("resource_spans[0].scope_spans[0].spans[2]: {no_trace}"),
        format!("resource_spans[1].scope_spans[0].spans[0]: {no_trace}"),
        format!("resource_spans[1].scope_spans[0].spans[1]: {no_span}"),
        format!("resource_spans[1].scope_spans[1].spans[1]: {no_span}"),
    ];
    assert_eq!(message, expected.join("; "));
    assert_eq!(world.names().await, ["span 1", "span 2"]);
}

#[tokio::test]
async fn points_that_say_nothing_are_named() {
    let world = World::new().await;
    let timeless = point(0, 1);
    let worthless = NumberDataPoint { value: None, ..point(now(), 1) };
    let told_to_be_absent = NumberDataPoint { flags: 1, ..worthless.clone() };
    let numbers = metric("n", vec![timeless, point(now(), 1), worthless, told_to_be_absent]);
    let lopsided = HistogramDataPoint {
        time_unix_nano: now(),
        bucket_counts: vec![1, 2],
        explicit_bounds: vec![1.0, 2.0],
        ..HistogramDataPoint::default()
    };
    let histogram = Metric {
        name: "h".to_owned(),
        data: Some(Data::Histogram(Histogram { data_points: vec![lopsided], ..Histogram::default() })),
        ..Metric::default()
    };
    let exporter = Exporter::to(&world.daemon).await;
    let partial = exporter.points(metrics(vec![numbers, histogram])).await.unwrap().unwrap();
    assert_eq!(partial.rejected_data_points, 3);
    let expected = [
        "resource_metrics[0].scope_metrics[0].metrics[0].data_points[0]: a data point needs time_unix_nano",
        "resource_metrics[0].scope_metrics[0].metrics[0].data_points[2]: \
         a data point needs a value, or the flag NO_RECORDED_VALUE",
        "resource_metrics[0].scope_metrics[0].metrics[1].data_points[0]: \
         bucket_counts must be one longer than explicit_bounds, or both empty",
    ];
    assert_eq!(partial.error_message, expected.join("; "));
    assert_eq!(count(&world.client, "metric_data_points").await, 2);
}

fn metric(name: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    Metric { name: name.to_owned(), data: Some(Data::Gauge(Gauge { data_points })), ..Metric::default() }
}

#[tokio::test]
async fn broken_records_of_the_other_signals_are_rejected_alone() {
    let world = World::new().await;
    let log = record("whole").encode_to_vec();
    let request = raw::request(&[&log[..], &log[..log.len() - 1]]);
    let answer: ExportLogsServiceResponse = raw::send(&world.channel, LOGS, None, &request).await.unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert_eq!(
        partial.error_message,
        "resource_logs[0].scope_logs[0].log_records[1]: the message ends within a field"
    );
    assert_eq!(count(&world.client, "logs").await, 1);

    let metric = metric("n", vec![point(now(), 1)]).encode_to_vec();
    let request = raw::request(&[&metric[..], &metric[..metric.len() - 1]]);
    let answer: ExportMetricsServiceResponse =
        raw::send(&world.channel, METRICS, None, &request).await.unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_data_points, 1);
    assert_eq!(
        partial.error_message,
        "resource_metrics[0].scope_metrics[0].metrics[1]: the message ends within a field"
    );
    assert_eq!(count(&world.client, "metric_data_points").await, 1);
}

#[tokio::test]
async fn days_beyond_the_limit_of_partitions_are_rejected() {
    let database = TestDatabase::new().await;
    // The partitions of these days are there already.
    let options = Options::on(database.url()).environment("OBSERVATORY_STORAGE__PARTITIONS__MAX_DAYS", "7");
    let daemon = options.start();
    let exporter = Exporter::to(&daemon).await;
    let day = 86_400 * SECOND;
    let distant = (1..=20).map(|n| Span { start_time_unix_nano: now() - 100 * n * day, ..span(1, n) });
    let (rejected, message) = told(exporter.spans(spans("shop", distant.collect())).await.unwrap());
    let stored = span_ids(&database.client().await).await.len();
    assert!((1..20).contains(&stored), "{stored} of them found room");
    assert_eq!(usize::try_from(rejected).unwrap(), 20 - stored);
    assert!(message.contains("storage.partitions.max_days"), "{message}");
}

#[tokio::test]
async fn names_longer_than_an_index_entry_are_stored() {
    let world = World::new().await;
    let exporter = Exporter::to(&world.daemon).await;
    // Compresses badly, so that it is long in an index too.
    let mut state = 1_u64;
    let long: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from(state >> 58).unwrap())
    })
    .take(20_000)
    .collect();
    let named = Span { name: long.clone(), ..span(1, 1) };
    assert_eq!(exporter.spans(spans(&long, vec![named])).await.unwrap(), None);
    let data = Some(Data::Gauge(Gauge { data_points: vec![point(now(), 1)] }));
    let gauge = Metric { name: long.clone(), unit: long.clone(), data, ..Metric::default() };
    assert_eq!(exporter.points(metrics(vec![gauge])).await.unwrap(), None);
    assert_eq!(world.names().await, [long]);
    assert_eq!(count(&world.client, "metric_data_points").await, 1);
}

#[tokio::test]
async fn a_record_that_postgresql_rejects_is_found_among_its_neighbours() {
    let world = World::new().await;
    let checks = "ALTER TABLE trace_spans ADD CONSTRAINT no_poison CHECK (name <> 'poison');
                  ALTER TABLE logs ADD CONSTRAINT no_poison CHECK (body_text <> 'poison')";
    world.client.batch_execute(checks).await.unwrap();
    let exporter = Exporter::to(&world.daemon).await;
    let poison = Span { name: "poison".to_owned(), ..span(1, 7) };
    let sent: Vec<_> = (1..=20).map(|id| if id == 7 { poison.clone() } else { span(1, id) }).collect();
    let request = spans("shop", sent);
    // Sent again, it is rejected again, and its neighbours are duplicates.
    for _ in 0..2 {
        let (rejected, message) = told(exporter.spans(request.clone()).await.unwrap());
        assert_eq!(rejected, 1, "{message}");
    }
    assert_eq!(count(&world.client, "trace_spans").await, 19);
    assert_eq!(count(&world.client, "traces WHERE span_count = 19").await, 1);

    let logs = harness::telemetry::records("shop", vec![record("good"), record("poison"), record("good")]);
    let partial = exporter.records(logs).await.unwrap().unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert_eq!(
        partial.error_message,
        "resource_logs[0].scope_logs[0].log_records[1]: PostgreSQL does not take it"
    );
    assert_eq!(count(&world.client, "logs").await, 2);

    let query =
        "SELECT signal, place, reason, detail, record, record_bytes FROM ingest_rejections ORDER BY signal";
    let letters = world.client.query(query, &[]).await.unwrap();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].get::<_, String>(1), "resource_spans[0].scope_spans[0].spans[6]");
    assert_eq!(letters[0].get::<_, String>(2), "unstorable");
    assert!(letters[0].get::<_, String>(3).contains("23514"), "{:?}", letters[0]);
    assert_eq!(Span::decode(letters[0].get::<_, &[u8]>(4)).unwrap(), poison);
    assert_eq!(letters[0].get::<_, i32>(5) as usize, poison.encoded_len());
}

#[tokio::test]
async fn rejected_records_are_kept_with_their_reason() {
    let world = World::new().await;
    let broken = Span { span_id: Vec::new(), ..span(1, 1) };
    let exporter = Exporter::to(&world.daemon).await;
    let request = spans("shop", vec![broken.clone(); 150]);
    assert_eq!(told(exporter.spans(request.clone()).await.unwrap()).0, 150);
    assert_eq!(
        told(exporter.spans(request).await.unwrap()).0,
        150,
        "the answer names them again when they are sent again"
    );
    let letters =
        world.client.query("SELECT place, reason, record FROM ingest_rejections", &[]).await.unwrap();
    assert_eq!(letters.len(), 100, "at most ingest.kept_rejections of a request");
    assert_eq!(letters[0].get::<_, String>(1), "span_id");
    assert_eq!(Span::decode(letters[0].get::<_, &[u8]>(2)).unwrap(), broken);
}

#[tokio::test]
async fn a_resource_that_cannot_be_read_costs_its_own_records_only() {
    let world = World::new().await;
    let good = spans("shop", vec![span(1, 1)]).encode_to_vec();
    // A resource whose attribute breaks off, and a span that is whole.
    let broken_resource = raw::field(1, &raw::field(1, &[0x0a, 9, b'x']));
    let records = raw::field(2, &raw::field(2, &span(1, 2).encode_to_vec()));
    let broken = raw::field(1, &[&broken_resource[..], &records[..]].concat());
    let answer: ExportTraceServiceResponse =
        raw::send(&world.channel, TRACES, None, &[&good[..], &broken[..]].concat()).await.unwrap();
    let (rejected, message) = told(answer.partial_success);
    assert_eq!(rejected, 1);
    assert_eq!(message, "resource_spans[1].scope_spans[0].spans[0]: the message ends within a field");
    assert_eq!(world.names().await, ["span 1"]);
}
