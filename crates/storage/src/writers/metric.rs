//! Metric data points, with their definitions and series.

use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::copy::CopyWriter;
use super::dictionary::Dictionary;
use super::{Written, all, insert, make_partitions, transaction};
use crate::config::WriteMethod;
use crate::error::{Error, Failure};
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

const STAGE_POINTS: &str =
    "/* metric: stage */ CREATE TEMP TABLE staged_points (LIKE metric_data_points) ON COMMIT DROP";

/// Writes the batches in one transaction and returns after COMMIT. A point that is stored already is left as it is.
///
/// # Errors
/// As [`super::trace::commit`].
pub async fn commit(
    client: &Client,
    dictionary: &Dictionary,
    batches: &[MetricBatch],
    method: WriteMethod,
) -> Result<Written, Error> {
    dictionary.ensure(client, &all(batches, |batch| &batch.resources)).await?;
    dictionary.ensure(client, &all(batches, |batch| &batch.scopes)).await?;
    dictionary.ensure(client, &all(batches, |batch| &batch.metrics)).await?;
    dictionary.ensure(client, &all(batches, |batch| &batch.series)).await?;
    let mut points: Vec<&DataPointRow> = all(batches, |batch| &batch.points);
    let arrived = points.len() as u64;
    points.sort_by_key(|point| point.key());
    points.dedup_by_key(|point| point.key());
    let points = &points[..];
    let stored = match method {
        WriteMethod::Copy => match transaction::run(client, CopyWriter::new().write(client, points)).await {
            Err(error) if error.failure() == Failure::Duplicate => {
                transaction::run(client, copy_staged(client, points)).await?
            }
            result => result?,
        },
        WriteMethod::Insert => {
            let inserted = transaction::run(client, insert::insert(client, points)).await?;
            inserted.iter().filter(|new| **new).count() as u64
        }
    };
    Ok(Written { stored, duplicates: arrived - stored })
}

/// When some of the points are stored already: through a staging table, which lets those be left out.
async fn copy_staged(client: &Client, points: &[&DataPointRow]) -> Result<u64, Error> {
    client.batch_execute(STAGE_POINTS).await?;
    CopyWriter::new().write_to(client, "staged_points", points).await?;
    Ok(client.execute(&unstage_points(), &[]).await?)
}

fn unstage_points() -> String {
    let columns = DataPointRow::TABLE.columns.join(", ");
    format!(
        "/* metric: unstage */ INSERT INTO metric_data_points ({columns}) SELECT {columns} FROM staged_points \
         ON CONFLICT DO NOTHING"
    )
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
        let client = self.pool.connect().await?;
        let days = gathered.points.iter().map(|point| point.time.day()).collect();
        make_partitions(&self.pool, &client, days).await?;
        let batches = std::slice::from_ref(&*gathered);
        let written = commit(&client, &self.dictionary, batches, self.pool.config().writer.method).await?;
        *gathered = MetricBatch::default();
        Ok(written)
    }
}
