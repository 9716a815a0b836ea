//! Writes rows by binary COPY.

use std::borrow::Borrow;
use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::{Client, Statement};

use crate::error::Error;
use crate::models::encoder::RowEncoder;
use crate::models::row::Row;
use crate::models::{DataPointRow, EventRow, LlmRow, LogRow, MetricRow, SpanRow, TraceRow};
use crate::postgres::writer::WriterConnection;

/// The first bytes of every binary COPY: the signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The number of fields that ends a binary COPY.
const TRAILER: i16 = -1;

/// Bytes of a chunk, after which it is handed to the connection: enough to make the cost of a send small, and few
/// enough to let sending overlap with encoding.
const CHUNK_BYTES: usize = 256 * 1024;
/// Capacity of a chunk: the row that fills it goes beyond `CHUNK_BYTES`.
const CHUNK_CAPACITY: usize = CHUNK_BYTES + CHUNK_BYTES / 4;

/// Writes rows of one table at a time by `COPY .. FROM STDIN BINARY`, the fastest way into PostgreSQL.
///
/// COPY is all or nothing. If PostgreSQL does not take one row (its key is stored already, its day has no partition), the
/// call fails and stores none. The caller writes dictionary rows and trace summaries and creates partitions.
///
/// `docs/COPY_PROTOCOL.md` in this crate explains the bytes.
#[derive(Debug)]
pub struct CopyWriter;

macro_rules! write_rows {
    ($($(#[$doc:meta])* $name:ident($row:ty);)+) => {
        impl CopyWriter {$(
            $(#[$doc])*
            ///
            /// Takes a `Vec`, a slice, or any iterator of rows or references to rows. Returns the number of written rows.
            ///
            /// # Errors
            /// [`Error::Postgres`] when PostgreSQL does not take a row, [`Error::Unavailable`] when the connection
            /// is lost. Then no row is stored.
            pub async fn $name<I>(client: &Client, rows: I) -> Result<u64, Error>
            where
                I: IntoIterator<Item: Borrow<$row> + Send, IntoIter: Send> + Send,
            {
                write::<$row, _>(client, rows.into_iter()).await
            }
        )+}
    };
}

write_rows! {
    /// Writes trace summaries, and does not merge them with stored ones as [`TraceWriter`](crate::TraceWriter) does.
    write_traces(TraceRow);
    /// Writes spans without their events.
    write_spans(SpanRow);
    /// Writes span events.
    write_events(EventRow);
    /// Writes readings of LLM spans.
    write_llm_spans(LlmRow);
    /// Writes metric definitions.
    write_metrics(MetricRow);
    /// Writes metric data points.
    write_data_points(DataPointRow);
    /// Writes log records.
    write_logs(LogRow);
}

async fn write<R: Row + Sync, I>(client: &Client, rows: I) -> Result<u64, Error>
where
    I: Iterator<Item: Borrow<R> + Send> + Send,
{
    let statement = client.prepare(&R::TABLE.copy()).await?;
    let sink = client.copy_in::<_, Bytes>(&statement).await?;
    let mut chunks = Chunks::new();
    let mut sink = pin!(sink);
    for row in rows {
        if let Some(chunk) = chunks.add(row.borrow(), |_| ()) {
            sink.feed(chunk).await?;
        }
    }
    sink.send(chunks.finish()).await?;
    Ok(sink.finish().await?)
}

/// Copies rows over the connection of a writer. Returns the number of written rows.
pub(crate) async fn copy_rows<R: Row + Sync>(
    connection: &WriterConnection,
    rows: &[&R],
) -> Result<u64, Error> {
    let statement = connection.statement(&R::TABLE.copy()).await?;
    send(connection, &statement, rows, |_, _| ()).await
}

/// Copies rows to a staging table, each with its index in the additional column `arrival`.
pub(super) async fn stage_rows<R: Row + Sync>(
    connection: &WriterConnection,
    staging: &str,
    rows: &[&R],
) -> Result<(), Error> {
    let statement = connection.statement(&R::TABLE.copy_numbered(staging)).await?;
    let number = |encoder: &mut RowEncoder<'_>, n: usize| encoder.i32(n as i32); // a batch has far fewer than 2^31 rows
    send(connection, &statement, rows, number).await.map(drop)
}

async fn send<R: Row + Sync>(
    client: &Client,
    statement: &Statement,
    rows: &[&R],
    more_columns: impl Fn(&mut RowEncoder<'_>, usize),
) -> Result<u64, Error> {
    let sink = client.copy_in::<_, Bytes>(statement).await?;
    let mut chunks = Chunks::new();
    let mut sink = pin!(sink);
    for (n, row) in rows.iter().enumerate() {
        if let Some(chunk) = chunks.add(*row, |encoder| more_columns(encoder, n)) {
            sink.feed(chunk).await?;
        }
    }
    sink.send(chunks.finish()).await?;
    Ok(sink.finish().await?)
}

/// The bytes of a COPY, in chunks.
struct Chunks {
    buffer: BytesMut,
}

impl Chunks {
    fn new() -> Self {
        let mut buffer = BytesMut::with_capacity(CHUNK_CAPACITY);
        buffer.put_slice(HEADER);
        Self { buffer }
    }

    /// Adds a row and its additional columns. Returns a chunk when it is full.
    fn add<R: Row>(&mut self, row: &R, more_columns: impl FnOnce(&mut RowEncoder<'_>)) -> Option<Bytes> {
        let place = self.buffer.len();
        self.buffer.put_i16(0);
        let mut encoder = RowEncoder::new(&mut self.buffer);
        row.encode(&mut encoder);
        debug_assert_eq!(encoder.fields(), R::TABLE.columns.len(), "fields of {}", R::TABLE.name);
        more_columns(&mut encoder);
        let fields = encoder.fields() as i16; // a table has at most 1,600 columns
        self.buffer[place..place + 2].copy_from_slice(&fields.to_be_bytes());
        (self.buffer.len() >= CHUNK_BYTES).then(|| {
            let chunk = self.buffer.split().freeze();
            self.buffer.reserve(CHUNK_CAPACITY);
            chunk
        })
    }

    /// The last chunk, with the trailer.
    fn finish(mut self) -> Bytes {
        self.buffer.put_i16(TRAILER);
        self.buffer.freeze()
    }
}
