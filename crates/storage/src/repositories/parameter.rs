//! Parameters of unprepared statements.

use std::time::SystemTime;

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

/// A parameter and its type in PostgreSQL.
pub(super) type Parameter = (Box<dyn ToSql + Sync + Send>, Type);

/// A value that can be a parameter of an unprepared statement, which needs the types of its parameters.
pub(super) trait Bind: ToSql + Sync + Send + Sized + 'static {
    /// Type of the parameter in PostgreSQL.
    const TYPE: Type;

    /// Turns the value into a parameter.
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
    Vec<SystemTime> => TIMESTAMPTZ_ARRAY,
    Vec<Vec<u8>> => BYTEA_ARRAY,
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
