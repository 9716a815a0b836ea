//! Rows of `metric_data_points`, and the values of points.

use std::borrow::Cow;

use llm_observatory_core::ids::{ProjectId, SeriesId};
use llm_observatory_core::time::UnixNanos;

use crate::models::attributes::Inconsistent;
use crate::models::column::{
    Bytea, Count32, Count64, Count64Array, Float8, Float8Array, Id, Int2, Int4, Int8, Jsonb, Nullable,
    Timestamp,
};
use crate::models::row::row;
use crate::models::time::joined;
use crate::models::trace::Nested;

/// A row of `metric_data_points`.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPointRow {
    /// Project of the point.
    pub project_id: ProjectId,
    /// Series of the point.
    pub series_id: SeriesId,
    /// Start of the interval that the point sums up; may be unknown.
    pub start_time: UnixNanos,
    /// Time of the measurement.
    pub time: UnixNanos,
    /// OTLP flags.
    pub flags: u32,
    /// Measured value.
    pub value: PointValue,
    /// Exemplars of the point.
    pub exemplars: Option<Nested>,
}

/// The value of a point. The kind of its metric decides the variant.
#[derive(Debug, Clone, PartialEq)]
pub enum PointValue {
    /// Gauge or sum without a value: the series went stale.
    None,
    /// Gauge or sum with a double.
    Double(f64),
    /// Gauge or sum with an integer.
    Int(i64),
    /// Counts in buckets with explicit bounds.
    Histogram {
        /// Number of values.
        count: u64,
        /// Sum of the values, if the client sent it.
        sum: Option<f64>,
        /// Smallest value, if the client sent it.
        min: Option<f64>,
        /// Largest value, if the client sent it.
        max: Option<f64>,
        /// Count of each bucket.
        bucket_counts: Vec<u64>,
        /// Upper bound of each bucket, without the last.
        explicit_bounds: Vec<f64>,
    },
    /// Counts in buckets with exponential bounds.
    Exponential {
        /// Number of values.
        count: u64,
        /// Sum of the values, if the client sent it.
        sum: Option<f64>,
        /// Smallest value, if the client sent it.
        min: Option<f64>,
        /// Largest value, if the client sent it.
        max: Option<f64>,
        /// Resolution of the buckets: their base is 2^(2^-scale).
        scale: i32,
        /// Number of values that count as zero.
        zero_count: u64,
        /// Largest absolute value that counts as zero.
        zero_threshold: f64,
        /// Buckets of positive values.
        positive: Option<Buckets>,
        /// Buckets of negative values.
        negative: Option<Buckets>,
    },
    /// Quantiles computed by the client.
    Summary {
        /// Number of values.
        count: u64,
        /// Sum of the values.
        sum: f64,
        /// Pairs of quantile (0 to 1) and value.
        quantiles: Vec<(f64, f64)>,
    },
}

/// Consecutive exponential buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// Index of the first bucket.
    pub offset: i32,
    /// Count of each bucket.
    pub counts: Vec<u64>,
}

impl PointValue {
    /// Memory of the lists in it, in bytes.
    pub fn list_bytes(&self) -> usize {
        let buckets = |buckets: &Option<Buckets>| buckets.as_ref().map_or(0, |buckets| buckets.counts.len());
        let numbers = match self {
            Self::None | Self::Double(_) | Self::Int(_) => 0,
            Self::Histogram { bucket_counts, explicit_bounds, .. } => {
                bucket_counts.len() + explicit_bounds.len()
            }
            Self::Exponential { positive, negative, .. } => buckets(positive) + buckets(negative),
            Self::Summary { quantiles, .. } => 2 * quantiles.len(),
        };
        numbers * size_of::<u64>()
    }
}

/// The unique key of a point: series, time, start time, project.
pub type PointKey = (SeriesId, UnixNanos, UnixNanos, ProjectId);

impl DataPointRow {
    /// The unique key.
    pub fn key(&self) -> PointKey {
        (self.series_id, self.time, self.start_time, self.project_id)
    }
}

