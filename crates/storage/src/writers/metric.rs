//! Writes metric data points, with their definitions and series.

use std::collections::HashSet;

use llm_observatory_core::ids::{ProjectId, SeriesId};
use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::{Day, UnixNanos};

use super::batch::{Batch, RecordCounts, Way, all, micros, numbered};
use super::buffered::BufferedWriter;
use super::copy::{copy_rows, stage_rows};
use super::dictionary::Dictionary;
use super::insert;
use crate::error::Error;
use crate::models::metric::PointKey;
use crate::models::row::Row as _;
use crate::models::{DataPointRow, MetricRow, ResourceRow, ScopeRow, SeriesRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// Gathers and writes data points; see [`BufferedWriter`].
pub type MetricWriter = BufferedWriter<MetricBatch>;

/// Data points with their dictionary rows.
#[derive(Debug, Clone, Default)]
pub struct MetricBatch {
    /// Resources of the series.
    pub resources: Vec<ResourceRow>,
    /// Instrumentation scopes of the series.
    pub scopes: Vec<ScopeRow>,
    /// Definitions of the metrics.
    pub metrics: Vec<MetricRow>,
    /// Series of the points.
    pub series: Vec<SeriesRow>,
    /// The points.
    pub points: Vec<DataPointRow>,
}

static STAGE: Statement = Statement::script(
    "metric: stage",
    "CREATE TEMP TABLE IF NOT EXISTS staged_points (LIKE metric_data_points, arrival integer) ON COMMIT DELETE ROWS; \
     TRUNCATE staged_points",
);
/// Moves the new points. They were staged in the order of their key, which all writers follow, so that they do not
/// deadlock.
static UNSTAGE: Statement = Statement::composed("metric: unstage", || {
    format!(
        "INSERT INTO metric_data_points ({0}) \
         SELECT {0} FROM staged_points ORDER BY arrival \
         ON CONFLICT (series_id, time, start_time, project_id, time_nanos, start_nanos) DO NOTHING \
         RETURNING series_id, {1}, time_nanos, {2}, start_nanos, project_id",
        DataPointRow::TABLE.names(),
        micros("time"),
        micros("start_time"),
    )
});

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&STAGE, &UNSTAGE];

impl Batch for MetricBatch {
    type Record = DataPointRow;
    const SIGNAL: Signal = Signal::Metrics;

    fn records(&self) -> &[DataPointRow] {
        &self.points
    }

    fn records_mut(&mut self) -> &mut Vec<DataPointRow> {
        &mut self.points
    }

    fn day(point: &DataPointRow) -> Day {
        point.time.day()
    }

    fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.metrics.append(&mut other.metrics);
        self.series.append(&mut other.series);
        self.points.append(&mut other.points);
    }

    fn is_empty(&self) -> bool {
        let Self { resources, scopes, metrics, series, points } = self;
        resources.is_empty()
            && scopes.is_empty()
            && metrics.is_empty()
            && series.is_empty()
            && points.is_empty()
    }

    async fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> Result<(), Error> {
        dictionary.ensure(connection, &all(batches, |batch| &batch.resources)).await?;
        dictionary.ensure(connection, &all(batches, |batch| &batch.scopes)).await?;
        dictionary.ensure(connection, &all(batches, |batch| &batch.metrics)).await?;
        dictionary.ensure(connection, &all(batches, |batch| &batch.series)).await
    }

    /// Of points with the same key the first one remains.
    async fn write(
        slices: &[&[DataPointRow]],
        connection: &WriterConnection,
        way: Way,
    ) -> Result<Vec<RecordCounts>, Error> {
        let mut points = numbered(slices);
        points.sort_by_key(|(_, point)| point.key());
        points.dedup_by_key(|(_, point)| point.key());
        let rows: Vec<_> = points.iter().map(|(_, point)| *point).collect();
        let mut counts = RecordCounts::all_duplicates(slices);
        match way {
            Way::Staged => {
                let new = stage(connection, &rows).await?;
                points.retain(|(_, point)| new.contains(&point.key()));
            }
            Way::Copy => _ = copy_rows(connection, &rows).await?,
            Way::Insert => insert::insert_new(connection, &rows).await?,
        }
        points.iter().for_each(|(slice, _)| counts[*slice].is_new());
        Ok(counts)
    }
}

/// Stores the points whose key is new, and returns the keys of these.
async fn stage(connection: &WriterConnection, rows: &[&DataPointRow]) -> Result<HashSet<PointKey>, Error> {
    connection.batch_execute(STAGE.sql()).await?;
    stage_rows(connection, "staged_points", rows).await?;
    let rows = connection.query(&connection.statement(UNSTAGE.sql()).await?, &[]).await?;
    Ok(rows.iter().map(point_key).collect())
}

fn point_key(row: &tokio_postgres::Row) -> PointKey {
    let nanos = |micros, rest| UnixNanos::from_parts(row.get(micros), row.get(rest));
    (SeriesId(row.get(0)), nanos(1, 2), nanos(3, 4), ProjectId(row.get(5)))
}

impl MetricWriter {
    /// Gathers one definition.
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_metric(&self, metric: MetricRow) -> Result<(), Error> {
        self.write(MetricBatch { metrics: vec![metric], ..MetricBatch::default() }).await
    }

    /// Gathers one series.
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_series(&self, series: SeriesRow) -> Result<(), Error> {
        self.write(MetricBatch { series: vec![series], ..MetricBatch::default() }).await
    }

    /// Gathers one data point.
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_data_point(&self, point: DataPointRow) -> Result<(), Error> {
        self.write(MetricBatch { points: vec![point], ..MetricBatch::default() }).await
    }
}
