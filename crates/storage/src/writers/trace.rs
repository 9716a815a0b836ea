//! Spans, with their events, resources, scopes and trace summaries.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::span::LlmSpan;
use llm_observatory_core::time::Day;
use llm_observatory_core::trace::SpanKind;
use tokio::sync::Mutex;
use tokio_postgres::Client;
use uuid::Uuid;

use super::copy::CopyWriter;
use super::dictionary::Dictionary;
use super::{Written, all, insert, make_partitions, transaction};
use crate::config::WriteMethod;
use crate::error::{Error, Failure};
use crate::models::attributes::Attributes;
use crate::models::row::Row as _;
use crate::models::trace::{Span, SpanRow, TraceRow};
use crate::models::{EventRow, ResourceRow, ScopeRow};
use crate::pool::StoragePool;

/// Spans with all that they point at.
#[derive(Debug, Clone, Default)]
pub struct TraceBatch {
    /// Where the spans come from.
    pub resources: Vec<ResourceRow>,
    /// The libraries that made them.
    pub scopes: Vec<ScopeRow>,
    /// The spans.
    pub spans: Vec<Span>,
}

impl TraceBatch {
    /// Adds what `other` holds.
    pub fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.spans.append(&mut other.spans);
    }
}

const MERGE_SUMMARIES: &str = include_str!("merge_summaries.sql");
const STAGE_SPANS: &str =
    "/* trace: stage */ CREATE TEMP TABLE staged_spans (LIKE trace_spans) ON COMMIT DROP";

/// Writes the batches in one transaction and returns after COMMIT. A span that is stored already is left as it is.
///
/// The spans are written in the order of their key; of two with the same key the more complete one is kept.
///
/// # Errors
/// What PostgreSQL says. After a lost connection it is unknown whether the batch was committed: run it again, it stores
/// nothing twice.
pub async fn commit(
    client: &Client,
    dictionary: &Dictionary,
    batches: &[TraceBatch],
    method: WriteMethod,
) -> Result<Written, Error> {
    dictionary.ensure(client, &all(batches, |batch| &batch.resources)).await?;
    dictionary.ensure(client, &all(batches, |batch| &batch.scopes)).await?;
    let mut spans: Vec<&Span> = all(batches, |batch| &batch.spans);
    let arrived = spans.len() as u64;
    keep_most_complete(&mut spans);
    let spans = &spans[..];
    let stored = match method {
        WriteMethod::Copy => match transaction::run(client, copy(client, spans)).await {
            Err(error) if error.failure() == Failure::Duplicate => {
                transaction::run(client, copy_staged(client, spans)).await?
            }
            result => result?,
        },
        WriteMethod::Insert => transaction::run(client, insert_rows(client, spans)).await?,
    };
    Ok(Written { stored, duplicates: arrived - stored })
}

/// Sorts by key, and of spans with the same key keeps the one that ended, or ended later.
fn keep_most_complete(spans: &mut Vec<&Span>) {
    spans.sort_by(|a, b| a.row.key().cmp(&b.row.key()).then(b.row.end_time.cmp(&a.row.end_time)));
    spans.dedup_by(|later, kept| later.row.key() == kept.row.key());
}

async fn copy(client: &Client, spans: &[&Span]) -> Result<u64, Error> {
    let stored = CopyWriter::new().write(client, &rows(spans)).await?;
    copy_events(client, spans).await?;
    merge_summaries(client, spans).await?;
    Ok(stored)
}

/// As [`copy`], when some of the spans are stored already: through a staging table, which lets those be left out.
async fn copy_staged(client: &Client, spans: &[&Span]) -> Result<u64, Error> {
    client.batch_execute(STAGE_SPANS).await?;
    CopyWriter::new().write_to(client, "staged_spans", &rows(spans)).await?;
    let inserted: HashSet<_> = client.query(&unstage_spans(), &[]).await?.iter().map(span_key).collect();
    let new: Vec<_> = spans.iter().copied().filter(|span| inserted.contains(&span.row.key())).collect();
    copy_events(client, &new).await?;
    merge_summaries(client, &new).await?;
    Ok(inserted.len() as u64)
}

async fn copy_events(client: &Client, spans: &[&Span]) -> Result<(), Error> {
    let events = events(spans);
    if !events.is_empty() {
        CopyWriter::new().write(client, &events).await?;
    }
    Ok(())
}

fn rows<'s>(spans: &[&'s Span]) -> Vec<&'s SpanRow> {
    spans.iter().map(|span| &span.row).collect()
}

fn events<'s>(spans: &[&'s Span]) -> Vec<&'s EventRow> {
    spans.iter().flat_map(|span| &span.events).collect()
}

fn unstage_spans() -> String {
    let columns = SpanRow::TABLE.columns.join(", ");
    format!(
        "/* trace: unstage */ INSERT INTO trace_spans ({columns}) SELECT {columns} FROM staged_spans \
         ON CONFLICT DO NOTHING \
         RETURNING trace_id, (extract(epoch FROM start_time) * 1000000)::bigint, span_id, project_id"
    )
}

