//! Metric definitions and data points as OTLP.

use llm_observatory_core::metric::MetricKind;
use llm_observatory_storage::models::attributes::Inconsistent;
use llm_observatory_storage::models::metric::{Buckets, DataPointRow, MetricRow, PointValue};
use llm_observatory_storage::repositories::metric::DescribedSeries;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as OtlpBuckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, MetricsData, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
};
use prost::Message as _;

use super::{Encoded, Origins, ValueLimit, attributes, runs};

/// A data point of any kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    /// A point of a gauge or a sum.
    Number(NumberDataPoint),
    /// A point of a histogram.
    Histogram(HistogramDataPoint),
    /// A point of an exponential histogram.
    Exponential(ExponentialHistogramDataPoint),
    /// A point of a summary.
    Summary(SummaryDataPoint),
}

/// A data point and its metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured<'s> {
    /// Definition of the metric.
    pub metric: &'s MetricRow,
    /// The point.
    pub point: Point,
}

/// Groups the points in their order; neighbours share their metric, scope and resource.
///
/// # Errors
/// [`Inconsistent`] when the columns of a metric, scope or resource contradict each other.
pub(crate) fn metrics(
    points: Vec<Encoded<Measured<'_>>>,
    origins: &Origins,
) -> Result<MetricsData, Inconsistent> {
    let resource_metrics = runs(points, |point| point.resource_id).into_iter().map(|(id, points)| {
        let (resource, schema_url) = origins.resource(id)?;
        let scope_metrics = runs(points, |point| point.scope_id).into_iter().map(|(id, points)| {
            let (scope, schema_url) = origins.scope(id)?;
            let points = points.into_iter().map(|point| point.record).collect();
            Ok(ScopeMetrics { scope, metrics: of_one_scope(points, origins.limit)?, schema_url })
        });
        let scope_metrics = scope_metrics.collect::<Result<_, Inconsistent>>()?;
        Ok(ResourceMetrics { resource, scope_metrics, schema_url })
    });
    Ok(MetricsData { resource_metrics: resource_metrics.collect::<Result<_, Inconsistent>>()? })
}

fn of_one_scope(points: Vec<Measured<'_>>, limit: ValueLimit) -> Result<Vec<Metric>, Inconsistent> {
    let of_metric = |points: Vec<Measured<'_>>| {
        // `runs` returns no empty run.
        let row = points[0].metric;
        metric(row, points.into_iter().map(|measured| measured.point), limit)
    };
    runs(points, |point| point.metric.id).into_iter().map(|(_, points)| of_metric(points)).collect()
}

/// Encodes a definition without points.
///
/// # Errors
/// [`Inconsistent`] when the columns of the row contradict each other.
pub(crate) fn definition(row: &MetricRow) -> Result<Metric, Inconsistent> {
    metric(row, std::iter::empty(), ValueLimit::default())
}

fn metric(
    row: &MetricRow,
    points: impl Iterator<Item = Point>,
    limit: ValueLimit,
) -> Result<Metric, Inconsistent> {
    Ok(Metric {
        name: row.name.to_string(),
        description: row.description.to_string(),
        unit: row.unit.to_string(),
        metadata: attributes(&row.metadata, limit)?,
        data: Some(data(row, points)),
    })
}

/// The points of a metric. All have the kind of its definition, since [`point`] returns no others.
fn data(row: &MetricRow, points: impl Iterator<Item = Point>) -> Data {
    macro_rules! all {
        ($kind:ident) => {
            points
                .filter_map(|point| if let Point::$kind(point) = point { Some(point) } else { None })
                .collect()
        };
    }
    let aggregation_temporality = row.temporality.0;
    match row.kind {
        MetricKind::Gauge => Data::Gauge(Gauge { data_points: all!(Number) }),
        MetricKind::Sum => Data::Sum(Sum {
            data_points: all!(Number),
            aggregation_temporality,
            is_monotonic: row.is_monotonic,
        }),
        MetricKind::Histogram => {
            Data::Histogram(Histogram { data_points: all!(Histogram), aggregation_temporality })
        }
        MetricKind::ExponentialHistogram => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: all!(Exponential),
            aggregation_temporality,
        }),
        MetricKind::Summary => Data::Summary(Summary { data_points: all!(Summary) }),
    }
}