/// The columns of a [`PointValue`]. Those that are not NULL decide its variant.
#[derive(Debug, Default)]
struct Columns<'a> {
    double: Option<f64>,
    int: Option<i64>,
    count: Option<u64>,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    zero_count: Option<u64>,
    zero_threshold: Option<f64>,
    scale: Option<i32>,
    positive: Option<Cow<'a, Buckets>>,
    negative: Option<Cow<'a, Buckets>>,
    bucket_counts: Option<Cow<'a, [u64]>>,
    explicit_bounds: Option<Cow<'a, [f64]>>,
    quantiles: Option<Vec<f64>>,
    quantile_values: Option<Vec<f64>>,
}

impl<'a> From<&'a PointValue> for Columns<'a> {
    fn from(value: &'a PointValue) -> Self {
        match value {
            PointValue::None => Self::default(),
            PointValue::Double(value) => Self { double: Some(*value), ..Self::default() },
            PointValue::Int(value) => Self { int: Some(*value), ..Self::default() },
            PointValue::Histogram { count, sum, min, max, bucket_counts, explicit_bounds } => Self {
                count: Some(*count),
                sum: *sum,
                min: *min,
                max: *max,
                bucket_counts: Some(Cow::Borrowed(bucket_counts)),
                explicit_bounds: Some(Cow::Borrowed(explicit_bounds)),
                ..Self::default()
            },
            PointValue::Exponential {
                count,
                sum,
                min,
                max,
                scale,
                zero_count,
                zero_threshold,
                positive,
                negative,
            } => Self {
                count: Some(*count),
                sum: *sum,
                min: *min,
                max: *max,
                scale: Some(*scale),
                zero_count: Some(*zero_count),
                zero_threshold: Some(*zero_threshold),
                positive: positive.as_ref().map(Cow::Borrowed),
                negative: negative.as_ref().map(Cow::Borrowed),
                ..Self::default()
            },
            PointValue::Summary { count, sum, quantiles } => Self {
                count: Some(*count),
                sum: Some(*sum),
                quantiles: Some(quantiles.iter().map(|pair| pair.0).collect()),
                quantile_values: Some(quantiles.iter().map(|pair| pair.1).collect()),
                ..Self::default()
            },
        }
    }
}

impl Columns<'_> {
    /// The value; `None` when the columns contradict each other.
    fn value(self) -> Option<PointValue> {
        let Self { sum, min, max, .. } = self;
        let Some(count) = self.count else {
            return match (self.double, self.int) {
                (Some(value), None) => Some(PointValue::Double(value)),
                (None, Some(value)) => Some(PointValue::Int(value)),
                (None, None) => Some(PointValue::None),
                (Some(_), Some(_)) => None,
            };
        };
        match (self.scale, self.bucket_counts, self.quantiles) {
            (Some(scale), None, None) => Some(PointValue::Exponential {
                count,
                sum,
                min,
                max,
                scale,
                zero_count: self.zero_count?,
                zero_threshold: self.zero_threshold?,
                positive: self.positive.map(Cow::into_owned),
                negative: self.negative.map(Cow::into_owned),
            }),
            (None, Some(bucket_counts), None) => Some(PointValue::Histogram {
                count,
                sum,
                min,
                max,
                bucket_counts: bucket_counts.into_owned(),
                explicit_bounds: self.explicit_bounds?.into_owned(),
            }),
            (None, None, Some(quantiles)) => {
                let values = self.quantile_values.filter(|values| values.len() == quantiles.len())?;
                Some(PointValue::Summary {
                    count,
                    sum: sum?,
                    quantiles: quantiles.into_iter().zip(values).collect(),
                })
            }
            _ => None,
        }
    }
}

/// Buckets from their two columns, which are both present or both NULL.
fn buckets(
    offset: Option<i32>,
    counts: Option<Vec<u64>>,
) -> Result<Option<Cow<'static, Buckets>>, Inconsistent> {
    match (offset, counts) {
        (Some(offset), Some(counts)) => Ok(Some(Cow::Owned(Buckets { offset, counts }))),
        (None, None) => Ok(None),
        _ => Err(Inconsistent::Column("positive_offset or negative_offset")),
    }
}