fn span_key(row: &tokio_postgres::Row) -> (TraceId, i64, SpanId, ProjectId) {
    let span_id: &[u8] = row.get(2);
    // The row came back from the INSERT of rows whose ids were valid.
    let span_id = SpanId::from_wire(span_id).expect("a span id that was just written");
    (TraceId::from_uuid(row.get(0)), row.get(1), span_id, ProjectId(row.get(3)))
}

async fn insert_rows(client: &Client, spans: &[&Span]) -> Result<u64, Error> {
    let inserted = insert::insert(client, &rows(spans)).await?;
    let new: Vec<_> = spans.iter().zip(&inserted).filter(|(_, new)| **new).map(|(span, _)| *span).collect();
    insert::insert(client, &events(&new)).await?;
    merge_summaries(client, &new).await?;
    Ok(new.len() as u64)
}

/// Adds the spans to the summaries of their traces, in the order of the key so that no two writers lock crosswise.
async fn merge_summaries(client: &Client, spans: &[&Span]) -> Result<(), Error> {
    let mut summaries: BTreeMap<(TraceId, Day, ProjectId), TraceRow> = BTreeMap::new();
    for span in spans {
        let row = TraceRow::of(&span.row);
        match summaries.entry((row.trace_id, row.day, row.project_id)) {
            std::collections::btree_map::Entry::Occupied(mut summary) => summary.get_mut().merge(row),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(row);
            }
        }
    }
    if summaries.is_empty() {
        return Ok(());
    }
    let mut columns = SummaryColumns::default();
    summaries.into_values().for_each(|summary| columns.push(summary));
    columns.merge(client).await
}

/// Summaries side by side: one array for each column, the parameters of [`MERGE_SUMMARIES`].
#[derive(Debug, Default)]
struct SummaryColumns {
    trace_id: Vec<Uuid>,
    day: Vec<i32>,
    project_id: Vec<i32>,
    start: Vec<SystemTime>,
    start_nanos: Vec<i16>,
    end: Vec<SystemTime>,
    end_nanos: Vec<i16>,
    span_count: Vec<i64>,
    error_count: Vec<i64>,
    root_start: Vec<Option<SystemTime>>,
    root_span_id: Vec<Option<Vec<u8>>>,
    root_name: Vec<Option<String>>,
    root_service: Vec<Option<String>>,
    services: Vec<String>,
}

impl SummaryColumns {
    fn push(&mut self, summary: TraceRow) {
        self.trace_id.push(summary.trace_id.uuid());
        self.day.push(summary.day.0);
        self.project_id.push(summary.project_id.0);
        self.start.push(moment(summary.start_time.micros()));
        self.start_nanos.push(summary.start_time.sub_micros());
        self.end.push(moment(summary.end_time.micros()));
        self.end_nanos.push(summary.end_time.sub_micros());
        self.span_count.push(summary.span_count);
        self.error_count.push(summary.error_count);
        let root = summary.root.as_ref();
        self.root_start.push(root.map(|root| moment(root.start_micros)));
        self.root_span_id.push(root.map(|root| root.span_id.as_bytes().to_vec()));
        self.root_name.push(root.map(|root| root.name.to_string()));
        self.root_service.push(root.map(|root| root.service.to_string()));
        // PostgreSQL has no ragged arrays of arrays: names are joined by the ASCII unit separator, which no name holds.
        let services: Vec<_> =
            summary.services.iter().map(|name| name.replace('\u{1f}', "\u{fffd}")).collect();
        self.services.push(services.join("\u{1f}"));
    }

    async fn merge(&self, client: &Client) -> Result<(), Error> {
        client
            .execute(
                MERGE_SUMMARIES,
                &[
                    &self.trace_id,
                    &self.day,
                    &self.project_id,
                    &self.start,
                    &self.start_nanos,
                    &self.end,
                    &self.end_nanos,
                    &self.span_count,
                    &self.error_count,
                    &self.root_start,
                    &self.root_span_id,
                    &self.root_name,
                    &self.root_service,
                    &self.services,
                ],
            )
            .await?;
        Ok(())
    }
}

/// The driver's own form of a time. (Arithmetic with intervals in SQL goes through doubles, which lose microseconds
/// from the year 2255 on.)
fn moment(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())
}

/// Gathers spans and writes them when there are enough, or when told to.
///
/// Rows that are gathered but not flushed are lost with the writer: call [`TraceWriter::flush`] before dropping it.
#[derive(Debug)]
pub struct TraceWriter {
    pool: StoragePool,
    dictionary: Dictionary,
    gathered: Mutex<TraceBatch>,
}

impl TraceWriter {
    /// A writer that gathers `writer.batch_rows` spans and writes them by `writer.method`.
    pub fn new(pool: StoragePool) -> Self {
        Self { pool, dictionary: Dictionary::default(), gathered: Mutex::default() }
    }

