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
use crate::question::{Caller, List, Page, Paging, Period};
use crate::size::{Outgoing, next_fitting};
use crate::token::Fingerprint;

/// The most severe of OTLP's severity numbers, FATAL4.
const MOST_SEVERE: i32 = 24;

/// Which log records of a period fit all filters? Newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLogs {
    /// Who asks.
    pub caller: Caller,
    /// When they happened.
    pub period: Period,
    /// The service that wrote them.
    pub service: Option<Text>,
    /// The trace that they belong to.
    pub trace_id: Option<TraceId>,
    /// The span that they belong to.
    pub span_id: Option<SpanId>,
    /// How severe they are at least; [`Severity::UNSPECIFIED`] takes those without a severity too.
    pub min_severity: Severity,
    /// The name of their event.
    pub event_name: Option<Text>,
    /// Words that their body holds, in any case and order.
    pub text: Option<Text>,
    /// The longest values to be told whole.
    pub max_value: ValueLimit,
    /// Which page of them.
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
        fingerprint
            .field(self.service.as_ref().map(Text::as_bytes))
            .field(self.trace_id.as_ref().map(TraceId::as_bytes))
            .field(self.span_id.as_ref().map(SpanId::as_bytes))
            .field(Some(self.min_severity.0.to_le_bytes()))
            .field(self.event_name.as_ref().map(Text::as_bytes))
            .field(self.text.as_ref().map(Text::as_bytes))
    }
}

impl Query {
    /// A page of log records. A page of very large records ends early.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::TooLarge`] for a record, and [`Error::Unavailable`], [`Error::TimedOut`] or
    /// [`Error::Internal`] when the rows can't be read.
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
