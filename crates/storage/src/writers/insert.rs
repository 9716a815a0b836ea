//! Writes rows by prepared INSERT statements.

use std::error::Error as StdError;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::future::join_all;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use crate::error::Error;
use crate::models::encoder::RowEncoder;
use crate::models::row::Row;
use crate::postgres::writer::WriterConnection;

/// Statements that are sent without waiting for an answer: enough to hide the round trip.
const PIPELINED: usize = 256;

/// Inserts the rows, and ignores those whose unique key is stored already. Returns for each whether it was inserted.
pub(super) async fn insert<R: Row + Sync>(
    connection: &WriterConnection,
    rows: &[&R],
) -> Result<Vec<bool>, Error> {
    run(connection, &R::TABLE.insert(), rows).await
}

/// Inserts the rows, and fails if the unique key of one is stored already.
pub(super) async fn insert_new<R: Row + Sync>(
    connection: &WriterConnection,
    rows: &[&R],
) -> Result<(), Error> {
    run(connection, &R::TABLE.insert_new(), rows).await.map(drop)
}

async fn run<R: Row + Sync>(
    connection: &WriterConnection,
    sql: &str,
    rows: &[&R],
) -> Result<Vec<bool>, Error> {
    let mut inserted = Vec::with_capacity(rows.len());
    if rows.is_empty() {
        return Ok(inserted);
    }
    let statement = connection.statement(sql).await?;
    for chunk in rows.chunks(PIPELINED) {
        let answers =
            join_all(chunk.iter().map(|row| insert_one(connection, &statement, fields(*row)))).await;
        let (counts, errors): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        // Statements after the failed one fail too, and their errors do not name the cause.
        let errors = errors.into_iter().filter_map(Result::err);
        let cause = errors.reduce(|first, next| if first.is_consequence() { next } else { first });
        cause.map_or(Ok(()), Err)?;
        inserted.extend(counts.into_iter().flatten().map(|rows| rows > 0));
    }
    Ok(inserted)
}

async fn insert_one(client: &Client, statement: &Statement, fields: Vec<Field>) -> Result<u64, Error> {
    Ok(client.execute_raw(statement, &fields).await?)
}

/// The fields of a row in their binary form, which COPY and parameters share.
fn fields<R: Row>(row: &R) -> Vec<Field> {
    let mut buffer = BytesMut::new();
    row.encode(&mut RowEncoder::new(&mut buffer));
    let mut bytes = buffer.freeze();
    let mut fields = Vec::with_capacity(R::TABLE.columns.len());
    while bytes.has_remaining() {
        let length = usize::try_from(bytes.get_i32()).ok();
        fields.push(Field(length.map(|length| bytes.split_to(length))));
    }
    fields
}

/// One field in PostgreSQL's binary form, or NULL.
#[derive(Debug)]
struct Field(Option<Bytes>);

impl ToSql for Field {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match &self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}
