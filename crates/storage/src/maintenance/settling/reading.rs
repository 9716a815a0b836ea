//! Reads stored spans again, with their events and log records.

use std::collections::HashMap;
use std::sync::Arc;

use llm_observatory_core::ids::{ProjectId, ScopeId, SpanId};
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_genai::prices::PriceBook;
use llm_observatory_genai::speaker::Speaker;
use llm_observatory_genai::{READING_VERSION, is_llm_event, read};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::ask::Trace;
use crate::config::SettlingConfig;
use crate::error::Error;
use crate::models::column::{Column as _, JsonText};
use crate::models::fields::Fields;
use crate::models::row::{ReadRow, Row as _};
use crate::models::time::moment;
use crate::models::trace::{Span, SpanKey};
use crate::models::{EventRow, LlmRow, LogRow, Observed, ScopeRow, SpanRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::copy_rows;

/// Most spans that are held in memory at once, with all that was said in them.
const SPANS_AT_ONCE: usize = 200;

/// GenAI log records of a trace. The condition on the attributes lets more through than it needs, and never less.
static LOGS: Statement = Statement::composed("settling: logs", || {
    format!(
        "SELECT {} FROM logs WHERE trace_id = $1 AND project_id = $2 AND span_id IS NOT NULL \
         AND time >= ('1970-01-01'::date + $3::integer)::timestamp AT TIME ZONE 'UTC' \
         AND time < ('1970-01-01'::date + $4::integer + 1)::timestamp AT TIME ZONE 'UTC' \
         AND (event_name LIKE 'gen\\_ai.%' OR event_name IS NULL AND {} LIKE '%gen\\_ai.%') \
         ORDER BY time, time_nanos, id LIMIT $5",
        LogRow::TABLE.select(),
        JsonText::select("", "attributes_json")
    )
});
static SPANS: Statement =
    Statement::composed("settling: spans", || of_spans(&SpanRow::TABLE.select(), "trace_spans", "span_id"));
static EVENTS: Statement = Statement::composed("settling: events", || {
    of_spans(&EventRow::TABLE.select(), "trace_events", "span_id, ordinal")
});
static READINGS: Statement = Statement::composed("settling: readings", || {
    of_spans(&LlmRow::TABLE.select(), "trace_llm_spans", "span_id")
});
static SCOPES: Statement = Statement::composed("settling: scopes", || {
    format!("SELECT {} FROM scopes WHERE id = ANY ($1) AND project_id = $2", ScopeRow::TABLE.select())
});
static DROP: Statement = Statement::fixed(
    "settling: drop readings",
    "DELETE FROM trace_llm_spans WHERE trace_id = $1 AND project_id IS NOT DISTINCT FROM $2 \
     AND start_time BETWEEN $3 AND $4 AND (start_time, span_id) IN (SELECT * FROM unnest($6::timestamptz[], $5::bytea[]))",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOGS, &SPANS, &EVENTS, &READINGS, &SCOPES, &DROP];

/// Rows of spans of a trace that start between `$3` and `$4`, which tell the planner the day. No index is asked for the
/// project: where statistics lag, one of project and time looks as good as that of the trace.
fn of_spans(columns: &str, table: &str, order: &str) -> String {
    format!(
        "SELECT {columns} FROM {table} WHERE trace_id = $1 AND project_id IS NOT DISTINCT FROM $2 \
         AND start_time BETWEEN $3 AND $4 AND span_id = ANY ($5) ORDER BY start_time, {order}"
    )
}

/// A span of the trace: its start in whole microseconds, and its id.
pub(super) type Place = (UnixNanos, SpanId);

/// The GenAI log records of the trace on these days, by span and in the order of time.
pub(super) async fn logs(
    connection: &WriterConnection,
    trace: Trace,
    (Day(from), Day(to)): (Day, Day),
    config: &SettlingConfig,
) -> Result<HashMap<SpanId, Vec<LogRow>>, Error> {
    let (trace_id, project_id) = (trace.trace_id.uuid(), trace.project_id.0);
    let limit = i64::try_from(config.max_logs).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
        (&trace_id, Type::UUID),
        (&project_id, Type::INT4),
        (&from, Type::INT4),
        (&to, Type::INT4),
        (&limit, Type::INT8),
    ];
    let rows: Vec<LogRow> = rows(connection, &LOGS, &parameters).await?;
    if rows.len() >= config.max_logs {
        tracing::warn!(limit = config.max_logs, "a trace has more GenAI log records than are read");
    }
    let mut logs: HashMap<SpanId, Vec<LogRow>> = HashMap::new();
    for log in rows {
        let named = !log.event_name.is_empty();
        if let Some(span) = log.span_id
            && (named || is_llm_event("", &log.attributes.attributes()?))
        {
            logs.entry(span).or_default().push(log);
        }
    }
    Ok(logs)
}