row! {
    DataPointRow, "metric_data_points", |point|
    let columns = Columns::from(&point.value);
    let exemplars = point.exemplars.as_ref();
    [
        time: Timestamp = point.time,
        start_time: Timestamp = point.start_time,
        value_double: Nullable<Float8> = columns.double,
        value_int: Nullable<Int8> = columns.int,
        count: Nullable<Count64> = columns.count,
        sum: Nullable<Float8> = columns.sum,
        min: Nullable<Float8> = columns.min,
        max: Nullable<Float8> = columns.max,
        zero_count: Nullable<Count64> = columns.zero_count,
        zero_threshold: Nullable<Float8> = columns.zero_threshold,
        project_id: Int4 = point.project_id.0,
        flags: Count32 = point.flags,
        scale: Nullable<Int4> = columns.scale,
        positive_offset: Nullable<Int4> = columns.positive.as_ref().map(|buckets| buckets.offset),
        negative_offset: Nullable<Int4> = columns.negative.as_ref().map(|buckets| buckets.offset),
        time_nanos: Int2 = point.time.sub_micros(),
        start_nanos: Int2 = point.start_time.sub_micros(),
        series_id: Id = point.series_id.0,
        bucket_counts: Nullable<Count64Array> = columns.bucket_counts.as_deref(),
        explicit_bounds: Nullable<Float8Array> = columns.explicit_bounds.as_deref(),
        positive_counts: Nullable<Count64Array> = columns.positive.as_ref().map(|buckets| &*buckets.counts),
        negative_counts: Nullable<Count64Array> = columns.negative.as_ref().map(|buckets| &*buckets.counts),
        quantiles: Nullable<Float8Array> = columns.quantiles.as_deref(),
        quantile_values: Nullable<Float8Array> = columns.quantile_values.as_deref(),
        exemplars: Nullable<Jsonb> = exemplars.map(|exemplars| &*exemplars.json),
        exemplars_otlp: Nullable<Bytea> = exemplars.map(|exemplars| &*exemplars.otlp),
    ]
    read {
        let columns = Columns {
            double: value_double,
            int: value_int,
            count,
            sum,
            min,
            max,
            zero_count,
            zero_threshold,
            scale,
            positive: buckets(positive_offset, positive_counts)?,
            negative: buckets(negative_offset, negative_counts)?,
            bucket_counts: bucket_counts.map(Cow::Owned),
            explicit_bounds: explicit_bounds.map(Cow::Owned),
            quantiles,
            quantile_values,
        };
        Ok(Self {
            project_id: ProjectId(project_id),
            series_id: SeriesId(series_id),
            start_time: joined(start_time, start_nanos),
            time: joined(time, time_nanos),
            flags,
            value: columns.value().ok_or(Inconsistent::Column("value_double"))?,
            exemplars: Nested::read(exemplars, exemplars_otlp)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_that_are_not_null_decide_the_kind_of_a_value() {
        assert_eq!(Columns::default().value(), Some(PointValue::None));
        assert_eq!(Columns { int: Some(-3), ..Columns::default() }.value(), Some(PointValue::Int(-3)));
        let summary = Columns {
            count: Some(u64::MAX),
            sum: Some(2.5),
            quantiles: Some(vec![0.5]),
            quantile_values: Some(vec![7.0]),
            ..Columns::default()
        };
        let expected = PointValue::Summary { count: u64::MAX, sum: 2.5, quantiles: vec![(0.5, 7.0)] };
        assert_eq!(summary.value(), Some(expected));
    }

    #[test]
    fn columns_that_contradict_each_other_give_no_value() {
        assert_eq!(Columns { int: Some(1), double: Some(1.0), ..Columns::default() }.value(), None);
        assert_eq!(Columns { count: Some(1), ..Columns::default() }.value(), None);
        let ragged = Columns {
            count: Some(1),
            sum: Some(1.0),
            quantiles: Some(vec![0.5, 0.9]),
            quantile_values: Some(vec![1.0]),
            ..Columns::default()
        };
        assert_eq!(ragged.value(), None);
    }
}
