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
use crate::question::{Asked, Caller, List, Page, Paging, Period};
use crate::size::{Outgoing, next_fitting};
use crate::sources::Sources;
use crate::token::Fingerprint;

pub use llm_observatory_storage::repositories::trace::TraceSummary;

/// Which traces started in a period? Newest first. A filter that is `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTraces {
    /// Who asks.
    pub caller: Caller,
    /// Period of the starts of the traces.
    pub period: Period,
    /// A service with a span in the traces.
    pub service: Option<Text>,
    /// The page of the list.
    pub paging: Paging,
}

/// What are the spans of a trace? By start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetTrace {
    /// Who asks.
    pub caller: Caller,
    /// Id of the trace.
    pub trace_id: TraceId,
    /// Limit of values; longer ones are cut.
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

    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: self.period, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { caller: _, period: _, paging: _, service } = self;
        fingerprint.field(service.as_ref().map(Text::as_bytes))
    }
}

/// Some spans of a trace, and their number.
type Part = (TracesData, usize);

impl Query {
    /// A page of traces, one summary each.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid question, [`Error::Unavailable`] when the database can't answer now,
    /// [`Error::TimedOut`] beyond the time limit, and [`Error::Internal`] for a bug or a row that contradicts itself.
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

    /// Streams all spans of one trace, in parts of limited size. The only time limit of the whole stream is the
    /// caller's patience.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nothing of the trace is stored, [`Error::Expired`] when only its summary is stored, and
    /// [`Error::Unavailable`], [`Error::TimedOut`] and [`Error::Internal`] as for [`Self::list_traces`]. Later errors
    /// are items of the stream, among them [`Error::TooLarge`] for a span beyond `query.max_record_bytes`.
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

/// Encodes consecutive spans, in parts of at most `query.chunk_bytes`.
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