/// What today's rules read of a span.
#[derive(Debug)]
pub(super) enum ReadAgain {
    /// An LLM span.
    Llm(Box<LlmRow>),
    /// Another one, and whom it tells.
    Other(Speaker),
}

impl ReadAgain {
    pub(super) fn row(&self) -> Option<&LlmRow> {
        match self {
            Self::Llm(row) => Some(row),
            Self::Other(_) => None,
        }
    }

    /// Whom the span tells.
    pub(super) fn told(&self) -> Speaker {
        match self {
            Self::Llm(row) => Speaker::from(&*row.reading),
            Self::Other(speaker) => speaker.clone(),
        }
    }
}

/// What today's rules read of the spans.
pub(super) async fn read_again(
    connection: &WriterConnection,
    trace: Trace,
    wanted: &[Place],
    logs: &HashMap<SpanId, Vec<LogRow>>,
    prices: &PriceBook,
) -> Result<HashMap<SpanKey, ReadAgain>, Error> {
    let mut readings = HashMap::with_capacity(wanted.len());
    for places in in_parts(wanted) {
        let spans = spans(connection, trace, &places).await?;
        let scopes = scopes(connection, trace.project_id, spans.iter().map(|span| span.row.scope_id)).await?;
        for span in &spans {
            let logs = logs.get(&span.row.span_id).cloned().unwrap_or_default();
            let observed = Observed::new(span, scopes.get(&span.row.scope_id), logs)?;
            let read = match observed.observe(read) {
                Some(reading) => {
                    let mut row = LlmRow::new(&span.row, Arc::new(reading), READING_VERSION);
                    row.log_events = i16::try_from(observed.log_events()).unwrap_or(i16::MAX);
                    row.price(prices);
                    ReadAgain::Llm(Box::new(row))
                }
                None => ReadAgain::Other(Speaker::of_attributes(observed.attributes()).unwrap_or_default()),
            };
            readings.insert(span.row.key(), read);
        }
    }
    Ok(readings)
}

/// Stores new readings where they differ from the stored ones. Returns the number of those.
pub(super) async fn replace(
    connection: &WriterConnection,
    trace: Trace,
    mut rows: HashMap<SpanKey, ReadAgain>,
) -> Result<u64, Error> {
    let places = |rows: &HashMap<SpanKey, ReadAgain>| -> Vec<Place> {
        rows.keys().map(|(_, start, id, _)| (UnixNanos::from_parts(*start, 0), *id)).collect()
    };
    let mut stored = HashMap::new();
    for places in in_parts(&places(&rows)) {
        let places = Places::of(trace, &places);
        let read: Vec<LlmRow> = self::rows(connection, &READINGS, &places.parameters()).await?;
        stored.extend(read.into_iter().map(|row| (row.key(), row)));
    }
    rows.retain(|key, read| read.row() != stored.get(key));
    let changed = places(&rows);
    for places in in_parts(&changed) {
        let places = Places::of(trace, &places);
        let mut parameters = places.parameters().to_vec();
        parameters.push((&places.starts, Type::TIMESTAMPTZ_ARRAY));
        connection.execute_typed(DROP.sql(), &parameters).await?;
    }
    let mut new: Vec<&LlmRow> = rows.values().filter_map(ReadAgain::row).collect();
    new.sort_by_key(|row| row.key());
    if !new.is_empty() {
        copy_rows(connection, &new).await?;
    }
    Ok(changed.len() as u64)
}

