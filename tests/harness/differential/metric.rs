//! Data points.

use llm_observatory_core::ids::SeriesId;
use llm_observatory_core::metric::{MetricKind, NO_RECORDED_VALUE};
use llm_observatory_storage::models::metric::{Buckets, PointValue};
use llm_observatory_storage::models::{DataPointRow, MetricRow, SeriesRow};
use llm_observatory_storage::writers::MetricBatch;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as OtlpBuckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
};
use prost::Message as _;
use uuid::Uuid;

use super::columns::Columns;
use super::normal_form::{self, Shape};
use super::{Compared, Origin, Told, attributes_of_jsonb};
use crate::otlp::normalise;
use crate::raw::field;

impl Compared for MetricBatch {
    type Otlp = ExportMetricsServiceRequest;
    const SHAPE: &'static Shape = &normal_form::METRICS;

    fn theirs(request: &ExportMetricsServiceRequest) -> Told {
        let mut told = Told::new();
        for (r, resource) in request.resource_metrics.iter().enumerate() {
            for (s, scope) in resource.scope_metrics.iter().enumerate() {
                let origin = Origin {
                    resource: resource.resource.clone().unwrap_or_default(),
                    resource_schema_url: resource.schema_url.clone(),
                    scope: scope.scope.clone().unwrap_or_default(),
                    scope_schema_url: scope.schema_url.clone(),
                };
                for (n, metric) in scope.metrics.iter().enumerate() {
                    let place = format!("resource_metrics[{r}].scope_metrics[{s}].metrics[{n}]");
                    let definition = Metric { data: None, ..metric.clone() };
                    let tell = |data| tell(&origin, Metric { data: Some(data), ..definition.clone() });
                    for (p, data) in one_by_one(metric).into_iter().enumerate() {
                        told.insert(format!("{place}.data_points[{p}]"), data.map(tell));
                    }
                }
            }
        }
        told
    }

    fn ours(batch: &MetricBatch) -> Vec<String> {
        let tell = |point: &DataPointRow| {
            let (series, metric) = stream(batch, point);
            let origin = Origin::of(&batch.resources, series.resource_id, &batch.scopes, series.scope_id);
            tell(&origin, otlp(metric, series, point))
        };
        batch.points.iter().map(tell).collect()
    }

    fn show(batch: &MetricBatch, columns: &mut Columns) {
        columns.dictionaries(&batch.resources, &batch.scopes);
        columns.rows(&batch.metrics);
        columns.rows(&batch.series);
        columns.rows(&batch.points);
        for metric in &batch.metrics {
            [&metric.name, &metric.unit, &metric.description].into_iter().for_each(|text| columns.text(text));
            columns.attributes(&metric.metadata);
        }
        batch.series.iter().for_each(|series| columns.attributes(&series.attributes));
        for point in &batch.points {
            point.exemplars.iter().for_each(|exemplars| columns.nested(exemplars));
            columns.held += point.value.list_bytes();
        }
    }

    fn elements(point: &DataPointRow) -> usize {
        // Two bytes of quantiles are one element.
        let lists = match &point.value {
            PointValue::Summary { quantiles, .. } => quantiles.len(),
            value => value.list_bytes() / size_of::<u64>(),
        };
        let exemplars = exemplars(point);
        lists + exemplars.iter().map(|exemplar| 4 + exemplar.filtered_attributes.len()).sum::<usize>()
    }

    fn bare(batch: &MetricBatch, n: usize) -> String {
        let point = DataPointRow { series_id: SeriesId(Uuid::nil()), ..batch.points[n].clone() };
        let (series, _) = stream(batch, &batch.points[n]);
        // The stream was first seen with its attributes in some order, which need not be that of this point.
        format!("{point:?} {:?}", normalise::sorted(&attributes_of_jsonb(&series.attributes)))
    }

    fn item(batch: &MetricBatch, n: usize, record: &[u8]) -> Vec<u8> {
        let number = match stream(batch, &batch.points[n]).1.kind {
            MetricKind::Gauge => 5,
            MetricKind::Sum => 7,
            MetricKind::Histogram => 9,
            MetricKind::ExponentialHistogram => 10,
            MetricKind::Summary => 11,
        };
        field(number, &field(1, record))
    }
}

/// The data of a metric, once for each of its points that is valid, with it alone; or the reason why it can't be stored.
fn one_by_one(metric: &Metric) -> Vec<Result<Data, &'static str>> {
    macro_rules! split {
        ($data:ident, $kind:ident, $check:expr) => {{
            let mut none = $data.clone();
            none.data_points.clear();
            let one = |point: &_| {
                $check(point)?;
                let mut alone = none.clone();
                alone.data_points.push(Clone::clone(point));
                Ok(Data::$kind(alone))
            };
            $data.data_points.iter().map(one).collect()
        }};
    }
    match &metric.data {
        Some(Data::Gauge(data)) => split!(data, Gauge, number_is_valid),
        Some(Data::Sum(data)) => split!(data, Sum, number_is_valid),
        Some(Data::Histogram(data)) => split!(data, Histogram, histogram_is_valid),
        Some(Data::ExponentialHistogram(data)) => {
            split!(data, ExponentialHistogram, |point: &ExponentialHistogramDataPoint| {
                has_time(point.time_unix_nano)
            })
        }
        Some(Data::Summary(data)) => {
            split!(data, Summary, |point: &SummaryDataPoint| has_time(point.time_unix_nano))
        }
        None => Vec::new(),
    }
}

