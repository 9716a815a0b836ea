//! Kinds of columns: each encodes a value to PostgreSQL's binary form and decodes it.

use std::marker::PhantomData;
use std::time::SystemTime;

use bytes::Bytes;
use llm_observatory_core::ids::SpanId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::encoder::{PG_EPOCH_DAYS, RowEncoder};

/// One kind of column.
pub(crate) trait Column {
    /// The Rust type that is written.
    type In<'a>;
    /// The Rust type that is read.
    type Out;

    /// Writes a value.
    fn put(value: Self::In<'_>, to: &mut RowEncoder<'_>);

    /// Reads a value from its binary form; `raw` is `None` for NULL. Returns `None` if this is no value of the column.
    fn get(raw: Option<&[u8]>) -> Option<Self::Out>;

    /// What a SELECT asks for: the column `name` of `table`, which is empty, or an alias with its dot.
    fn select(table: &str, name: &str) -> String {
        format!("{table}{name}")
    }
}

fn read<'r, T: FromSql<'r>>(ty: &Type, raw: Option<&'r [u8]>) -> Option<T> {
    T::from_sql(ty, raw?).ok()
}

/// Columns that write and read the same Rust type.
macro_rules! plain {
    ($($(#[$doc:meta])* $column:ident($rust:ty) = $postgres:ident, $put:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $column;

        impl Column for $column {
            type In<'a> = $rust;
            type Out = $rust;

            fn put(value: $rust, to: &mut RowEncoder<'_>) {
                to.$put(value);
            }

            fn get(raw: Option<&[u8]>) -> Option<$rust> {
                read(&Type::$postgres, raw)
            }
        }
    )+};
}

plain! {
    /// `boolean`.
    Bool(bool) = BOOL, bool;
    /// `smallint`.
    Int2(i16) = INT2, i16;
    /// `integer`.
    Int4(i32) = INT4, i32;
    /// `bigint`.
    Int8(i64) = INT8, i64;
    /// `double precision`.
    Float8(f64) = FLOAT8, f64;
    /// `uuid`.
    Id(Uuid) = UUID, uuid;
}

/// Any column, or NULL.
#[derive(Debug)]
pub(crate) struct Nullable<C>(PhantomData<C>);

impl<C: Column> Column for Nullable<C> {
    type In<'a> = Option<C::In<'a>>;
    type Out = Option<C::Out>;

    fn put(value: Option<C::In<'_>>, to: &mut RowEncoder<'_>) {
        match value {
            Some(value) => C::put(value, to),
            None => to.null(),
        }
    }

    fn get(raw: Option<&[u8]>) -> Option<Option<C::Out>> {
        match raw {
            Some(raw) => C::get(Some(raw)).map(Some),
            None => Some(None),
        }
    }

    fn select(table: &str, name: &str) -> String {
        C::select(table, name)
    }
}

/// `timestamptz`: the whole microseconds of a time. Another column holds the remaining nanoseconds.
#[derive(Debug)]
pub(crate) struct Timestamp;

impl Column for Timestamp {
    type In<'a> = UnixNanos;
    type Out = UnixNanos;

    fn put(value: UnixNanos, to: &mut RowEncoder<'_>) {
        to.time(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<UnixNanos> {
        read::<SystemTime>(&Type::TIMESTAMPTZ, raw).map(UnixNanos::from)
    }
}

/// `date`.
#[derive(Debug)]
pub(crate) struct Date;

impl Column for Date {
    type In<'a> = Day;
    type Out = Day;

    fn put(value: Day, to: &mut RowEncoder<'_>) {
        to.day(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Day> {
        let days = i32::from_be_bytes(raw?.try_into().ok()?);
        Some(Day(days.checked_add(PG_EPOCH_DAYS)?))
    }
}

/// `integer` with the bits of an unsigned number; NULL for 0.
#[derive(Debug)]
pub(crate) struct Count32;

impl Column for Count32 {
    type In<'a> = u32;
    type Out = u32;

    fn put(value: u32, to: &mut RowEncoder<'_>) {
        to.count32(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<u32> {
        Nullable::<Int4>::get(raw).map(|bits| bits.map_or(0, i32::cast_unsigned))
    }
}

/// `bigint` with the bits of an unsigned number.
#[derive(Debug)]
pub(crate) struct Count64;

impl Column for Count64 {
    type In<'a> = u64;
    type Out = u64;

    fn put(value: u64, to: &mut RowEncoder<'_>) {
        to.i64(value.cast_signed());
    }

    fn get(raw: Option<&[u8]>) -> Option<u64> {
        Int8::get(raw).map(i64::cast_unsigned)
    }
}

/// `text`.
#[derive(Debug)]
pub(crate) struct Varchar;

impl Column for Varchar {
    type In<'a> = &'a Text;
    type Out = Text;

    fn put(value: &Text, to: &mut RowEncoder<'_>) {
        to.text(value.as_bytes());
    }

    fn get(raw: Option<&[u8]>) -> Option<Text> {
        read::<&str>(&Type::TEXT, raw).map(Text::from)
    }
}

/// `text`; NULL for the empty text.
#[derive(Debug)]
pub(crate) struct VarcharOrNull;

impl Column for VarcharOrNull {
    type In<'a> = &'a Text;
    type Out = Text;

    fn put(value: &Text, to: &mut RowEncoder<'_>) {
        to.text_or_null(value.as_bytes());
    }

    fn get(raw: Option<&[u8]>) -> Option<Text> {
        Nullable::<Varchar>::get(raw).map(Option::unwrap_or_default)
    }
}

/// `text` from bytes that are UTF-8 without NUL.
#[derive(Debug)]
pub(crate) struct Utf8;

impl Column for Utf8 {
    type In<'a> = &'a [u8];
    type Out = Bytes;

    fn put(value: &[u8], to: &mut RowEncoder<'_>) {
        to.text(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Bytes> {
        raw.map(Bytes::copy_from_slice)
    }
}

/// `bytea`.
#[derive(Debug)]
pub(crate) struct Bytea;

impl Column for Bytea {
    type In<'a> = &'a [u8];
    type Out = Bytes;

    fn put(value: &[u8], to: &mut RowEncoder<'_>) {
        to.bytes(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Bytes> {
        raw.map(Bytes::copy_from_slice)
    }
}

/// `bytea`; NULL for no bytes.
#[derive(Debug)]
pub(crate) struct ByteaOrNull;

impl Column for ByteaOrNull {
    type In<'a> = &'a [u8];
    type Out = Bytes;

    fn put(value: &[u8], to: &mut RowEncoder<'_>) {
        to.text_or_null(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Bytes> {
        Some(raw.map_or_else(Bytes::new, Bytes::copy_from_slice))
    }
}

/// `bytea` with the eight bytes of a span id.
#[derive(Debug)]
pub(crate) struct SpanIdBytes;

impl Column for SpanIdBytes {
    type In<'a> = SpanId;
    type Out = SpanId;

    fn put(value: SpanId, to: &mut RowEncoder<'_>) {
        to.bytes(value.as_bytes());
    }

    fn get(raw: Option<&[u8]>) -> Option<SpanId> {
        SpanId::from_wire(raw?)
    }
}

/// `jsonb`, written and read as JSON text, which is never parsed here.
#[derive(Debug)]
pub(crate) struct Jsonb;

impl Column for Jsonb {
    type In<'a> = &'a [u8];
    type Out = Bytes;

    fn put(value: &[u8], to: &mut RowEncoder<'_>) {
        to.json(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Bytes> {
        match raw? {
            [1, text @ ..] => Some(Bytes::copy_from_slice(text)), // 1 is the only version of the binary form
            _ => None,
        }
    }
}

/// `text` that is JSON, which is never parsed here. Rows of before schema version 10 have `jsonb` instead, in the column
/// without `_json` in its name.
#[derive(Debug)]
pub(crate) struct JsonText;

impl Column for JsonText {
    type In<'a> = &'a [u8];
    type Out = Bytes;

    fn put(value: &[u8], to: &mut RowEncoder<'_>) {
        Utf8::put(value, to);
    }

    fn get(raw: Option<&[u8]>) -> Option<Bytes> {
        Utf8::get(raw)
    }

    fn select(table: &str, name: &str) -> String {
        let before = name.trim_end_matches("_json");
        format!("coalesce({table}{name}, {table}{before}::text)")
    }
}

/// `bigint[]` with the bits of unsigned numbers.
#[derive(Debug)]
pub(crate) struct Count64Array;

impl Column for Count64Array {
    type In<'a> = &'a [u64];
    type Out = Vec<u64>;

    fn put(value: &[u64], to: &mut RowEncoder<'_>) {
        to.u64_array(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Vec<u64>> {
        let bits: Vec<i64> = read(&Type::INT8_ARRAY, raw)?;
        Some(bits.into_iter().map(i64::cast_unsigned).collect())
    }
}

/// `double precision[]`.
#[derive(Debug)]
pub(crate) struct Float8Array;

impl Column for Float8Array {
    type In<'a> = &'a [f64];
    type Out = Vec<f64>;

    fn put(value: &[f64], to: &mut RowEncoder<'_>) {
        to.f64_array(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Vec<f64>> {
        read(&Type::FLOAT8_ARRAY, raw)
    }
}

/// `text[]`.
#[derive(Debug)]
pub(crate) struct VarcharArray;

impl Column for VarcharArray {
    type In<'a> = &'a [Text];
    type Out = Vec<Text>;

    fn put(value: &[Text], to: &mut RowEncoder<'_>) {
        to.text_array(value);
    }

    fn get(raw: Option<&[u8]>) -> Option<Vec<Text>> {
        let texts: Vec<&str> = read(&Type::TEXT_ARRAY, raw)?;
        Some(texts.into_iter().map(Text::from).collect())
    }
}
