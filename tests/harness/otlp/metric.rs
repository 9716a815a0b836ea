//! Requests of MetricsService.

use std::collections::HashSet;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    DataPointFlags, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::normalise::sorted;
use super::value::{attributes, count, double, open_enum, optional_id, resource, scope, text, time, word};

/// Requests of up to a few dozen points, of all five kinds. No stream has two points of the same time.
pub fn metrics() -> BoxedStrategy<ExportMetricsServiceRequest> {
    let scopes = vec((scope(), vec(metric(), 0..4), text()), 0..3);
    let scopes = scopes.prop_map(|scopes| {
        let of = |(scope, metrics, schema_url)| ScopeMetrics { scope, metrics, schema_url };
        scopes.into_iter().map(of).collect()
    });
    vec((resource(), scopes, text()), 0..3)
        .prop_map(|resources| {
            let of = |(resource, scope_metrics, schema_url)| ResourceMetrics {
                resource,
                scope_metrics,
                schema_url,
            };
            let mut request =
                ExportMetricsServiceRequest { resource_metrics: resources.into_iter().map(of).collect() };
            name(&mut request);
            request
        })
        .boxed()
}

/// One metric with a few points.
pub fn metric() -> BoxedStrategy<Metric> {
    (text(), text(), text(), attributes(), data())
        .prop_map(|(name, description, unit, metadata, mut data)| {
            unique_times(&mut data);
            Metric { name, description, unit, metadata, data: Some(data) }
        })
        .boxed()
}

/// Makes every name in the request unique, so that no two of its metrics are one stream.
fn name(request: &mut ExportMetricsServiceRequest) {
    let scopes = request.resource_metrics.iter_mut().flat_map(|resource| &mut resource.scope_metrics);
    for (n, metric) in scopes.flat_map(|scope| &mut scope.metrics).enumerate() {
        metric.name.push_str(&format!(".{n}"));
    }
}

fn data() -> impl Strategy<Value = Data> {
    let numbers = || vec(number(), 1..5);
    let temporality = || open_enum(2);
    prop_oneof![
        numbers().prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (numbers(), temporality(), any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| {
                Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
            }
        ),
        (vec(histogram(), 1..5), temporality()).prop_map(|(data_points, aggregation_temporality)| {
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (vec(exponential(), 1..5), temporality()).prop_map(|(data_points, aggregation_temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
        }),
        vec(summary(), 1..5).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ]
}

/// The time of a point, which must have one.
fn moment() -> impl Strategy<Value = u64> {
    time().prop_map(|time| time.max(1))
}

/// A double in a field that has no presence: prost does not send the sign of a zero there.
fn bare_double() -> impl Strategy<Value = f64> {
    double().prop_map(|number| number + 0.0)
}

fn number() -> impl Strategy<Value = NumberDataPoint> {
    let value = of(prop_oneof![
        double().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt),
    ]);
    (attributes(), time(), moment(), exemplars(), word(), value).prop_map(
        |(attributes, start_time_unix_nano, time_unix_nano, exemplars, flags, value)| NumberDataPoint {
            attributes,
            start_time_unix_nano,
            time_unix_nano,
            exemplars,
            // A point without a value must say so.
            flags: value.map_or(flags | DataPointFlags::NoRecordedValueMask as u32, |_| flags),
            value,
        },
    )
}

fn histogram() -> impl Strategy<Value = HistogramDataPoint> {
    let aggregates = (count(), of(double()), of(double()), of(double()));
    // OTLP: as many counts as bounds and one more, or none of both.
    let buckets = prop_oneof![1 => Just((vec![], vec![])), 3 => (1..5_usize).prop_flat_map(|n| (vec(count(), n), vec(double(), n - 1)))];
    (attributes(), (time(), moment()), aggregates, buckets, exemplars(), word()).prop_map(
        |(
            attributes,
            (start, time),
            (count, sum, min, max),
            (bucket_counts, explicit_bounds),
            exemplars,
            flags,
        )| {
            HistogramDataPoint {
                attributes,
                start_time_unix_nano: start,
                time_unix_nano: time,
                count,
                sum,
                bucket_counts,
                explicit_bounds,
                exemplars,
                flags,
                min,
                max,
            }
        },
    )
}

fn exponential() -> impl Strategy<Value = ExponentialHistogramDataPoint> {
    let buckets = || {
        of((any::<i32>(), vec(count(), 0..4))
            .prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }))
    };
    let aggregates = (count(), of(double()), of(double()), of(double()));
    let shape = (any::<i32>(), count(), bare_double(), buckets(), buckets());
    (attributes(), (time(), moment()), aggregates, shape, exemplars(), word()).prop_map(
        |(attributes, (start, time), (count, sum, min, max), shape, exemplars, flags)| {
            let (scale, zero_count, zero_threshold, positive, negative) = shape;
            ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano: start,
                time_unix_nano: time,
                count,
                sum,
                scale,
                zero_count,
                positive,
                negative,
                flags,
                exemplars,
                min,
                max,
                zero_threshold,
            }
        },
    )
}

fn summary() -> impl Strategy<Value = SummaryDataPoint> {
    let quantile =
        (bare_double(), bare_double()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (attributes(), time(), moment(), count(), bare_double(), vec(quantile, 0..4), word()).prop_map(
        |(attributes, start_time_unix_nano, time_unix_nano, count, sum, quantile_values, flags)| {
            SummaryDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count,
                sum,
                quantile_values,
                flags,
            }
        },
    )
}

fn exemplars() -> impl Strategy<Value = Vec<Exemplar>> {
    let value = of(prop_oneof![
        double().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt),
    ]);
    let exemplar = (attributes(), time(), optional_id(8), optional_id(16), value).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    );
    prop_oneof![2 => Just(Vec::new()), 1 => vec(exemplar, 1..3)]
}

fn unique_times(data: &mut Data) {
    let mut seen = HashSet::new();
    let mut is_new =
        |attributes: &[KeyValue], time: u64| seen.insert((format!("{:?}", sorted(attributes)), time));
    match data {
        Data::Gauge(gauge) => {
            gauge.data_points.retain(|point| is_new(&point.attributes, point.time_unix_nano))
        }
        Data::Sum(sum) => sum.data_points.retain(|point| is_new(&point.attributes, point.time_unix_nano)),
        Data::Histogram(data) => {
            data.data_points.retain(|point| is_new(&point.attributes, point.time_unix_nano))
        }
        Data::ExponentialHistogram(data) => {
            data.data_points.retain(|point| is_new(&point.attributes, point.time_unix_nano));
        }
        Data::Summary(data) => {
            data.data_points.retain(|point| is_new(&point.attributes, point.time_unix_nano))
        }
    }
}
