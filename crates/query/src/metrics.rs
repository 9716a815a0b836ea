//! Metrics of questions: counts by outcome, times, returned rows, and the use of the pool.

use std::fmt;
use std::time::Instant;

use futures_util::{Stream, StreamExt as _, stream};
use llm_observatory_storage::StoragePool;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::error::Error;
use crate::kind::Kind;
use crate::question::Page;

/// The metrics of all questions. Clones share them. No registry shows those of `default`.
#[derive(Debug, Clone)]
pub struct Metrics {
    calls: Family<CallLabels, Counter>,
    seconds: Family<QuestionLabel, Histogram, fn() -> Histogram>,
    rows: Family<QuestionLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuestionLabel {
    question: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    question: &'static str,
    outcome: &'static str,
}

/// Buckets from one millisecond to 33 seconds, each twice the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            rows: Family::default(),
        }
    }
}

impl Metrics {
    /// Metrics that `registry` shows, together with the use of `pool`.
    pub fn register(registry: &mut Registry, pool: &StoragePool) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("observatory_query");
        registry.register("calls", "Questions, by outcome", metrics.calls.clone());
        registry.register(
            "seconds",
            "Time from a question to the end of its answer; the answer to get_trace ends when the caller has read it",
            metrics.seconds.clone(),
        );
        registry.register(
            "rows",
            "Traces, spans, metrics, data points, log records, models and prices in answers",
            metrics.rows.clone(),
        );
        registry.register_collector(Box::new(PoolUse(pool.clone())));
        metrics
    }

    /// Starts to measure one question.
    pub(crate) fn begin(&self, kind: Kind) -> Call {
        Call { metrics: self.clone(), question: kind.name(), begun: Instant::now(), rows: 0, outcome: None }
    }

    /// Measures the question that `answer` answers.
    pub(crate) async fn watch<T>(
        &self,
        kind: Kind,
        answer: impl Future<Output = Result<Page<T>, Error>>,
    ) -> Result<Page<T>, Error> {
        let mut call = self.begin(kind);
        let page = answer.await;
        call.end(page.as_ref().map(|page| page.rows));
        page
    }
}

/// One question that is being answered. Dropping it counts it, with the outcome `left` unless [`Self::end`] set another.
#[derive(Debug)]
pub(crate) struct Call {
    metrics: Metrics,
    question: &'static str,
    begun: Instant,
    rows: u64,
    outcome: Option<&'static str>,
}

impl Call {
    /// Sets the outcome, and adds the rows of the answer. Only the first outcome counts.
    pub(crate) fn end(&mut self, answer: Result<usize, &Error>) {
        self.rows += answer.map_or(0, |rows| rows as u64);
        self.outcome.get_or_insert(answer.map_or_else(outcome, |_| "answered"));
    }

    /// Measures a streamed answer. Each part comes with its number of rows.
    pub(crate) fn follow<T: Send>(
        self,
        parts: impl Stream<Item = Result<(T, usize), Error>> + Send,
    ) -> impl Stream<Item = Result<T, Error>> + Send {
        stream::unfold((Box::pin(parts), self), async |(mut parts, mut call)| {
            let content = match parts.next().await {
                Some(Ok((content, rows))) => {
                    call.rows += rows as u64;
                    Ok(content)
                }
                Some(Err(error)) => {
                    call.end(Err(&error));
                    Err(error)
                }
                None => {
                    call.end(Ok(0));
                    return None;
                }
            };
            Some((content, (parts, call)))
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let question = QuestionLabel { question: self.question };
        // Without an outcome, the caller went away or the daemon stops.
        let outcome = self.outcome.unwrap_or("left");
        self.metrics.calls.get_or_create(&CallLabels { question: self.question, outcome }).inc();
        self.metrics.seconds.get_or_create(&question).observe(self.begun.elapsed().as_secs_f64());
        self.metrics.rows.get_or_create(&question).inc_by(self.rows);
    }
}

fn outcome(error: &Error) -> &'static str {
    match error {
        Error::Invalid(_) => "invalid",
        Error::NotFound(_) | Error::NoSpan(..) | Error::NoLlmSpan(..) => "not_found",
        Error::Expired(_) => "expired",
        Error::TooLarge { .. } => "too_large",
        Error::Unavailable(_) => "unavailable",
        Error::TimedOut(_) => "timed_out",
        Error::Internal(_) => "internal",
    }
}

/// Reads the use of the pool at each scrape.
#[derive(Debug)]
struct PoolUse(StoragePool);

impl Collector for PoolUse {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = self.0.stats();
        let gauges = [
            ("pool_connections", "Open connections of the pool for questions", stats.connections),
            ("pool_idle_connections", "Open connections of the pool that are idle", stats.idle),
            ("pool_max_connections", "Most connections that the pool may open", stats.max),
        ];
        for (name, help, value) in gauges {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Invalid;

    fn calls(metrics: &Metrics, outcome: &'static str) -> u64 {
        metrics.calls.get_or_create(&CallLabels { question: "get_trace", outcome }).get()
    }

    #[tokio::test]
    async fn a_stream_is_counted_when_it_ends() {
        let metrics = Metrics::default();
        let call = metrics.begin(Kind::GetTrace);
        let parts = stream::iter([Ok(("a", 2)), Ok(("b", 3))]);
        let received: Vec<_> = call.follow(parts).map(Result::unwrap).collect().await;
        assert_eq!(received, ["a", "b"]);
        assert_eq!((calls(&metrics, "answered"), calls(&metrics, "left")), (1, 0));
        let rows = metrics.rows.get_or_create(&QuestionLabel { question: "get_trace" }).get();
        assert_eq!(rows, 5);

        let call = metrics.begin(Kind::GetTrace);
        let parts = stream::iter([Ok(("a", 1)), Err(Error::Invalid(Invalid::EndBeforeStart))]);
        assert_eq!(call.follow(parts).count().await, 2);
        assert_eq!((calls(&metrics, "answered"), calls(&metrics, "invalid")), (1, 1));
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_is_counted_as_left() {
        let metrics = Metrics::default();
        let call = metrics.begin(Kind::GetTrace);
        let mut answer = Box::pin(call.follow(stream::iter([Ok(("a", 1)), Ok(("b", 1))])));
        assert_eq!(answer.next().await.unwrap().unwrap(), "a");
        drop(answer);
        assert_eq!(calls(&metrics, "left"), 1);
    }
}
