//! The repositories, on data that reveals wrong answers: several projects, services and days, equal times, rows that
//! were sent twice, NULL columns, pages that end between rows with equal times.

mod llm;
mod log;
mod metric;
mod price;
mod trace;

use harness::TestDatabase;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::repositories::{Page, TimeRange};
use llm_observatory_storage::writers::{Dictionary, LogBatch, MetricBatch, TraceBatch, commit};

use crate::rows::MIDNIGHT;

/// The other project, whose rows no query of the default project may return.
const OTHER: ProjectId = ProjectId(2);

/// The first moment after [`MIDNIGHT`], on another day.
const NEXT_DAY: UnixNanos = UnixNanos(MIDNIGHT.0 + 1);

/// A database with the partitions of both days.
async fn database() -> (TestDatabase, WriterConnection) {
    let database = TestDatabase::new().await;
    let writer = database.writer().await;
    let (pool, days) = (database.pool().await, [MIDNIGHT.day(), NEXT_DAY.day()].into());
    for family in Family::ALL {
        pool.partitions().ensure(&writer, family, &days).await.unwrap();
    }
    (database, writer)
}

async fn store_spans(writer: &WriterConnection, spans: impl IntoIterator<Item = Span>) {
    let batch = TraceBatch { spans: spans.into_iter().collect(), ..TraceBatch::default() };
    commit(writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
}

async fn store_metrics(writer: &WriterConnection, batch: MetricBatch) {
    commit(writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
}

async fn store_logs(writer: &WriterConnection, logs: impl IntoIterator<Item = LogRow>) {
    let batch = LogBatch { logs: logs.into_iter().collect(), ..LogBatch::default() };
    commit(writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
}

/// From `start` to just before `end`, in nanoseconds after [`MIDNIGHT`].
fn range(start: i64, end: i64) -> TimeRange {
    TimeRange { start: after_midnight(start), end: after_midnight(end) }
}

/// The time `nanos` after [`MIDNIGHT`]; before it, if negative.
fn after_midnight(nanos: i64) -> UnixNanos {
    UnixNanos(MIDNIGHT.0.checked_add_signed(nanos).unwrap())
}

/// Reads all pages, and returns the items of each.
async fn pages<T, C>(mut read: impl AsyncFnMut(Option<C>) -> Page<T, C>) -> Vec<Vec<T>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = read(after).await;
        pages.push(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return pages,
        }
    }
}
