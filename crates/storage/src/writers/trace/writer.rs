//! A writer that gathers spans.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::span::LlmSpan;
use llm_observatory_core::trace::SpanKind;
use tokio::sync::Mutex;

use super::TraceBatch;
use crate::error::Error;
use crate::models::attributes::Attributes;
use crate::models::trace::Span;
use crate::models::{EventRow, ResourceRow, ScopeRow, SpanRow};
use crate::pool::StoragePool;
use crate::writers::{Dictionary, Written, commit, insert, make_partitions};

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
    /// With `writer.max_rows` gathered, this one is not kept.
    pub async fn write_span(&self, span: impl Into<Span>) -> Result<(), Error> {
        self.write(TraceBatch { spans: vec![span.into()], ..TraceBatch::default() }).await
    }

    /// Gathers events of a span that is not in the batch: one that was written before.
    ///
    /// # Errors
    /// What PostgreSQL says. Events are written at once.
    pub async fn write_events(&self, events: &[EventRow]) -> Result<(), Error> {
        let connection = self.pool.connect_writer().await?;
        insert::insert(&connection, &events.iter().collect::<Vec<_>>()).await
    }

    /// Gathers spans with the resources and scopes that they point at.
    ///
    /// # Errors
    /// As [`Self::write_span`].
    pub async fn write(&self, batch: TraceBatch) -> Result<(), Error> {
        let mut gathered = self.gathered.lock().await;
        if gathered.spans.len() + batch.spans.len() > self.pool.config().writer.max_rows {
            self.flush_locked(&mut gathered).await?;
        }
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
        let client = self.pool.connect_writer().await?;
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
