//! What differs between the three signals; everything else in this crate is the same for all of them.

use std::collections::BTreeSet;

use llm_observatory_core::time::Day;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::writers::{self, Dictionary, LogBatch, MetricBatch, TraceBatch, Written};
use llm_observatory_storage::{Client, Error};

use crate::decode::{self, Decoded, Reason, Rejections, Request};
use crate::wire::Malformed;

/// One of OTLP's signals.
pub trait Signal: Send + Sync + Sized + 'static {
    /// Its rows.
    type Batch: Send + Sync + 'static;
    /// Its name, for metrics and logs.
    const NAME: &'static str;

    /// A request as rows.
    ///
    /// # Errors
    /// When its outer framing is broken.
    fn decode(request: Request<'_>) -> Result<Decoded<Self::Batch>, Malformed>;

    /// How many records there are: spans, data points, log records.
    fn records(batch: &Self::Batch) -> usize;

    /// The days whose partitions the records need.
    fn days(batch: &Self::Batch) -> BTreeSet<Day>;

    /// Takes out the records of these days.
    fn reject_days(batch: &mut Self::Batch, days: &BTreeSet<Day>, rejections: &mut Rejections);

    /// Writes the batches in one transaction.
    fn commit(
        client: &Client,
        dictionary: &Dictionary,
        batches: &[Self::Batch],
    ) -> impl Future<Output = Result<Written, Error>> + Send;
}

/// Traces: a record is a span.
#[derive(Debug)]
pub struct Spans;

/// Metrics: a record is a data point.
#[derive(Debug)]
pub struct MetricPoints;

/// Logs: a record is a log record.
#[derive(Debug)]
pub struct Logs;

impl Signal for Spans {
    type Batch = TraceBatch;
    const NAME: &'static str = "traces";

    fn decode(request: Request<'_>) -> Result<Decoded<TraceBatch>, Malformed> {
        decode::traces(request)
    }

    fn records(batch: &TraceBatch) -> usize {
        batch.spans.len()
    }

    fn days(batch: &TraceBatch) -> BTreeSet<Day> {
        distinct(batch.spans.iter().map(|span| span.row.start_time.day()))
    }

    fn reject_days(batch: &mut TraceBatch, days: &BTreeSet<Day>, rejections: &mut Rejections) {
        reject(&mut batch.spans, |span| days.contains(&span.row.start_time.day()), "span", rejections);
    }

    async fn commit(
        client: &Client,
        dictionary: &Dictionary,
        batches: &[TraceBatch],
    ) -> Result<Written, Error> {
        writers::trace::commit(client, dictionary, batches, WriteMethod::Copy).await
    }
}

impl Signal for MetricPoints {
    type Batch = MetricBatch;
    const NAME: &'static str = "metrics";

    fn decode(request: Request<'_>) -> Result<Decoded<MetricBatch>, Malformed> {
        decode::metrics(request)
    }

    fn records(batch: &MetricBatch) -> usize {
        batch.points.len()
    }

    fn days(batch: &MetricBatch) -> BTreeSet<Day> {
        distinct(batch.points.iter().map(|point| point.time.day()))
    }

    fn reject_days(batch: &mut MetricBatch, days: &BTreeSet<Day>, rejections: &mut Rejections) {
        reject(&mut batch.points, |point| days.contains(&point.time.day()), "data point", rejections);
    }

    async fn commit(
        client: &Client,
        dictionary: &Dictionary,
        batches: &[MetricBatch],
    ) -> Result<Written, Error> {
        writers::metric::commit(client, dictionary, batches, WriteMethod::Copy).await
    }
}

impl Signal for Logs {
    type Batch = LogBatch;
    const NAME: &'static str = "logs";

    fn decode(request: Request<'_>) -> Result<Decoded<LogBatch>, Malformed> {
        decode::logs(request)
    }

    fn records(batch: &LogBatch) -> usize {
        batch.logs.len()
    }

    fn days(batch: &LogBatch) -> BTreeSet<Day> {
        distinct(batch.logs.iter().map(|log| log.time.day()))
    }

    fn reject_days(batch: &mut LogBatch, days: &BTreeSet<Day>, rejections: &mut Rejections) {
        reject(&mut batch.logs, |log| days.contains(&log.time.day()), "log record", rejections);
    }

    async fn commit(
        client: &Client,
        dictionary: &Dictionary,
        batches: &[LogBatch],
    ) -> Result<Written, Error> {
        writers::log::commit(client, dictionary, batches, WriteMethod::Copy).await
    }
}

/// The distinct days; most requests have one, so a repeated day is skipped without a look-up.
fn distinct(days: impl Iterator<Item = Day>) -> BTreeSet<Day> {
    let mut distinct = BTreeSet::new();
    let mut last = None;
    for day in days {
        if last.replace(day) != Some(day) {
            distinct.insert(day);
        }
    }
    distinct
}

fn reject<T>(records: &mut Vec<T>, hit: impl Fn(&T) -> bool, name: &str, rejections: &mut Rejections) {
    let mut place = 0;
    records.retain(|record| {
        place += 1;
        let hit = hit(record);
        if hit {
            rejections.reject(Reason::PartitionLimit, || format!("{name} {place}"));
        }
        !hit
    });
}
