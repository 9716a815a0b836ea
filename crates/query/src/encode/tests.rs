use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{MetricId, ProjectId, SeriesId, SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::models::attributes::ValueColumns;
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::models::metric::{Buckets, PointValue};
use llm_observatory_storage::models::trace::{Nested, Span};
use llm_observatory_storage::models::{Arena, DataPointRow, EventRow, LogRow, MetricRow, SeriesRow, SpanRow};
use llm_observatory_storage::repositories::metric::DescribedSeries;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, NumberDataPoint};
use opentelemetry_proto::tonic::trace::v1::span::Link;
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, TracesData};
use uuid::Uuid;

use super::*;

const PROJECT: ProjectId = ProjectId::DEFAULT;

fn resource(name: &str) -> ResourceRow {
    let refs = vec![EntityRef { r#type: "service".into(), ..EntityRef::default() }];
    let entity_refs = Resource { entity_refs: refs, ..Resource::default() }.encode_to_vec().into();
    let resource = ResourceRow::of_service(PROJECT, name);
    ResourceRow { entity_refs, schema_url: "resource/1".into(), dropped_attributes_count: 1, ..resource }
}

fn scope(name: &str) -> ScopeRow {
    ScopeRow { version: "2".into(), schema_url: "scope/1".into(), ..ScopeRow::named(PROJECT, name) }
}

fn origins() -> Origins {
    Origins::new([resource("a"), resource("b")], [scope("x"), scope("y")], ValueLimit::default())
}

fn nested(otlp: Vec<u8>) -> Option<Nested> {
    Some(Nested { json: Bytes::from_static(b"[]"), otlp: otlp.into() })
}

fn span(id: u8, service: &str, library: &str) -> Span {
    SpanRow {
        project_id: PROJECT,
        trace_id: TraceId::from_foreign("t"),
        span_id: SpanId::from_wire(&[id; 8]).unwrap(),
        parent_span_id: None,
        start_time: UnixNanos(1_000_000_007),
        end_time: UnixNanos::UNKNOWN,
        name: "call".into(),
        service_name: service.into(),
        kind: SpanKind::CLIENT,
        status: None,
        status_message: "".into(),
        trace_state: "k=v".into(),
        flags: 0x8000_0101,
        resource_id: resource(service).id,
        scope_id: scope(library).id,
        attributes: Attributes::new(&[Attribute::new("zz", 1), Attribute::new("a", f64::NEG_INFINITY)]),
        dropped_attributes_count: u32::MAX,
        dropped_events_count: 2,
        dropped_links_count: 3,
        links: None,
    }
    .into()
}

fn traces(spans: &[Span]) -> Result<TracesData, Inconsistent> {
    let whole = |span| trace::span(span, ValueLimit::default());
    trace::traces(spans.iter().map(whole).collect::<Result<_, _>>()?, &origins())
}

#[test]
fn neighbours_share_resource_and_scope() {
    let spans =
        [span(1, "a", "x"), span(2, "a", "x"), span(3, "a", "y"), span(4, "b", "y"), span(5, "a", "x")];
    let data = traces(&spans).unwrap();
    let shape = |group: &opentelemetry_proto::tonic::trace::v1::ResourceSpans| {
        group.scope_spans.iter().map(|scope| scope.spans.len()).collect::<Vec<_>>()
    };
    assert_eq!(data.resource_spans.iter().map(shape).collect::<Vec<_>>(), [vec![2, 1], vec![1], vec![1]]);
    let first = &data.resource_spans[0];
    assert_eq!(first.schema_url, "resource/1");
    let resource = first.resource.as_ref().unwrap();
    assert_eq!(resource.attributes[0].key, "service.name");
    assert_eq!((resource.dropped_attributes_count, resource.entity_refs[0].r#type.as_str()), (1, "service"));
    let scope = first.scope_spans[0].scope.as_ref().unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("x", "2"));
    assert_eq!(first.scope_spans[0].schema_url, "scope/1");
}

#[test]
fn a_span_without_a_stored_resource_comes_back_all_the_same() {
    let data = traces(&[span(1, "unknown", "x")]).unwrap();
    assert_eq!(data.resource_spans[0].resource, None);
    assert_eq!(data.resource_spans[0].scope_spans[0].spans.len(), 1);
}

#[test]
fn a_span_comes_back_with_every_field() {
    let mut span = span(1, "a", "x");
    let link = Link { trace_id: vec![7; 16], span_id: vec![8; 8], flags: 0x301, ..Link::default() };
    span.row.links = nested(OtlpSpan { links: vec![link.clone()], ..OtlpSpan::default() }.encode_to_vec());
    span.row.parent_span_id = SpanId::from_wire(&[9; 8]);
    span.events = vec![EventRow {
        project_id: PROJECT,
        trace_id: span.row.trace_id,
        span_id: span.row.span_id,
        span_start_time: span.row.start_time,
        ordinal: 0,
        time: UnixNanos(u64::MAX),
        name: "exception".into(),
        attributes: Attributes::default(),
        dropped_attributes_count: 4,
    }];
    let encoded = trace::span(&span, ValueLimit::default()).unwrap().record;
    assert_eq!((encoded.start_time_unix_nano, encoded.end_time_unix_nano), (1_000_000_007, 0));
    assert_eq!((encoded.kind, encoded.flags, encoded.trace_state.as_str()), (3, 0x8000_0101, "k=v"));
    assert_eq!((encoded.span_id, encoded.parent_span_id), (vec![1; 8], vec![9; 8]));
    assert_eq!(encoded.attributes.iter().map(|attribute| &*attribute.key).collect::<Vec<_>>(), ["zz", "a"]);
    assert_eq!(
        encoded.attributes[1].value,
        Some(AnyValue { value: Some(any_value::Value::DoubleValue(f64::NEG_INFINITY)) })
    );
    let dropped =
        (encoded.dropped_attributes_count, encoded.dropped_events_count, encoded.dropped_links_count);
    assert_eq!(dropped, (u32::MAX, 2, 3));
    assert_eq!((encoded.events[0].time_unix_nano, encoded.events[0].dropped_attributes_count), (u64::MAX, 4));
    assert_eq!(encoded.links, [link]);
    assert_eq!(encoded.status, None, "an absent status differs from an unset one");
    span.row.status = Some(StatusCode::UNSET);
    assert_eq!(trace::span(&span, ValueLimit::default()).unwrap().record.status, Some(Default::default()));
}

#[test]
fn a_log_record_without_a_time_comes_back_without_one() {
    let body = Value::Map(vec![Attribute::new("z", "\0"), Attribute::new("a", Value::Empty)]);
    let mut row = LogRow {
        project_id: PROJECT,
        id: Uuid::from_u128(1),
        time: UnixNanos(5_000),
        time_source: TimeSource::Observed,
        observed_time: UnixNanos(5_000),
        severity: Severity::WARN,
        severity_text: "warn".into(),
        event_name: "e".into(),
        body: ValueColumns::encode(&body, &mut Arena::default()),
        attributes: Attributes::default(),
        dropped_attributes_count: 1,
        flags: 1,
        trace_id: Some(TraceId::from_foreign("t")),
        span_id: None,
        service_name: "a".into(),
        resource_id: resource("a").id,
        scope_id: scope("x").id,
        is_llm_event: false,
        call: None,
    };
    let encoded = log::record(&row, ValueLimit::default()).unwrap().record;
    assert_eq!(
        (encoded.time_unix_nano, encoded.observed_time_unix_nano, encoded.severity_number),
        (0, 5_000, 13)
    );
    assert_eq!((encoded.trace_id.len(), encoded.span_id.len()), (16, 0));
    let Some(any_value::Value::KvlistValue(body)) = encoded.body.unwrap().value else { panic!("not a map") };
    assert_eq!(body.values.iter().map(|entry| &*entry.key).collect::<Vec<_>>(), ["z", "a"]);
    row.time_source = TimeSource::Record;
    row.body = ValueColumns::default();
    let encoded = log::record(&row, ValueLimit::default()).unwrap().record;
    assert_eq!((encoded.time_unix_nano, encoded.body), (5_000, None));
}

fn series(kind: MetricKind) -> DescribedSeries {
    let id = MetricId(Uuid::from_u128(1));
    let series = SeriesRow {
        id: SeriesId(Uuid::from_u128(2)),
        project_id: PROJECT,
        metric_id: id,
        resource_id: resource("a").id,
        scope_id: scope("x").id,
        attributes: Attributes::new(&[Attribute::new("k", "v")]),
    };
    let metric = MetricRow {
        id,
        project_id: PROJECT,
        kind,
        temporality: Temporality::DELTA,
        is_monotonic: true,
        name: "tokens".into(),
        unit: "1".into(),
        description: "d".into(),
        metadata: Attributes::default(),
    };
    DescribedSeries { series, metric }
}

fn data_of(kind: MetricKind, values: Vec<PointValue>) -> Result<Data, Inconsistent> {
    let exemplars = vec![Exemplar { span_id: vec![1; 8], ..Exemplar::default() }];
    let otlp = NumberDataPoint { exemplars, ..NumberDataPoint::default() }.encode_to_vec();
    let series = series(kind);
    let point = |(n, value)| DataPointRow {
        project_id: PROJECT,
        series_id: series.series.id,
        start_time: UnixNanos(3),
        time: UnixNanos(10 + n),
        flags: 1,
        value,
        exemplars: nested(otlp.clone()),
    };
    let points: Vec<_> = (0_u64..).zip(values).map(point).collect();
    let encode = |row| metric::point(row, &series, ValueLimit::default());
    let mut data = metric::metrics(points.iter().map(encode).collect::<Result<_, _>>()?, &origins())?;
    Ok(data.resource_metrics.remove(0).scope_metrics.remove(0).metrics.remove(0).data.unwrap())
}

#[test]
fn points_of_one_metric_share_its_definition() {
    let values = vec![PointValue::Int(-1), PointValue::Double(0.5), PointValue::None];
    let Data::Sum(sum) = data_of(MetricKind::Sum, values).unwrap() else { panic!("not a sum") };
    assert_eq!((sum.aggregation_temporality, sum.is_monotonic, sum.data_points.len()), (1, true, 3));
    let point = &sum.data_points[0];
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano, point.flags), (3, 10, 1));
    assert_eq!((point.attributes[0].key.as_str(), point.exemplars[0].span_id.len()), ("k", 8));
    assert_eq!(sum.data_points[2].value, None);
}

#[test]
fn exponential_buckets_that_are_absent_stay_absent() {
    let value = PointValue::Exponential {
        count: u64::MAX,
        sum: None,
        min: Some(f64::MIN),
        max: None,
        scale: -4,
        zero_count: 7,
        zero_threshold: 0.25,
        positive: Some(Buckets { offset: -3, counts: vec![u64::MAX, 0] }),
        negative: None,
    };
    let data = data_of(MetricKind::ExponentialHistogram, vec![value]).unwrap();
    let Data::ExponentialHistogram(histogram) = data else { panic!("not exponential") };
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.scale, point.zero_count, point.sum), (u64::MAX, -4, 7, None));
    assert_eq!(point.positive.as_ref().unwrap().bucket_counts, [u64::MAX, 0]);
    assert_eq!(point.negative, None);
    assert_eq!(point.exemplars.len(), 1);
}

