//! A row of PostgreSQL into a row of ours: columns are read in the order in which the statement names them.

use std::error::Error as StdError;
use std::time::SystemTime;

use bytes::Bytes;
use llm_observatory_core::ids::SpanId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};
use uuid::Uuid;

use crate::error::Error;
use crate::models::attributes::{Attributes, Inconsistent};
use crate::models::trace::Nested;

/// A row that can be read back.
pub(super) trait Read: Sized + Send + 'static {
    /// The columns that `read` takes, in their order; named when one of them is wrong.
    const COLUMNS: &'static [&'static str];

    /// Takes the columns.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error>;
}

/// The columns of one row, of which some have been taken.
pub(super) struct Fields<'r> {
    row: &'r Row,
    names: &'static [&'static str],
    first: usize,
    next: usize,
}

impl<'r> Fields<'r> {
    pub(super) fn new(row: &'r Row) -> Self {
        Self { row, names: &[], first: 0, next: 0 }
    }

    /// Takes the columns of a whole row; several may lie side by side.
    pub(super) fn row<T: Read>(&mut self) -> Result<T, Error> {
        self.names = T::COLUMNS;
        self.first = self.next;
        T::read(self)
    }

    /// Takes one column as it is.
    pub(super) fn take<T: FromSql<'r>>(&mut self) -> Result<T, Error> {
        let place = self.next;
        self.next += 1;
        self.row.try_get(place).map_err(|_| self.wrong())
    }

    /// The error that the column taken last holds what it can't hold.
    pub(super) fn wrong(&self) -> Error {
        let column = self.names.get(self.next - self.first - 1);
        Inconsistent::Column(column.copied().unwrap_or("?")).into()
    }

    /// `integer` holding the bits of an unsigned number, NULL for 0.
    pub(super) fn count32(&mut self) -> Result<u32, Error> {
        Ok(self.take::<Option<i32>>()?.map_or(0, i32::cast_unsigned))
    }

    /// `text`, NULL for empty.
    pub(super) fn text(&mut self) -> Result<Text, Error> {
        Ok(self.take::<Option<&str>>()?.map_or(Text::EMPTY, Text::from))
    }

    /// `text`, or NULL.
    pub(super) fn optional_text(&mut self) -> Result<Option<Text>, Error> {
        Ok(self.take::<Option<&str>>()?.map(Text::from))
    }

    /// `bytea`, NULL for empty.
    pub(super) fn bytes(&mut self) -> Result<Bytes, Error> {
        Ok(self.take::<Option<&[u8]>>()?.map_or_else(Bytes::new, Bytes::copy_from_slice))
    }

    /// `bytea` holding a span id.
    pub(super) fn span_id(&mut self) -> Result<SpanId, Error> {
        let bytes: &[u8] = self.take()?;
        SpanId::from_wire(bytes).ok_or_else(|| self.wrong())
    }

    /// `bytea` holding a span id, or NULL.
    pub(super) fn optional_span_id(&mut self) -> Result<Option<SpanId>, Error> {
        let bytes: Option<&[u8]> = self.take()?;
        bytes.map(|bytes| SpanId::from_wire(bytes).ok_or_else(|| self.wrong())).transpose()
    }

    /// The two columns of an attribute list.
    pub(super) fn attributes(&mut self) -> Result<Attributes, Error> {
        Ok(Attributes { json: self.take::<JsonText>()?.0, layout: self.bytes()? })
    }

    /// The two columns of repeated OTLP messages.
    pub(super) fn nested(&mut self) -> Result<Option<Nested>, Error> {
        match (self.take::<Option<JsonText>>()?, self.take::<Option<&[u8]>>()?) {
            (None, None) => Ok(None),
            (Some(JsonText(json)), Some(otlp)) => {
                Ok(Some(Nested { json, otlp: Bytes::copy_from_slice(otlp) }))
            }
            _ => Err(self.wrong()),
        }
    }
}

/// The time that its two columns hold.
pub(super) fn time(micros: SystemTime, nanos: i16) -> UnixNanos {
    UnixNanos::from_parts(UnixNanos::from(micros).micros(), nanos)
}

/// `jsonb` as its text, which is how it travels: nothing parses it on the way.
pub(super) struct JsonText(pub(super) Bytes);

impl FromSql<'_> for JsonText {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        match raw {
            [1, text @ ..] => Ok(Self(Bytes::copy_from_slice(text))),
            _ => Err("unknown version of jsonb".into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSONB
    }
}

/// A parameter with the type that the statement sees.
pub(super) type Parameter = (Box<dyn ToSql + Sync + Send>, Type);

/// A value that can be a parameter. Statements run unprepared, so each value tells its type.
pub(super) trait Bind: ToSql + Sync + Send + Sized + 'static {
    /// Its type in PostgreSQL.
    const TYPE: Type;

    /// The parameter.
    fn bind(self) -> Parameter {
        (Box::new(self), Self::TYPE)
    }
}

macro_rules! bind {
    ($($rust:ty => $postgres:ident),+ $(,)?) => {$(
        impl Bind for $rust {
            const TYPE: Type = Type::$postgres;
        }
    )+};
}

bind! {
    bool => BOOL,
    i16 => INT2,
    i32 => INT4,
    i64 => INT8,
    String => TEXT,
    Uuid => UUID,
    SystemTime => TIMESTAMPTZ,
    Vec<u8> => BYTEA,
    Vec<Uuid> => UUID_ARRAY,
}

impl<T: Bind> Bind for Option<T> {
    const TYPE: Type = T::TYPE;
}

/// The parameters of a statement, in their order.
macro_rules! parameters {
    ($($value:expr),+ $(,)?) => {
        vec![$($crate::repositories::fields::Bind::bind($value)),+]
    };
}
pub(super) use parameters;
