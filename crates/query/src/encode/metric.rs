//! Metric definitions and data points into OTLP.

use std::collections::HashMap;

use llm_observatory_core::ids::SeriesId;
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

use super::{Dictionary, attributes};

/// A point and the series that it belongs to.
type Point<'a> = (&'a DataPointRow, &'a DescribedSeries);

/// The points in their order; neighbours share their metric, scope and resource.
///
/// A point whose series is not stored can't be told, and is left out.
///
/// # Errors
/// [`Inconsistent`] when a row contradicts itself.
pub fn metrics(
    points: &[DataPointRow],
    series: &HashMap<SeriesId, DescribedSeries>,
    dictionary: &Dictionary,
) -> Result<MetricsData, Inconsistent> {
    let points: Vec<Point<'_>> =
        points.iter().filter_map(|point| Some((point, series.get(&point.series_id)?))).collect();
    let groups = points.chunk_by(|a, b| a.1.series.resource_id == b.1.series.resource_id);
    let resource_metrics = groups.map(|group| resource_metrics(group, dictionary));
    Ok(MetricsData { resource_metrics: resource_metrics.collect::<Result<_, _>>()? })
}

fn resource_metrics(points: &[Point<'_>], dictionary: &Dictionary) -> Result<ResourceMetrics, Inconsistent> {
    let (resource, schema_url) = dictionary.resource(points[0].1.series.resource_id)?;
    let groups = points.chunk_by(|a, b| a.1.series.scope_id == b.1.series.scope_id);
    let scope_metrics = groups.map(|group| scope_metrics(group, dictionary));
    Ok(ResourceMetrics { resource, scope_metrics: scope_metrics.collect::<Result<_, _>>()?, schema_url })
}

fn scope_metrics(points: &[Point<'_>], dictionary: &Dictionary) -> Result<ScopeMetrics, Inconsistent> {
    let (scope, schema_url) = dictionary.scope(points[0].1.series.scope_id)?;
    let groups = points.chunk_by(|a, b| a.1.metric.id == b.1.metric.id);
    let metrics = groups.map(|group| metric(&group[0].1.metric, group));
    Ok(ScopeMetrics { scope, metrics: metrics.collect::<Result<_, _>>()?, schema_url })
}

/// A definition without points.
///
/// # Errors
/// [`Inconsistent`] when its row contradicts itself.
pub fn definition(row: &MetricRow) -> Result<Metric, Inconsistent> {
    metric(row, &[])
}

fn metric(row: &MetricRow, points: &[Point<'_>]) -> Result<Metric, Inconsistent> {
    Ok(Metric {
        name: row.name.to_string(),
        description: row.description.to_string(),
        unit: row.unit.to_string(),
        metadata: attributes(&row.metadata)?,
        data: Some(data(row, points)?),
    })
}

fn data(row: &MetricRow, points: &[Point<'_>]) -> Result<Data, Inconsistent> {
    let aggregation_temporality = row.temporality.0;
    Ok(match row.kind {
        MetricKind::Gauge => Data::Gauge(Gauge { data_points: each(points, number)? }),
        MetricKind::Sum => Data::Sum(Sum {
            data_points: each(points, number)?,
            aggregation_temporality,
            is_monotonic: row.is_monotonic,
        }),
        MetricKind::Histogram => {
            Data::Histogram(Histogram { data_points: each(points, histogram)?, aggregation_temporality })
        }
        MetricKind::ExponentialHistogram => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: each(points, exponential)?,
            aggregation_temporality,
        }),
        MetricKind::Summary => Data::Summary(Summary { data_points: each(points, summary)? }),
    })
}

fn each<T>(
    points: &[Point<'_>],
    encode: fn(&Point<'_>) -> Result<T, Inconsistent>,
) -> Result<Vec<T>, Inconsistent> {
    points.iter().map(encode).collect()
}

/// The values of a point are those of another kind than its metric's.
const OTHER_KIND: Inconsistent = Inconsistent::Column("metrics.kind");

fn number((point, series): &Point<'_>) -> Result<NumberDataPoint, Inconsistent> {
    let value = match point.value {
        PointValue::None => None,
        PointValue::Double(value) => Some(Value::AsDouble(value)),
        PointValue::Int(value) => Some(Value::AsInt(value)),
        _ => return Err(OTHER_KIND),
    };
    Ok(NumberDataPoint {
        attributes: attributes(&series.series.attributes)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        exemplars: exemplars(point)?,
        flags: point.flags,
        value,
    })
}

fn histogram((point, series): &Point<'_>) -> Result<HistogramDataPoint, Inconsistent> {
    let PointValue::Histogram { count, sum, min, max, bucket_counts, explicit_bounds } = &point.value else {
        return Err(OTHER_KIND);
    };
    Ok(HistogramDataPoint {
        attributes: attributes(&series.series.attributes)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        bucket_counts: bucket_counts.clone(),
        explicit_bounds: explicit_bounds.clone(),
        exemplars: exemplars(point)?,
        flags: point.flags,
        min: *min,
        max: *max,
    })
}

fn exponential((point, series): &Point<'_>) -> Result<ExponentialHistogramDataPoint, Inconsistent> {
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
        attributes: attributes(&series.series.attributes)?,
        start_time_unix_nano: point.start_time.0,
        time_unix_nano: point.time.0,
        count: *count,
        sum: *sum,
        scale: *scale,
        zero_count: *zero_count,
        positive: positive.as_ref().map(buckets),
        negative: negative.as_ref().map(buckets),
        flags: point.flags,
        exemplars: exemplars(point)?,
        min: *min,
        max: *max,
        zero_threshold: *zero_threshold,
    })
}

fn buckets(buckets: &Buckets) -> OtlpBuckets {
    OtlpBuckets { offset: buckets.offset, bucket_counts: buckets.counts.clone() }
}

fn summary((point, series): &Point<'_>) -> Result<SummaryDataPoint, Inconsistent> {
    let PointValue::Summary { count, sum, quantiles } = &point.value else {
        return Err(OTHER_KIND);
    };
    Ok(SummaryDataPoint {
        attributes: attributes(&series.series.attributes)?,
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

/// Exemplars are kept as an encoded number point with nothing but them, whatever the kind of the metric.
fn exemplars(point: &DataPointRow) -> Result<Vec<Exemplar>, Inconsistent> {
    let encoded = point.exemplars.as_ref().map(|exemplars| NumberDataPoint::decode(&*exemplars.otlp));
    Ok(encoded.transpose()?.unwrap_or_default().exemplars)
}

/// About how many bytes a point takes in a message, its attributes aside.
pub(crate) fn size(point: &DataPointRow) -> usize {
    const FIXED: usize = 120;
    let counts = |buckets: &Option<Buckets>| buckets.as_ref().map_or(0, |buckets| buckets.counts.len());
    let numbers = match &point.value {
        PointValue::None | PointValue::Double(_) | PointValue::Int(_) => 0,
        PointValue::Histogram { bucket_counts, explicit_bounds, .. } => {
            bucket_counts.len() + explicit_bounds.len()
        }
        PointValue::Exponential { positive, negative, .. } => counts(positive) + counts(negative),
        PointValue::Summary { quantiles, .. } => 3 * quantiles.len(),
    };
    FIXED + 8 * numbers + point.exemplars.as_ref().map_or(0, |exemplars| exemplars.otlp.len())
}
