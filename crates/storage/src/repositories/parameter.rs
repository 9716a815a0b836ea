//! Parameters of statements that run unprepared.

use std::time::SystemTime;

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

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
        vec![$($crate::repositories::parameter::Bind::bind($value)),+]
    };
}
pub(super) use parameters;
