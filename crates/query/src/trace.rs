//! Questions about traces.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_proto::v1::{
    GetTraceRequest, GetTraceResponse, ListTracesRequest, ListTracesResponse, TraceSummary as Summary,
};
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::repositories::trace::{TraceFilter, TraceSummary};
use llm_observatory_storage::repositories::{ResourceRepository, TraceRepository};
use prost_types::{Duration, Timestamp};

use crate::config::QueryConfig;
use crate::error::Error;
use crate::page::Question;
use crate::{Caller, dictionary, encode, filter, fitting};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Answers questions about traces.
#[derive(Debug, Clone)]
pub struct TraceService {
    traces: TraceRepository,
    resources: ResourceRepository,
    config: QueryConfig,
}

impl TraceService {
    /// A service that reads from this pool.
    pub fn new(pool: StoragePool, config: QueryConfig) -> Self {
        Self { traces: TraceRepository::new(pool.clone()), resources: ResourceRepository::new(pool), config }
    }

    /// A page of traces, newest first.
    ///
    /// # Errors
    /// [`Error`], as the RPC of this name tells.
    pub async fn list_traces(
        &self,
        caller: &Caller,
        request: ListTracesRequest,
    ) -> Result<ListTracesResponse, Error> {
        let limit = filter::page_size(request.page_size, &self.config)?;
        let asked = ListTracesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let question = Question::new("traces", &asked);
        let (range, after) = match question.position(&request.page_token)? {
            Some((range, after)) => (range, Some(after)),
            None => {
                (filter::range(request.start_time.as_ref(), request.end_time.as_ref(), &self.config)?, None)
            }
        };
        let filter = TraceFilter { range, service: filter::text(&request.service), after, limit };
        let traces = self.traces.clone().of(caller.project).within(self.config.patience(caller));
        let page = traces.list(filter).await?;
        Ok(ListTracesResponse {
            traces: page.items.iter().map(summary).collect(),
            next_page_token: question.token(page.next.map(|next| (range, next)).as_ref()),
        })
    }

    /// All spans of one trace, by start, in messages of limited size.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no span is stored, and as the RPC of this name tells; from then on the stream tells errors.
    pub async fn get_trace(
        &self,
        caller: &Caller,
        request: GetTraceRequest,
    ) -> Result<impl Stream<Item = Result<GetTraceResponse, Error>> + Send + use<>, Error> {
        let trace_id = filter::trace_id(&request.trace_id)?;
        let this = self.on_behalf_of(caller);
        let pages = this.traces.span_pages(trace_id, this.config.chunk_spans.into());
        let mut pages = Box::pin(pages.map_err(Error::from));
        let first = pages
            .try_next()
            .await?
            .ok_or_else(|| Error::NotFound(format!("no span of trace {trace_id} is stored")))?;
        let pages = stream::iter([Ok(first)]).chain(pages);
        Ok(pages
            .and_then(move |spans| {
                let this = this.clone();
                async move { this.messages(&spans).await }
            })
            .map_ok(|messages| stream::iter(messages.into_iter().map(Ok)))
            .try_flatten())
    }

    /// The same service for one caller. A stream may go on for long, so only a deadline of the caller's own ends it.
    fn on_behalf_of(&self, caller: &Caller) -> Self {
        let Self { traces, resources, config } = self.clone();
        let (traces, resources) = (traces.of(caller.project), resources.of(caller.project));
        match caller.patience {
            Some(patience) => {
                Self { traces: traces.within(patience), resources: resources.within(patience), config }
            }
            None => Self { traces, resources, config },
        }
    }

    /// Neighbouring spans in as many messages as their size asks for.
    async fn messages(&self, mut spans: &[Span]) -> Result<Vec<GetTraceResponse>, Error> {
        let pointers = spans.iter().map(|span| (span.row.resource_id, span.row.scope_id));
        let dictionary = dictionary(&self.resources, pointers).await?;
        let mut messages = Vec::new();
        while !spans.is_empty() {
            let (chunk, rest) = spans.split_at(fitting(spans, self.config.chunk_bytes, encode::trace::size));
            messages.push(GetTraceResponse { data: Some(encode::trace::traces(chunk, &dictionary)?) });
            spans = rest;
        }
        Ok(messages)
    }
}

fn summary(trace: &TraceSummary) -> Summary {
    let known = trace.start_time.is_known();
    let root = trace.root.as_ref();
    Summary {
        trace_id: trace.trace_id.to_string(),
        root_name: root.map(|root| root.name.to_string()).unwrap_or_default(),
        root_service: root.map(|root| root.service.to_string()).unwrap_or_default(),
        services: trace.services.iter().map(Text::to_string).collect(),
        start_time: known.then(|| timestamp(trace.start_time)),
        duration: known.then(|| duration(trace.end_time.since(trace.start_time))),
        span_count: trace.span_count,
        error_count: trace.error_count,
    }
}

fn timestamp(time: UnixNanos) -> Timestamp {
    // 64 bits of nanoseconds are fewer than 2^35 seconds.
    let seconds = (time.0 / NANOS_PER_SECOND.unsigned_abs()) as i64;
    Timestamp { seconds, nanos: (time.0 % NANOS_PER_SECOND.unsigned_abs()) as i32 }
}

fn duration(nanos: i64) -> Duration {
    Duration { seconds: nanos / NANOS_PER_SECOND, nanos: (nanos % NANOS_PER_SECOND) as i32 }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::ids::TraceId;

    use super::*;

    #[test]
    fn a_summary_keeps_nanoseconds() {
        let trace = TraceSummary {
            trace_id: TraceId::from_foreign("0af7651916cd43dd8448eb211c80319c"),
            start_time: UnixNanos(1_700_000_000_000_000_007),
            end_time: UnixNanos(1_700_000_002_500_000_008),
            span_count: 3,
            error_count: 1,
            root: None,
            services: vec!["a".into(), "b".into()],
        };
        let told = summary(&trace);
        assert_eq!(told.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(told.start_time, Some(Timestamp { seconds: 1_700_000_000, nanos: 7 }));
        assert_eq!(told.duration, Some(Duration { seconds: 2, nanos: 500_000_001 }));
        assert_eq!(told.services, ["a", "b"]);
        let unknown = summary(&TraceSummary { start_time: UnixNanos::UNKNOWN, ..trace });
        assert_eq!((unknown.start_time, unknown.duration), (None, None));
    }
}
