//! Questions about log records.

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::repositories::log::{LogCursor, LogFilter};
use opentelemetry_proto::tonic::logs::v1::LogsData;
use prost::Message as _;

use crate::encode::{self, ValueLimit};
use crate::error::{Error, Invalid, Record};
use crate::kind::Kind;
use crate::query::Query;
use crate::question::{Asked, Caller, List, Page, Paging, Period};
use crate::size::{Outgoing, next_fitting};
use crate::token::Fingerprint;

/// The most severe of OTLP's severity numbers, FATAL4.
const MOST_SEVERE: i32 = 24;

/// Which log records of a period fit all filters? Newest first. A filter that is `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLogs {
    /// Who asks.
    pub caller: Caller,
    /// Period of the records.
    pub period: Period,
    /// Service of the records.
    pub service: Option<Text>,
    /// Trace of the records.
    pub trace_id: Option<TraceId>,
    /// Span of the records.
    pub span_id: Option<SpanId>,
    /// Lowest severity of the records, 0 to 24; [`Severity::UNSPECIFIED`] selects all, even records without a severity.
    pub min_severity: Severity,
    /// Event name of the records.
    pub event_name: Option<Text>,
    /// Words in the body of the records, in any case and order.
    pub text: Option<Text>,
    /// Limit of values; longer ones are cut.
    pub max_value: ValueLimit,
    /// The page of the list.
    pub paging: Paging,
}

impl ListLogs {
    /// All records of the default period.
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            period: Period::default(),
            service: None,
            trace_id: None,
            span_id: None,
            min_severity: Severity::UNSPECIFIED,
            event_name: None,
            text: None,
            max_value: ValueLimit::default(),
            paging: Paging::default(),
        }
    }
}

impl List for ListLogs {
    type Cursor = LogCursor;

    const KIND: Kind = Kind::ListLogs;

    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: self.period, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self {
            caller: _,
            period: _,
            paging: _,
            max_value: _,
            service,
            trace_id,
            span_id,
            min_severity,
            event_name,
            text,
        } = self;
        fingerprint
            .field(service.as_ref().map(Text::as_bytes))
            .field(trace_id.as_ref().map(TraceId::as_bytes))
            .field(span_id.as_ref().map(SpanId::as_bytes))
            .field(Some(min_severity.0.to_le_bytes()))
            .field(event_name.as_ref().map(Text::as_bytes))
            .field(text.as_ref().map(Text::as_bytes))
    }
}

impl Query {
    /// A page of log records. It ends early at `query.page_bytes`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid question, [`Error::TooLarge`] for a record beyond `query.max_record_bytes`,
    /// [`Error::Unavailable`] when the database can't answer now, [`Error::TimedOut`] beyond the time limit, and
    /// [`Error::Internal`] for a bug or a row that contradicts itself.
    pub async fn list_logs(&self, question: ListLogs) -> Result<Page<LogsData>, Error> {
        self.metrics.watch(Kind::ListLogs, self.logs(question)).await
    }

    async fn logs(&self, question: ListLogs) -> Result<Page<LogsData>, Error> {
        let (opened, sources) = self.open(&question)?;
        let ListLogs { service, trace_id, span_id, min_severity, event_name, text, max_value, .. } = question;
        if !(0..=MOST_SEVERE).contains(&min_severity.0) {
            return Err(Invalid::Severity { asked: min_severity.0, most: MOST_SEVERE }.into());
        }
        let filter = LogFilter {
            range: opened.range,
            service,
            trace_id,
            span_id,
            min_severity,
            event_name,
            text,
            after: opened.after,
            limit: opened.limit,
        };
        let mut page = sources.logs.list(filter).await?;
        let encode = |row: &LogRow| {
            let content = encode::log::record(row, max_value)?;
            Ok(Outgoing { bytes: content.record.encoded_len(), content, name: Record::Log(row.time) })
        };
        let mut encoded = page.items.iter().map(encode).peekable();
        let records = next_fitting(&mut encoded, self.config.page_bytes, self.config.max_record_bytes)?;
        let rows = records.len();
        page.truncate(rows);
        let ids = records.iter().map(|record| (record.resource_id, record.scope_id));
        let origins = sources.origins(ids, max_value).await?;
        Ok(opened.page(encode::log::logs(records, &origins)?, rows, page.next))
    }
}
