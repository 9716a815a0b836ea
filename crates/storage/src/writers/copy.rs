//! Rows through binary COPY.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt as _;
use std::pin::pin;
use tokio_postgres::{Client, Statement};

use super::connection::WriterConnection;
use crate::error::Error;
use crate::models::row::{Row, RowEncoder};
use crate::models::trace::{EventRow, SpanRow, TraceRow};
use crate::models::{DataPointRow, LogRow, MetricRow};

/// The head of every binary COPY: its signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What follows the last row.
const TRAILER: i16 = -1;

/// Writes rows of one table at a time through `COPY .. FROM STDIN BINARY`: the fastest way into PostgreSQL.
///
/// COPY is all or nothing: one row that PostgreSQL refuses (a key that is there already, a day without a partition)
/// fails the whole call, and nothing of it is stored.
///
/// See `docs/COPY_PROTOCOL.md` in this crate.
#[derive(Debug, Clone)]
pub struct CopyWriter {
    chunk_bytes: usize,
}

impl Default for CopyWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl CopyWriter {
    /// Bytes that are gathered before they are handed to the connection: large enough that a send costs little beside its
    /// bytes, small enough that sending overlaps with encoding.
    pub const DEFAULT_CHUNK_BYTES: usize = 256 * 1024;

    /// A writer with the default chunk size.
    pub const fn new() -> Self {
        Self { chunk_bytes: Self::DEFAULT_CHUNK_BYTES }
    }

    /// A writer that hands over chunks of about this many bytes.
    pub const fn with_chunk_bytes(chunk_bytes: usize) -> Self {
        Self { chunk_bytes }
    }

    /// Writes trace summaries as they are. Merging with what is there is the work of [`crate::TraceWriter`].
    ///
    /// # Errors
    /// What PostgreSQL says; then nothing was written.
    pub async fn write_traces(&self, client: &Client, rows: &[TraceRow]) -> Result<u64, Error> {
        self.write(client, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Writes spans. Returns how many.
    ///
    /// # Errors
    /// What PostgreSQL says; then nothing was written.
    pub async fn write_spans(&self, client: &Client, rows: &[SpanRow]) -> Result<u64, Error> {
        self.write(client, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Writes span events. Returns how many.
    ///
    /// # Errors
    /// What PostgreSQL says; then nothing was written.
    pub async fn write_events(&self, client: &Client, rows: &[EventRow]) -> Result<u64, Error> {
        self.write(client, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Writes metric definitions. Returns how many.
    ///
    /// # Errors
    /// What PostgreSQL says; then nothing was written.
    pub async fn write_metrics(&self, client: &Client, rows: &[MetricRow]) -> Result<u64, Error> {
        self.write(client, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Writes metric data points. Returns how many.
    ///
    /// # Errors
    /// What PostgreSQL says; then nothing was written.
    pub async fn write_data_points(&self, client: &Client, rows: &[DataPointRow]) -> Result<u64, Error> {
        self.write(client, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Writes log records. Returns how many.
    ///
    /// # Errors
    /// What PostgreSQL says; then nothing was written.
    pub async fn write_logs(&self, client: &Client, rows: &[LogRow]) -> Result<u64, Error> {
        self.write(client, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Writes rows of any table. Returns how many.
    async fn write<R: Row + Sync>(&self, client: &Client, rows: &[&R]) -> Result<u64, Error> {
        let statement = client.prepare(&R::TABLE.copy()).await?;
        self.send(client, &statement, rows.iter().copied(), |_, _| ()).await
    }

    /// Writes rows of any table, over the connection of a writer.
    pub(crate) async fn write_rows<R: Row + Sync>(
        &self,
        connection: &WriterConnection,
        rows: &[&R],
    ) -> Result<u64, Error> {
        let statement = connection.statement(&R::TABLE.copy()).await?;
        self.send(connection, &statement, rows.iter().copied(), |_, _| ()).await
    }

    /// Writes rows to a staging table, each with its number in a column `arrival` behind its own.
    pub(crate) async fn stage_rows<R: Row + Sync>(
        &self,
        connection: &WriterConnection,
        staging: &str,
        rows: &[&R],
    ) -> Result<(), Error> {
        let statement = connection.statement(&R::TABLE.copy_numbered(staging)).await?;
        let number = |encoder: &mut RowEncoder<'_>, n: usize| encoder.i32(n as i32); // far fewer rows than 2^31 fit a batch
        self.send(connection, &statement, rows.iter().copied(), number).await.map(|_| ())
    }

    async fn send<'r, R: Row + Sync + 'r>(
        &self,
        client: &Client,
        statement: &Statement,
        rows: impl Iterator<Item = &'r R>,
        more_columns: impl Fn(&mut RowEncoder<'_>, usize),
    ) -> Result<u64, Error> {
        let sink = client.copy_in::<_, Bytes>(statement).await?;
        let mut sink = pin!(sink);
        let mut buffer = BytesMut::with_capacity(self.chunk_bytes + self.chunk_bytes / 4);
        buffer.put_slice(HEADER);
        for (n, row) in rows.enumerate() {
            let place = buffer.len();
            buffer.put_i16(0);
            let mut encoder = RowEncoder::new(&mut buffer);
            row.encode(&mut encoder);
            debug_assert_eq!(encoder.fields(), R::TABLE.columns.len(), "fields of {}", R::TABLE.name);
            more_columns(&mut encoder, n);
            let fields = encoder.fields() as i16; // a table has at most 1,600 columns
            buffer[place..place + 2].copy_from_slice(&fields.to_be_bytes());
            if buffer.len() >= self.chunk_bytes {
                sink.feed(buffer.split().freeze()).await?;
                buffer.reserve(self.chunk_bytes + self.chunk_bytes / 4);
            }
        }
        buffer.put_i16(TRAILER);
        sink.send(buffer.freeze()).await?;
        Ok(sink.finish().await?)
    }
}
