//! Metric data points, with their definitions and series.

use std::collections::HashSet;

use llm_observatory_core::ids::{ProjectId, SeriesId};
use llm_observatory_core::time::UnixNanos;
use tokio::sync::Mutex;

use super::connection::WriterConnection;
use super::copy::CopyWriter;
use super::dictionary::Dictionary;
use super::{Rows, Way, Written, all, commit, insert, make_partitions, micros, numbered};
use crate::error::Error;
use crate::models::metric::PointKey;
use crate::models::row::Row as _;
use crate::models::{DataPointRow, MetricRow, ResourceRow, ScopeRow, SeriesRow};
use crate::pool::StoragePool;

/// Data points with all that they point at.
#[derive(Debug, Clone, Default)]
pub struct MetricBatch {
    /// Where they come from.
    pub resources: Vec<ResourceRow>,
    /// The libraries that measure.
    pub scopes: Vec<ScopeRow>,
    /// The definitions.
    pub metrics: Vec<MetricRow>,
    /// The streams.
    pub series: Vec<SeriesRow>,
    /// The points.
    pub points: Vec<DataPointRow>,
}

impl MetricBatch {
    /// Adds what `other` holds.
    pub fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.metrics.append(&mut other.metrics);
        self.series.append(&mut other.series);
        self.points.append(&mut other.points);
    }

    fn is_empty(&self) -> bool {
        let rows = [
            self.resources.len(),
            self.scopes.len(),
            self.metrics.len(),
            self.series.len(),
            self.points.len(),
        ];
        rows == [0; 5]
    }
}

const STAGE: &str = "/* metric: stage */ \
    CREATE TEMP TABLE IF NOT EXISTS staged_points (LIKE metric_data_points, arrival integer) ON COMMIT DELETE ROWS; \
    TRUNCATE staged_points";

impl Rows for MetricBatch {
    type Record = DataPointRow;
    const SIGNAL: i16 = 2;

    fn records(&self) -> &[DataPointRow] {
        &self.points
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

    /// Of points with the same key the first one is kept.
    async fn write(
        slices: &[&[DataPointRow]],
        connection: &WriterConnection,
        way: Way,
    ) -> Result<Vec<Written>, Error> {
        let mut points = numbered(slices);
        points.sort_by_key(|(_, point)| point.key());
        points.dedup_by_key(|(_, point)| point.key());
        let rows: Vec<_> = points.iter().map(|(_, point)| *point).collect();
        let new: HashSet<_> = match way {
            Way::Staged => stage(connection, &rows).await?,
            Way::Copy | Way::Insert => {
                match way {
                    Way::Insert => insert::insert_new(connection, &rows).await?,
                    _ => _ = CopyWriter::new().write_rows(connection, &rows).await?,
                }
                rows.iter().map(|row| row.key()).collect()
            }
        };
        let mut written: Vec<_> = slices
            .iter()
            .map(|slice| Written { duplicates: slice.len() as u64, ..Written::default() })
            .collect();
        for (slice, _) in points.iter().filter(|(_, point)| new.contains(&point.key())) {
            written[*slice].stored += 1;
            written[*slice].duplicates -= 1;
        }
        Ok(written)
    }
}

/// Stores those of the points that are not there already, and gives their keys.
async fn stage(connection: &WriterConnection, rows: &[&DataPointRow]) -> Result<HashSet<PointKey>, Error> {
    connection.batch_execute(STAGE).await?;
    CopyWriter::new().stage_rows(connection, "staged_points", rows).await?;
    let rows = connection.query(&connection.statement(&unstage()).await?, &[]).await?;
    Ok(rows.iter().map(point_key).collect())
}

/// The staged points are ordered by their key, so that no two writers wait for each other crosswise.
fn unstage() -> String {
    let columns = DataPointRow::TABLE.columns.join(", ");
    format!(
        "/* metric: unstage */ INSERT INTO metric_data_points ({columns}) \
         SELECT {columns} FROM staged_points ORDER BY arrival \
         ON CONFLICT (series_id, time, start_time, project_id, time_nanos, start_nanos) DO NOTHING \
         RETURNING series_id, {}, time_nanos, {}, start_nanos, project_id",
        micros("time"),
        micros("start_time"),
    )
}

fn point_key(row: &tokio_postgres::Row) -> PointKey {
    let nanos = |micros, rest| UnixNanos::from_parts(row.get(micros), row.get(rest));
    (SeriesId(row.get(0)), nanos(1, 2), nanos(3, 4), ProjectId(row.get(5)))
}

/// Gathers data points and writes them when there are enough, or when told to.
///
/// Rows that are gathered but not flushed are lost with the writer: call [`MetricWriter::flush`] before dropping it.
#[derive(Debug)]
pub struct MetricWriter {
    pool: StoragePool,
    dictionary: Dictionary,
    gathered: Mutex<MetricBatch>,
}

impl MetricWriter {
    /// A writer that gathers `writer.batch_rows` points and writes them by `writer.method`.
    pub fn new(pool: StoragePool) -> Self {
        Self { pool, dictionary: Dictionary::default(), gathered: Mutex::default() }
    }

