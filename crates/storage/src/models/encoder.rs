//! Encodes rows in PostgreSQL's binary form, for COPY .. BINARY and for binary parameters.

use bytes::{BufMut, BytesMut};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};
use uuid::Uuid;

/// Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970-01-01 to 2000-01-01.
pub(super) const PG_EPOCH_DAYS: i32 = 10_957;

mod oid {
    pub(super) const INT8: u32 = 20;
    pub(super) const TEXT: u32 = 25;
    pub(super) const FLOAT8: u32 = 701;
}

/// Encodes the fields of one row: the length of each, then its bytes.
#[derive(Debug)]
pub struct RowEncoder<'a> {
    buffer: &'a mut BytesMut,
    fields: usize,
}

impl<'a> RowEncoder<'a> {
    /// An encoder that appends to `buffer`.
    pub fn new(buffer: &'a mut BytesMut) -> Self {
        Self { buffer, fields: 0 }
    }

    /// Number of fields written so far.
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// NULL.
    pub fn null(&mut self) {
        self.fields += 1;
        self.buffer.put_i32(-1);
    }

    fn field(&mut self, length: usize) -> &mut BytesMut {
        self.fields += 1;
        // A field is part of one request, whose size is limited far below 2 GiB.
        self.buffer.put_i32(length as i32);
        self.buffer
    }

    /// `boolean`.
    pub fn bool(&mut self, value: bool) {
        self.field(1).put_u8(u8::from(value));
    }

    /// `smallint`.
    pub fn i16(&mut self, value: i16) {
        self.field(2).put_i16(value);
    }

    /// `integer`.
    pub fn i32(&mut self, value: i32) {
        self.field(4).put_i32(value);
    }

    /// `integer` with the bits of an unsigned number; NULL for 0.
    pub fn count32(&mut self, value: u32) {
        match value {
            0 => self.null(),
            value => self.i32(value.cast_signed()),
        }
    }

    /// `bigint`.
    pub fn i64(&mut self, value: i64) {
        self.field(8).put_i64(value);
    }

    /// `double precision`.
    pub fn f64(&mut self, value: f64) {
        self.field(8).put_f64(value);
    }

    /// `uuid`.
    pub fn uuid(&mut self, value: Uuid) {
        self.field(16).put_slice(value.as_bytes());
    }

    /// `timestamptz`, in whole microseconds.
    pub fn time(&mut self, value: UnixNanos) {
        self.field(8).put_i64(value.micros() - PG_EPOCH_MICROS);
    }

    /// `date`.
    pub fn day(&mut self, value: Day) {
        self.field(4).put_i32(value.0 - PG_EPOCH_DAYS);
    }

    /// `text`.
    pub fn text(&mut self, value: &[u8]) {
        self.bytes(value);
    }

    /// `text`; NULL when empty.
    pub fn text_or_null(&mut self, value: &[u8]) {
        match value {
            [] => self.null(),
            value => self.bytes(value),
        }
    }

    /// `bytea`.
    pub fn bytes(&mut self, value: &[u8]) {
        self.field(value.len()).put_slice(value);
    }

    /// `jsonb`, from its text.
    pub fn json(&mut self, text: &[u8]) {
        let buffer = self.field(text.len() + 1);
        buffer.put_u8(1);
        buffer.put_slice(text);
    }

    /// `bigint[]` with the bits of unsigned numbers.
    pub fn u64_array(&mut self, values: &[u64]) {
        self.array(oid::INT8, values, |_| 8, |buffer, value| buffer.put_u64(*value));
    }

    /// `double precision[]`.
    pub fn f64_array(&mut self, values: &[f64]) {
        self.array(oid::FLOAT8, values, |_| 8, |buffer, value| buffer.put_f64(*value));
    }

    /// `text[]`.
    pub fn text_array(&mut self, values: &[Text]) {
        let put = |buffer: &mut BytesMut, value: &Text| buffer.put_slice(value.as_bytes());
        self.array(oid::TEXT, values, |value| value.as_bytes().len(), put);
    }

    fn array<T>(
        &mut self,
        element: u32,
        values: &[T],
        length: impl Fn(&T) -> usize,
        put: impl Fn(&mut BytesMut, &T),
    ) {
        let dimensions = usize::from(!values.is_empty());
        let elements: usize = values.iter().map(|value| 4 + length(value)).sum();
        let buffer = self.field(12 + 8 * dimensions + elements);
        buffer.put_i32(dimensions as i32);
        buffer.put_i32(0);
        buffer.put_u32(element);
        if dimensions == 1 {
            buffer.put_i32(values.len() as i32);
            buffer.put_i32(1);
        }
        for value in values {
            buffer.put_i32(length(value) as i32);
            put(buffer, value);
        }
    }
}
