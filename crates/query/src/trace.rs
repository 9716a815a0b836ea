//! Questions about traces.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use llm_observatory_core::ids::TraceId;
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::repositories::trace::{TraceCursor, TraceFilter};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message as _;

use crate::config::QueryConfig;
use crate::encode::{self, ValueLimit};
use crate::error::{Error, Record};
use crate::kind::Kind;
use crate::query::Query;
use crate::question::{Caller, List, Page, Paging, Period};
use crate::size::{Outgoing, next_fitting};
use crate::sources::Sources;
use crate::token::Fingerprint;

pub use llm_observatory_storage::repositories::trace::TraceSummary;

/// Which traces started in a period? Newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTraces {
    /// Who asks.
    pub caller: Caller,
    /// When they started.
    pub period: Period,
    /// A service that has a span in them.
    pub service: Option<Text>,
    /// Which page of them.
    pub paging: Paging,
}

/// What are the spans of a trace? By start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetTrace {
    /// Who asks.
    pub caller: Caller,
    /// The trace.
    pub trace_id: TraceId,
    /// The longest values to be told whole.
    pub max_value: ValueLimit,
}

impl ListTraces {
    /// All traces of the default period.
    pub fn new(caller: Caller) -> Self {
        Self { caller, period: Period::default(), service: None, paging: Paging::default() }
    }
}

impl List for ListTraces {
    type Cursor = TraceCursor;

    const KIND: Kind = Kind::ListTraces;

    fn caller(&self) -> &Caller {
        &self.caller
    }

    fn paging(&self) -> &Paging {
        &self.paging
    }

    fn period(&self) -> Period {
        self.period
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        fingerprint.field(self.service.as_ref().map(Text::as_bytes))
    }
}

/// Some spans of a trace, and how many they are.
type Part = (TracesData, usize);

impl Query {
    /// A page of traces, one line each.
    ///
    /// # Errors
    /// [`Error::Invalid`], and [`Error::Unavailable`], [`Error::TimedOut`] or [`Error::Internal`] when the rows can't be read.
    pub async fn list_traces(&self, question: ListTraces) -> Result<Page<Vec<TraceSummary>>, Error> {
        self.metrics
            .watch(Kind::ListTraces, async {
                let (opened, sources) = self.open(&question)?;
                let service = question.service;
                let filter =
                    TraceFilter { range: opened.range, service, after: opened.after, limit: opened.limit };
                let page = sources.traces.list(filter).await?;
                let rows = page.items.len();
                Ok(opened.page(page.items, rows, page.next))
            })
            .await
    }

    /// All spans of one trace, in parts of limited size. It may go on for long, so only the caller's patience ends it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nothing is known of the trace, [`Error::Expired`] when only its summary is stored, and as
    /// [`Self::list_traces`]. From then on the stream tells errors, also [`Error::TooLarge`] for a span.
    pub async fn get_trace(
        &self,
        question: GetTrace,
    ) -> Result<impl Stream<Item = Result<TracesData, Error>> + Send + use<>, Error> {
        let mut call = self.metrics.begin(Kind::GetTrace);
        let parts = self.parts(question).await.inspect_err(|error| call.end(Err(error)))?;
        Ok(call.follow(parts))
    }

    async fn parts(
        &self,
        question: GetTrace,
    ) -> Result<impl Stream<Item = Result<Part, Error>> + Send + use<>, Error> {
        let GetTrace { caller, trace_id, max_value } = question;
        let sources = self.sources.of(&caller, caller.patience);
        let config = self.config.clone();
        let days = sources.traces.days(trace_id).await?;
        if days.is_empty() {
            return Err(Error::NotFound(trace_id));
        }
        let pages = sources.traces.span_pages_of(trace_id, &days, config.chunk_spans.into());
        let mut pages = Box::pin(pages.map_err(Error::from));
        let first = pages.try_next().await?.ok_or(Error::Expired(trace_id))?;
        let pages = stream::iter([Ok(first)]).chain(pages);
        Ok(pages
            .and_then(move |spans| {
                let (sources, config) = (sources.clone(), config.clone());
                async move { parts_of(&spans, &sources, &config, max_value).await }
            })
            .map_ok(|parts| stream::iter(parts.into_iter().map(Ok)))
            .try_flatten())
    }
}

/// Neighbouring spans in as many parts as their size asks for.
async fn parts_of(
    spans: &[Span],
    sources: &Sources,
    config: &QueryConfig,
    limit: ValueLimit,
) -> Result<Vec<Part>, Error> {
    let ids = spans.iter().map(|span| (span.row.resource_id, span.row.scope_id));
    let origins = sources.origins(ids, limit).await?;
    let encode = |span: &Span| {
        let content = encode::trace::span(span, limit)?;
        let name = Record::Span(span.row.trace_id, span.row.span_id);
        Ok(Outgoing { bytes: content.record.encoded_len(), content, name })
    };
    let mut encoded = spans.iter().map(encode).peekable();
    let mut parts = Vec::new();
    loop {
        let fitting = next_fitting(&mut encoded, config.chunk_bytes, config.max_record_bytes)?;
        if fitting.is_empty() {
            return Ok(parts);
        }
        let rows = fitting.len();
        parts.push((encode::trace::traces(fitting, &origins)?, rows));
    }
}