/// Encodes one point of a series, and cuts its values to `limit`.
///
/// # Errors
/// [`Inconsistent`] when the columns of the row contradict each other or the kind of the metric.
pub(crate) fn point<'s>(
    row: &DataPointRow,
    of: &'s DescribedSeries,
    limit: ValueLimit,
) -> Result<Encoded<Measured<'s>>, Inconsistent> {
    let point = match of.metric.kind {
        MetricKind::Gauge | MetricKind::Sum => Point::Number(number(row, of, limit)?),
        MetricKind::Histogram => Point::Histogram(histogram(row, of, limit)?),
        MetricKind::ExponentialHistogram => Point::Exponential(exponential(row, of, limit)?),
        MetricKind::Summary => Point::Summary(summary(row, of, limit)?),
    };
    let record = Measured { metric: &of.metric, point };
    Ok(Encoded { record, resource_id: of.series.resource_id, scope_id: of.series.scope_id })
}

impl Point {
    /// Size of the point in a message, in bytes.
    pub(crate) fn encoded_len(&self) -> usize {
        match self {
            Self::Number(point) => point.encoded_len(),
            Self::Histogram(point) => point.encoded_len(),
            Self::Exponential(point) => point.encoded_len(),
            Self::Summary(point) => point.encoded_len(),
        }
    }
}

/// The error for a point with values of another kind than its metric.
const OTHER_KIND: Inconsistent = Inconsistent::Column("metrics.kind");

fn number(
    point: &DataPointRow,
    of: &DescribedSeries,
    limit: ValueLimit,
) -> Result<NumberDataPoint, Inconsistent> {
    let value = match point.value {
        PointValue::None => None,
        PointValue::Double(value) => Some(Value::AsDouble(value)),
        PointValue::Int(value) => Some(Value::AsInt(value)),
        _ => return Err(OTHER_KIND),
    };
    Ok(NumberDataPoint {
        attributes: attributes(&of.series.attributes, limit)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        exemplars: exemplars(point, limit)?,
        flags: point.flags,
        value,
    })
}

fn histogram(
    point: &DataPointRow,
    of: &DescribedSeries,
    limit: ValueLimit,
) -> Result<HistogramDataPoint, Inconsistent> {
    let PointValue::Histogram { count, sum, min, max, bucket_counts, explicit_bounds } = &point.value else {
        return Err(OTHER_KIND);
    };
    Ok(HistogramDataPoint {
        attributes: attributes(&of.series.attributes, limit)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        bucket_counts: bucket_counts.clone(),
        explicit_bounds: explicit_bounds.clone(),
        exemplars: exemplars(point, limit)?,
        flags: point.flags,
        min: *min,
        max: *max,
    })
}

fn exponential(
    point: &DataPointRow,
    of: &DescribedSeries,
    limit: ValueLimit,
) -> Result<ExponentialHistogramDataPoint, Inconsistent> {
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
        return Err(OTHER_KIND);
    };
    Ok(ExponentialHistogramDataPoint {
        attributes: attributes(&of.series.attributes, limit)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        scale: *scale,
        zero_count: *zero_count,
        positive: positive.as_ref().map(buckets),
        negative: negative.as_ref().map(buckets),
        flags: point.flags,
        exemplars: exemplars(point, limit)?,
        min: *min,
        max: *max,
        zero_threshold: *zero_threshold,
    })
}

fn buckets(buckets: &Buckets) -> OtlpBuckets {
    OtlpBuckets { offset: buckets.offset, bucket_counts: buckets.counts.clone() }
}

fn summary(
    point: &DataPointRow,
    of: &DescribedSeries,
    limit: ValueLimit,
) -> Result<SummaryDataPoint, Inconsistent> {
    let PointValue::Summary { count, sum, quantiles } = &point.value else {
        return Err(OTHER_KIND);
    };
    Ok(SummaryDataPoint {
        attributes: attributes(&of.series.attributes, limit)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        quantile_values: quantiles
            .iter()
            .map(|(quantile, value)| ValueAtQuantile { quantile: *quantile, value: *value })
            .collect(),
        flags: point.flags,
    })
}

/// Decodes exemplars. The column holds them as an encoded number point without other fields, for metrics of any kind.
fn exemplars(point: &DataPointRow, limit: ValueLimit) -> Result<Vec<Exemplar>, Inconsistent> {
    let encoded = point.exemplars.as_ref().map(|exemplars| NumberDataPoint::decode(&*exemplars.otlp));
    let mut exemplars = encoded.transpose()?.unwrap_or_default().exemplars;
    exemplars.iter_mut().for_each(|exemplar| limit.cut_attributes(&mut exemplar.filtered_attributes));
    Ok(exemplars)
}