/// The spans in parts of one day each, which are not too large.
fn in_parts(places: &[Place]) -> Vec<Vec<Place>> {
    let mut places = places.to_vec();
    places.sort_unstable();
    let days = places.chunk_by(|one, next| one.0.day() == next.0.day());
    days.flat_map(|day| day.chunks(SPANS_AT_ONCE)).map(<[Place]>::to_vec).collect()
}

/// Spans of one day, as parameters.
struct Places {
    trace: Uuid,
    project: i32,
    first: std::time::SystemTime,
    last: std::time::SystemTime,
    ids: Vec<Vec<u8>>,
    starts: Vec<std::time::SystemTime>,
}

impl Places {
    /// `places` are sorted.
    fn of(trace: Trace, places: &[Place]) -> Self {
        let starts: Vec<_> = places.iter().map(|(start, _)| moment(start.micros())).collect();
        Self {
            trace: trace.trace_id.uuid(),
            project: trace.project_id.0,
            first: starts.first().copied().unwrap_or(std::time::UNIX_EPOCH),
            last: starts.last().copied().unwrap_or(std::time::UNIX_EPOCH),
            ids: places.iter().map(|(_, id)| id.as_bytes().to_vec()).collect(),
            starts,
        }
    }

    fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 5] {
        [
            (&self.trace, Type::UUID),
            (&self.project, Type::INT4),
            (&self.first, Type::TIMESTAMPTZ),
            (&self.last, Type::TIMESTAMPTZ),
            (&self.ids, Type::BYTEA_ARRAY),
        ]
    }
}

/// The spans with their events.
async fn spans(connection: &WriterConnection, trace: Trace, places: &[Place]) -> Result<Vec<Span>, Error> {
    let places = Places::of(trace, places);
    let (parameters, events) = (places.parameters(), places.parameters());
    let (spans, events) = futures_util::try_join!(
        rows::<SpanRow>(connection, &SPANS, &parameters),
        rows::<EventRow>(connection, &EVENTS, &events),
    )?;
    let mut of_span: HashMap<(i64, SpanId), Vec<EventRow>> = HashMap::new();
    for event in events {
        of_span.entry((event.span_start_time.micros(), event.span_id)).or_default().push(event);
    }
    let with_events = |row: SpanRow| {
        let events = of_span.remove(&(row.start_time.micros(), row.span_id)).unwrap_or_default();
        Span { events, ..row.into() }
    };
    Ok(spans.into_iter().map(with_events).collect())
}

/// These scopes of a project, as far as they are stored.
pub(crate) async fn scopes(
    connection: &WriterConnection,
    project: ProjectId,
    ids: impl Iterator<Item = ScopeId>,
) -> Result<HashMap<ScopeId, ScopeRow>, Error> {
    let mut ids: Vec<Uuid> = ids.map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&ids, Type::UUID_ARRAY), (&project.0, Type::INT4)];
    let scopes: Vec<ScopeRow> = rows(connection, &SCOPES, &parameters).await?;
    Ok(scopes.into_iter().map(|scope| (scope.id, scope)).collect())
}

/// The rows that a statement finds.
pub(crate) async fn rows<T: ReadRow>(
    connection: &WriterConnection,
    statement: &'static Statement,
    parameters: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<T>, Error> {
    let rows = connection.query_typed(statement.sql(), parameters).await?;
    rows.iter().map(|row| T::read(&mut Fields::of(row))).collect()
}
