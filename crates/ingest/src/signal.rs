//! What differs between the three signals; everything else in this crate is the same for all of them.

use llm_observatory_core::time::Day;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::models::{DataPointRow, LogRow};
use llm_observatory_storage::writers::{LogBatch, MetricBatch, Rows, TraceBatch};

use crate::decode::{self, Census, Decoded, Levels, Request, Undecodable};
use crate::wire::Malformed;

/// One of OTLP's signals.
pub trait Signal: Send + Sync + Sized + 'static {
    /// Its rows.
    type Batch: Rows<Record: Send> + Send + 'static;
    /// Its name, for metrics and logs.
    const NAME: &'static str;
    /// The names of the levels of a request.
    const LEVELS: Levels;

    /// Counts the records of a request.
    ///
    /// # Errors
    /// When its outer framing is broken.
    fn count(request: &[u8]) -> Result<Census, Malformed>;

    /// A request as rows.
    ///
    /// # Errors
    /// When its outer framing is broken, or its rows take more memory than they are allowed to.
    fn decode(request: Request<'_>) -> Result<Decoded<Self::Batch>, Undecodable>;

    /// The records of a batch, to take some out.
    fn records_mut(batch: &mut Self::Batch) -> &mut Vec<Record<Self>>;

    /// The day whose partition the record needs.
    fn day(record: &Record<Self>) -> Day;
}

/// One record of a signal.
pub type Record<S> = <<S as Signal>::Batch as Rows>::Record;

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
    const LEVELS: Levels = decode::TRACE_LEVELS;

    fn count(request: &[u8]) -> Result<Census, Malformed> {
        Census::of_records(request)
    }

    fn decode(request: Request<'_>) -> Result<Decoded<TraceBatch>, Undecodable> {
        decode::traces(request)
    }

    fn records_mut(batch: &mut TraceBatch) -> &mut Vec<Span> {
        &mut batch.spans
    }

    fn day(span: &Span) -> Day {
        span.row.start_time.day()
    }
}

impl Signal for MetricPoints {
    type Batch = MetricBatch;
    const NAME: &'static str = "metrics";
    const LEVELS: Levels = decode::METRIC_LEVELS;

    fn count(request: &[u8]) -> Result<Census, Malformed> {
        Census::of_points(request)
    }

    fn decode(request: Request<'_>) -> Result<Decoded<MetricBatch>, Undecodable> {
        decode::metrics(request)
    }

    fn records_mut(batch: &mut MetricBatch) -> &mut Vec<DataPointRow> {
        &mut batch.points
    }

    fn day(point: &DataPointRow) -> Day {
        point.time.day()
    }
}

impl Signal for Logs {
    type Batch = LogBatch;
    const NAME: &'static str = "logs";
    const LEVELS: Levels = decode::LOG_LEVELS;

    fn count(request: &[u8]) -> Result<Census, Malformed> {
        Census::of_records(request)
    }

    fn decode(request: Request<'_>) -> Result<Decoded<LogBatch>, Undecodable> {
        decode::logs(request)
    }

    fn records_mut(batch: &mut LogBatch) -> &mut Vec<LogRow> {
        &mut batch.logs
    }

    fn day(log: &LogRow) -> Day {
        log.time.day()
    }
}