    /// Gathers one definition.
    ///
    /// # Errors
    /// What PostgreSQL says when this fills the batch; the batch is kept, and the next flush tries it again.
    /// With `writer.max_rows` gathered, this one is not kept.
    pub async fn write_metric(&self, metric: MetricRow) -> Result<(), Error> {
        self.write(MetricBatch { metrics: vec![metric], ..MetricBatch::default() }).await
    }

    /// Gathers one stream.
    ///
    /// # Errors
    /// As [`Self::write_metric`].
    pub async fn write_series(&self, series: SeriesRow) -> Result<(), Error> {
        self.write(MetricBatch { series: vec![series], ..MetricBatch::default() }).await
    }

    /// Gathers one data point.
    ///
    /// # Errors
    /// As [`Self::write_metric`].
    pub async fn write_data_point(&self, point: DataPointRow) -> Result<(), Error> {
        self.write(MetricBatch { points: vec![point], ..MetricBatch::default() }).await
    }

    /// Gathers points with all that they point at.
    ///
    /// # Errors
    /// As [`Self::write_metric`].
    pub async fn write(&self, batch: MetricBatch) -> Result<(), Error> {
        let mut gathered = self.gathered.lock().await;
        if gathered.points.len() + batch.points.len() > self.pool.config().writer.max_rows {
            self.flush_locked(&mut gathered).await?;
        }
        gathered.append(batch);
        if gathered.points.len() >= self.pool.config().writer.batch_rows {
            self.flush_locked(&mut gathered).await?;
        }
        Ok(())
    }

    /// Writes what is gathered. When this returns, it is committed.
    ///
    /// # Errors
    /// What PostgreSQL says; the batch is kept, and the next flush tries it again. A row that can never be written is
    /// got rid of with [`Self::take`].
    pub async fn flush(&self) -> Result<Written, Error> {
        let mut gathered = self.gathered.lock().await;
        self.flush_locked(&mut gathered).await
    }

    /// Takes out what is gathered, unwritten: the way on when a row in it can never be written.
    pub async fn take(&self) -> MetricBatch {
        std::mem::take(&mut *self.gathered.lock().await)
    }

    async fn flush_locked(&self, gathered: &mut MetricBatch) -> Result<Written, Error> {
        if gathered.is_empty() {
            return Ok(Written::default());
        }
        // A connection of its own: if this future is dropped in mid transaction, the connection goes with it.
        let client = self.pool.connect_writer().await?;
        let days = gathered.points.iter().map(|point| point.time.day()).collect();
        make_partitions(&self.pool, &client, days).await?;
        let batches = std::slice::from_ref(&*gathered);
        let written = commit(&client, &self.dictionary, batches, self.pool.config().writer.method).await?;
        *gathered = MetricBatch::default();
        Ok(written)
    }
}
