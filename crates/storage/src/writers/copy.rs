//! Rows through binary COPY.

use std::borrow::Borrow;
use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::{Client, Statement};

use crate::error::Error;
use crate::models::encoder::RowEncoder;
use crate::models::row::Row;
use crate::models::{DataPointRow, EventRow, LogRow, MetricRow, SpanRow, TraceRow};
use crate::postgres::writer::WriterConnection;

/// The head of every binary COPY: its signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What follows the last row.
const TRAILER: i16 = -1;

/// Bytes that are gathered before they are handed to the connection: large enough that a send costs little beside its
/// bytes, small enough that sending overlaps with encoding.
const CHUNK_BYTES: usize = 256 * 1024;
/// A chunk goes over its size by the row that fills it.
const CHUNK_CAPACITY: usize = CHUNK_BYTES + CHUNK_BYTES / 4;

/// Writes rows of one table at a time through `COPY .. FROM STDIN BINARY`: the fastest way into PostgreSQL.
///
/// COPY is all or nothing: one row that PostgreSQL does not take (a key that is there already, a day without a partition)
/// fails the whole call, and nothing of it is stored. Dictionary rows, trace summaries and partitions are the caller's to
/// see to.
///
/// See `docs/COPY_PROTOCOL.md` in this crate.
#[derive(Debug)]
pub struct CopyWriter;

macro_rules! write_rows {
    ($($(#[$doc:meta])* $name:ident($row:ty);)+) => {
        impl CopyWriter {$(
            $(#[$doc])*
            ///
            /// Takes a `Vec`, or anything that gives rows or references to rows. Returns how many were written.
            ///
            /// # Errors
            /// [`Error::Postgres`] when PostgreSQL does not take a row, [`Error::Unavailable`] when the connection is lost; then
            /// nothing was written.
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
    /// Writes trace summaries as they are. Merging with what is stored is the work of [`TraceWriter`](crate::TraceWriter).
    write_traces(TraceRow);
    /// Writes spans without their events.
    write_spans(SpanRow);
    /// Writes span events.
    write_events(EventRow);
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

/// Writes rows of any table over the connection of a writer.
pub(super) async fn copy_rows<R: Row + Sync>(
    connection: &WriterConnection,
    rows: &[&R],
) -> Result<u64, Error> {
    let statement = connection.statement(&R::TABLE.copy()).await?;
    send(connection, &statement, rows, |_, _| ()).await
}

/// Writes rows to a staging table, each with its number in a column `arrival` behind its own.
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

/// The bytes of a COPY, a chunk at a time.
struct Chunks {
    buffer: BytesMut,
}

impl Chunks {
    fn new() -> Self {
        let mut buffer = BytesMut::with_capacity(CHUNK_CAPACITY);
        buffer.put_slice(HEADER);
        Self { buffer }
    }

    /// Adds a row and the columns behind its own; returns a chunk when there is enough for one.
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

    /// What is left, and the trailer.
    fn finish(mut self) -> Bytes {
        self.buffer.put_i16(TRAILER);
        self.buffer.freeze()
    }
}
