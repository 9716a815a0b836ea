//! Rows of `metrics`, `metric_series` and `metric_data_points`, read back.

use std::time::SystemTime;

use llm_observatory_core::ids::{MetricId, ProjectId, ResourceId, ScopeId, SeriesId};
use llm_observatory_core::metric::{MetricKind, Temporality};

use crate::error::Error;
use crate::models::metric::{Buckets, PointValue};
use crate::models::row::Row as _;
use crate::models::{DataPointRow, MetricRow, SeriesRow};
use crate::repositories::fields::{Fields, Read, time};

macro_rules! metric_columns {
    () => {
        "id, project_id, kind, temporality, is_monotonic, name, unit, description, metadata, metadata_layout"
    };
}

macro_rules! series_columns {
    () => {
        "id, project_id, metric_id, resource_id, scope_id, attributes, attributes_layout"
    };
}

macro_rules! point_columns {
    () => {
        "time, start_time, value_double, value_int, count, sum, min, max, zero_count, zero_threshold, project_id, flags, \
         scale, positive_offset, negative_offset, time_nanos, start_nanos, series_id, bucket_counts, explicit_bounds, \
         positive_counts, negative_counts, quantiles, quantile_values, exemplars, exemplars_otlp"
    };
}

pub(super) use {metric_columns, point_columns, series_columns};

/// A series with its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedSeries {
    /// The series.
    pub series: SeriesRow,
    /// The definition.
    pub metric: MetricRow,
}

impl Read for MetricRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: MetricId(fields.take()?),
            project_id: ProjectId(fields.take()?),
            kind: MetricKind::from_column(fields.take()?).ok_or_else(|| fields.wrong())?,
            temporality: Temporality(fields.take()?),
            is_monotonic: fields.take()?,
            name: fields.text()?,
            unit: fields.text()?,
            description: fields.text()?,
            metadata: fields.attributes()?,
        })
    }
}

impl Read for SeriesRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: SeriesId(fields.take()?),
            project_id: ProjectId(fields.take()?),
            metric_id: MetricId(fields.take()?),
            resource_id: ResourceId(fields.take()?),
            scope_id: ScopeId(fields.take()?),
            attributes: fields.attributes()?,
        })
    }
}

impl Read for DescribedSeries {
    const COLUMNS: &'static [&'static str] = &[];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self { series: fields.row()?, metric: fields.row()? })
    }
}

impl Read for DataPointRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let (at, start): (SystemTime, SystemTime) = (fields.take()?, fields.take()?);
        let mut columns = Columns {
            double: fields.take()?,
            int: fields.take()?,
            count: fields.take()?,
            sum: fields.take()?,
            min: fields.take()?,
            max: fields.take()?,
            zero_count: fields.take()?,
            zero_threshold: fields.take()?,
            ..Columns::default()
        };
        let (project_id, flags) = (ProjectId(fields.take()?), fields.count32()?);
        columns.scale = fields.take()?;
        let offsets: [Option<i32>; 2] = [fields.take()?, fields.take()?];
        let (at, start_time) = (time(at, fields.take()?), time(start, fields.take()?));
        let series_id = SeriesId(fields.take()?);
        columns.bucket_counts = fields.take()?;
        columns.explicit_bounds = fields.take()?;
        columns.positive = buckets(offsets[0], fields)?;
        columns.negative = buckets(offsets[1], fields)?;
        columns.quantiles = fields.take()?;
        columns.quantile_values = fields.take()?;
        let value = columns.value().ok_or_else(|| fields.wrong())?;
        Ok(Self { project_id, series_id, start_time, time: at, flags, value, exemplars: fields.nested()? })
    }
}

fn buckets(offset: Option<i32>, fields: &mut Fields<'_>) -> Result<Option<Buckets>, Error> {
    match (offset, fields.take::<Option<Vec<i64>>>()?) {
        (Some(offset), Some(counts)) => Ok(Some(Buckets { offset, counts: unsigned(counts) })),
        (None, None) => Ok(None),
        _ => Err(fields.wrong()),
    }
}

fn unsigned(counts: Vec<i64>) -> Vec<u64> {
    counts.into_iter().map(i64::cast_unsigned).collect()
}

/// The columns of `PointValue`, side by side. Which are filled tells which variant they are.
#[derive(Debug, Default)]
struct Columns {
    double: Option<f64>,
    int: Option<i64>,
    count: Option<i64>,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    zero_count: Option<i64>,
    zero_threshold: Option<f64>,
    scale: Option<i32>,
    positive: Option<Buckets>,
    negative: Option<Buckets>,
    bucket_counts: Option<Vec<i64>>,
    explicit_bounds: Option<Vec<f64>>,
    quantiles: Option<Vec<f64>>,
    quantile_values: Option<Vec<f64>>,
}

impl Columns {
    /// The value; `None` when the columns contradict each other.
    fn value(self) -> Option<PointValue> {
        let Self { sum, min, max, .. } = self;
        let Some(count) = self.count.map(i64::cast_unsigned) else {
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
                zero_count: self.zero_count?.cast_unsigned(),
                zero_threshold: self.zero_threshold?,
                positive: self.positive,
                negative: self.negative,
            }),
            (None, Some(bucket_counts), None) => Some(PointValue::Histogram {
                count,
                sum,
                min,
                max,
                bucket_counts: unsigned(bucket_counts),
                explicit_bounds: self.explicit_bounds?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_selected_in_the_order_in_which_they_are_read() {
        let names = |columns: &'static str| columns.split(", ").collect::<Vec<_>>();
        assert_eq!(names(metric_columns!()), MetricRow::COLUMNS);
        assert_eq!(names(series_columns!()), SeriesRow::COLUMNS);
        assert_eq!(names(point_columns!()), DataPointRow::COLUMNS);
    }

    #[test]
    fn the_filled_columns_tell_the_kind_of_a_value() {
        assert_eq!(Columns::default().value(), Some(PointValue::None));
        assert_eq!(Columns { int: Some(-3), ..Columns::default() }.value(), Some(PointValue::Int(-3)));
        let summary = Columns {
            count: Some(-1),
            sum: Some(2.5),
            quantiles: Some(vec![0.5]),
            quantile_values: Some(vec![7.0]),
            ..Columns::default()
        };
        let expected = PointValue::Summary { count: u64::MAX, sum: 2.5, quantiles: vec![(0.5, 7.0)] };
        assert_eq!(summary.value(), Some(expected));
    }

    #[test]
    fn contradicting_columns_are_no_value() {
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