    /// Gathers one span that knows its resource and scope only by id; both should be written too.
    ///
    /// # Errors
    /// What PostgreSQL says when this span fills the batch; the batch is kept, and the next flush tries it again.
    pub async fn write_span(&self, span: impl Into<Span>) -> Result<(), Error> {
        self.write(TraceBatch { spans: vec![span.into()], ..TraceBatch::default() }).await
    }

    /// Gathers events of a span that is not in the batch: one that was written before.
    ///
    /// # Errors
    /// What PostgreSQL says. Events are written at once.
    pub async fn write_events(&self, events: &[EventRow]) -> Result<(), Error> {
        insert::insert(&*self.pool.get().await?, &events.iter().collect::<Vec<_>>()).await?;
        Ok(())
    }

    /// Gathers spans with the resources and scopes that they point at.
    ///
    /// # Errors
    /// As [`Self::write_span`].
    pub async fn write(&self, batch: TraceBatch) -> Result<(), Error> {
        let mut gathered = self.gathered.lock().await;
        gathered.append(batch);
        if gathered.spans.len() >= self.pool.config().writer.batch_rows {
            self.flush_locked(&mut gathered).await?;
        }
        Ok(())
    }

    /// Gathers one LLM call, told without OTLP: it becomes a span with OpenTelemetry's `gen_ai.*` attributes.
    ///
    /// # Errors
    /// As [`Self::write_span`].
    pub async fn write_span_from_llm(&self, span: LlmSpan) -> Result<(), Error> {
        self.write(TraceBatch::from(span)).await
    }

    /// Writes what is gathered. When this returns, it is committed.
    ///
    /// # Errors
    /// What PostgreSQL says; the batch is kept, and the next flush tries it again. A row that can never be written is
    /// got rid of with [`Self::take`].
    pub async fn flush(&self) -> Result<Written, Error> {
        let mut gathered = self.gathered.lock().await;
        self.flush_locked(&mut gathered).await
    }

    /// Takes out what is gathered, unwritten: the way on when a row in it can never be written.
    pub async fn take(&self) -> TraceBatch {
        std::mem::take(&mut *self.gathered.lock().await)
    }

    async fn flush_locked(&self, gathered: &mut TraceBatch) -> Result<Written, Error> {
        if gathered.spans.is_empty() && gathered.resources.is_empty() && gathered.scopes.is_empty() {
            return Ok(Written::default());
        }
        // A connection of its own: if this future is dropped in mid transaction, the connection goes with it.
        let client = self.pool.connect().await?;
        let days = gathered.spans.iter().map(|span| span.row.start_time.day()).collect();
        make_partitions(&self.pool, &client, days).await?;
        let batches = std::slice::from_ref(&*gathered);
        let written = commit(&client, &self.dictionary, batches, self.pool.config().writer.method).await?;
        *gathered = TraceBatch::default();
        Ok(written)
    }
}

impl From<LlmSpan> for TraceBatch {
    fn from(span: LlmSpan) -> Self {
        let resource = ResourceRow::of_service(span.project_id, &span.service_name);
        let scope = ScopeRow::named(span.project_id, "llm-observatory");
        let row = SpanRow {
            project_id: span.project_id,
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            start_time: span.start_time,
            end_time: span.end_time,
            name: span.name.clone(),
            service_name: span.service_name.clone(),
            kind: SpanKind::CLIENT,
            status: Some(span.status_code),
            status_message: span.status_message.clone(),
            trace_state: Default::default(),
            flags: 0,
            resource_id: resource.id,
            scope_id: scope.id,
            attributes: Attributes::new(&gen_ai_attributes(&span)),
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            links: None,
            llm: Some(Box::new(span.reading)),
        };
        Self { resources: vec![resource], scopes: vec![scope], spans: vec![row.into()] }
    }
}

/// The attributes by which OpenTelemetry tells what an `LlmSpan` says, followed by its own.
fn gen_ai_attributes(span: &LlmSpan) -> Vec<Attribute<'_>> {
    let reading = &span.reading;
    let texts = [
        ("gen_ai.operation.name", &reading.operation),
        ("gen_ai.provider.name", &reading.provider),
        ("gen_ai.request.model", &reading.request_model),
        ("gen_ai.response.model", &reading.response_model),
        ("session.id", &reading.session_id),
        ("user.id", &reading.user_id),
    ];
    let counts = [
        ("gen_ai.usage.input_tokens", reading.usage.input),
        ("gen_ai.usage.output_tokens", reading.usage.output),
        ("gen_ai.usage.cache_read.input_tokens", reading.usage.cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", reading.usage.cache_creation),
        ("gen_ai.usage.reasoning.output_tokens", reading.usage.reasoning),
    ];
    let texts =
        texts.into_iter().filter_map(|(key, text)| Some(Attribute::new(key, text.as_ref()?.as_str())));
    let counts = counts.into_iter().filter_map(|(key, count)| Some(Attribute::new(key, count?)));
    texts.chain(counts).chain(span.attributes.iter().cloned()).collect()
}