#[test]
fn a_value_of_another_kind_is_inconsistent() {
    let histogram = data_of(MetricKind::Histogram, vec![PointValue::Int(1)]);
    assert!(matches!(histogram, Err(Inconsistent::Column("metrics.kind"))));
    let gauge = metric::definition(&series(MetricKind::Gauge).metric).unwrap();
    assert!(matches!(gauge.data, Some(Data::Gauge(gauge)) if gauge.data_points.is_empty()));
}

#[test]
fn long_values_are_cut_in_records_resources_and_scopes() {
    let limit = ValueLimit::from(4);
    let long = |key: &'static str| Attributes::new(&[Attribute::new(key, "12345")]);
    let cut = |attributes: &[KeyValue]| {
        assert_eq!(attributes.len(), 1);
        let text = Some(any_value::Value::StringValue("1234<cut: 5 bytes>".to_owned()));
        assert_eq!(attributes[0].value, Some(AnyValue { value: text }));
    };
    let mut span = span(1, "a", "x");
    span.row.attributes = long("k");
    let decoded = || Attributes::decode(b"{\"k\":\"12345\"}", None).unwrap();
    let link = Link { attributes: decoded(), ..Link::default() };
    span.row.links = nested(OtlpSpan { links: vec![link], ..OtlpSpan::default() }.encode_to_vec());
    let encoded = trace::span(&span, limit).unwrap().record;
    cut(&encoded.attributes);
    cut(&encoded.links[0].attributes);
    assert_eq!(encoded.name, "call", "names are not values");

    let of = ResourceRow { attributes: long("k"), ..resource("a") };
    let origins = Origins::new([of.clone()], [ScopeRow { attributes: long("k"), ..scope("x") }], limit);
    cut(&origins.resource(of.id).unwrap().0.unwrap().attributes);
    cut(&origins.scope(scope("x").id).unwrap().0.unwrap().attributes);
}
