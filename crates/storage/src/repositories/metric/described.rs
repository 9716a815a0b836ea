//! Series with their definitions.

use crate::error::Error;
use crate::models::fields::Fields;
use crate::models::row::{ReadRow, Row as _};
use crate::models::{MetricRow, SeriesRow};
use crate::statement::Statement;

pub(super) static DESCRIBED: Statement = Statement::composed("metric: described series", || {
    format!(
        "SELECT {}, {} FROM metric_series AS s \
         JOIN metrics AS m ON m.id = s.metric_id AND m.project_id = s.project_id \
         WHERE s.id = ANY ($1) AND s.project_id = $2",
        SeriesRow::TABLE.select_from("s"),
        MetricRow::TABLE.select_from("m")
    )
});

/// A series with its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedSeries {
    /// The series.
    pub series: SeriesRow,
    /// The definition.
    pub metric: MetricRow,
}

impl ReadRow for DescribedSeries {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self { series: SeriesRow::read(fields)?, metric: MetricRow::read(fields)? })
    }
}