fn has_time(time: u64) -> Result<(), &'static str> {
    if time == 0 { Err("no_time") } else { Ok(()) }
}

fn number_is_valid(point: &NumberDataPoint) -> Result<(), &'static str> {
    has_time(point.time_unix_nano)?;
    if point.value.is_none() && point.flags & NO_RECORDED_VALUE == 0 {
        return Err("no_value");
    }
    Ok(())
}

fn histogram_is_valid(point: &HistogramDataPoint) -> Result<(), &'static str> {
    has_time(point.time_unix_nano)?;
    match (point.bucket_counts.len(), point.explicit_bounds.len()) {
        (0, 0) => Ok(()),
        (counts, bounds) if counts == bounds + 1 => Ok(()),
        _ => Err("buckets"),
    }
}

fn tell(origin: &Origin, metric: Metric) -> String {
    let Origin { resource, resource_schema_url, scope, scope_schema_url } = origin.clone();
    let scope = ScopeMetrics { scope: Some(scope), metrics: vec![metric], schema_url: scope_schema_url };
    let resource = ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![scope],
        schema_url: resource_schema_url,
    };
    normalise::points(&[resource]).remove(0)
}

/// The stream of a point, and its definition.
fn stream<'a>(batch: &'a MetricBatch, point: &DataPointRow) -> (&'a SeriesRow, &'a MetricRow) {
    let series =
        batch.series.iter().find(|row| row.id == point.series_id).expect("a stream that has its row");
    let metric = batch.metrics.iter().find(|row| row.id == series.metric_id);
    (series, metric.expect("a definition that has its row"))
}

fn otlp(metric: &MetricRow, series: &SeriesRow, point: &DataPointRow) -> Metric {
    let aggregation_temporality = metric.temporality.0;
    let attributes = attributes_of_jsonb(&series.attributes);
    let data = match metric.kind {
        MetricKind::Gauge => Data::Gauge(Gauge { data_points: vec![number(attributes, point)] }),
        MetricKind::Sum => Data::Sum(Sum {
            data_points: vec![number(attributes, point)],
            aggregation_temporality,
            is_monotonic: metric.is_monotonic,
        }),
        MetricKind::Histogram => Data::Histogram(Histogram {
            data_points: vec![histogram(attributes, point)],
            aggregation_temporality,
        }),
        MetricKind::ExponentialHistogram => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: vec![exponential(attributes, point)],
            aggregation_temporality,
        }),
        MetricKind::Summary => Data::Summary(Summary { data_points: vec![summary(attributes, point)] }),
    };
    Metric {
        name: metric.name.to_string(),
        description: metric.description.to_string(),
        unit: metric.unit.to_string(),
        metadata: attributes_of_jsonb(&metric.metadata),
        data: Some(data),
    }
}

fn number(attributes: Vec<KeyValue>, point: &DataPointRow) -> NumberDataPoint {
    let value = match point.value {
        PointValue::None => None,
        PointValue::Double(value) => Some(Value::AsDouble(value)),
        PointValue::Int(value) => Some(Value::AsInt(value)),
        ref other => panic!("not a number: {other:?}"),
    };
    NumberDataPoint {
        attributes,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        exemplars: exemplars(point),
        flags: point.flags,
        value,
    }
}

fn histogram(attributes: Vec<KeyValue>, point: &DataPointRow) -> HistogramDataPoint {
    let PointValue::Histogram { count, sum, min, max, bucket_counts, explicit_bounds } = &point.value else {
        panic!("not a histogram: {:?}", point.value);
    };
    HistogramDataPoint {
        attributes,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        bucket_counts: bucket_counts.clone(),
        explicit_bounds: explicit_bounds.clone(),
        exemplars: exemplars(point),
        flags: point.flags,
        min: *min,
        max: *max,
    }
}

fn exponential(attributes: Vec<KeyValue>, point: &DataPointRow) -> ExponentialHistogramDataPoint {
    let PointValue::Exponential {
        count,
        sum,
        min,
        max,
        scale,
        zero_count,
        zero_threshold,
        positive,
        negative,
    } = &point.value
    else {
        panic!("not an exponential histogram: {:?}", point.value);
    };
    let buckets =
        |buckets: &Buckets| OtlpBuckets { offset: buckets.offset, bucket_counts: buckets.counts.clone() };
    ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        scale: *scale,
        zero_count: *zero_count,
        positive: positive.as_ref().map(buckets),
        negative: negative.as_ref().map(buckets),
        flags: point.flags,
        exemplars: exemplars(point),
        min: *min,
        max: *max,
        zero_threshold: *zero_threshold,
    }
}

fn summary(attributes: Vec<KeyValue>, point: &DataPointRow) -> SummaryDataPoint {
    let PointValue::Summary { count, sum, quantiles } = &point.value else {
        panic!("not a summary: {:?}", point.value);
    };
    let quantile = |&(quantile, value): &(f64, f64)| ValueAtQuantile { quantile, value };
    SummaryDataPoint {
        attributes,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        quantile_values: quantiles.iter().map(quantile).collect(),
        flags: point.flags,
    }
}

fn exemplars(point: &DataPointRow) -> Vec<Exemplar> {
    let Some(exemplars) = &point.exemplars else {
        return Vec::new();
    };
    NumberDataPoint::decode(&*exemplars.otlp).expect("exemplars that were written").exemplars
}
