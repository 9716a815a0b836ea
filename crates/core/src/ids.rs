//! Identifiers. Each is its own type, so that a span id can't stand where a trace id should.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The namespace under which trace ids that are not 16 bytes become UUIDs (version 5).
///
/// It is itself the version-5 UUID of `llm-observatory/trace-id` in the URL namespace, so anyone can derive it again.
pub const FOREIGN_TRACE_NAMESPACE: Uuid = Uuid::from_u128(0x5845_f732_8bbb_552f_b2d2_3ff4_64a8_2b1c);

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has another length, or a character that is no hexadecimal digit.
    #[error("expected {expected} hexadecimal digits")]
    NotHex {
        /// How many digits this kind of id has.
        expected: usize,
    },
    /// All bits are zero, which OTLP defines as "no id".
    #[error("an id whose bits are all zero is not valid")]
    Zero,
}

/// A W3C trace id: 16 bytes, not all zero. Its UUID in PostgreSQL is these very bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The id from the wire, or `None` when it is not 16 bytes or all zero (OTLP: invalid).
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The id of a trace that some other system named with a text of its own.
    ///
    /// 32 hexadecimal digits, or a UUID with its dashes, are taken as the bits that they are; anything else
    /// becomes the version-5 UUID of the text, so the same name is the same trace everywhere.
    pub fn from_foreign(name: &str) -> Self {
        Uuid::parse_str(name)
            .ok()
            .and_then(|uuid| Self::from_wire(uuid.as_bytes()))
            .unwrap_or_else(|| Self(*Uuid::new_v5(&FOREIGN_TRACE_NAMESPACE, name.as_bytes()).as_bytes()))
    }

    /// The id from its UUID, which is the same 128 bits.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(*uuid.as_bytes())
    }

    /// The UUID of this trace: the same 128 bits.
    pub const fn uuid(&self) -> Uuid {
        Uuid::from_bytes(self.0)
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = parse_hex::<16>(text).ok_or(IdError::NotHex { expected: 32 })?;
        Self::from_wire(&bytes).ok_or(IdError::Zero)
    }
}

/// A W3C span id: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

impl SpanId {
    /// The id from the wire, or `None` when it is not 8 bytes or all zero (OTLP: invalid).
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 8] = bytes.try_into().ok()?;
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl FromStr for SpanId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = parse_hex::<8>(text).ok_or(IdError::NotHex { expected: 16 })?;
        Self::from_wire(&bytes).ok_or(IdError::Zero)
    }
}

macro_rules! hex_format {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($id), "({})"), self)
            }
        }
    )*};
}

hex_format!(TraceId, SpanId);

fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// A project: the unit of isolation. Every row of telemetry carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(pub i32);

impl ProjectId {
    /// The project named `default`, which exists from the first migration on.
    pub const DEFAULT: Self = Self(1);
}

macro_rules! content_ids {
    ($($(#[$doc:meta])* $id:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $id(pub Uuid);
    )*};
}

content_ids! {
    /// A distinct resource: the hash of its canonical content.
    ResourceId,
    /// A distinct instrumentation scope: the hash of its canonical content.
    ScopeId,
    /// A distinct metric definition: the hash of its canonical content.
    MetricId,
    /// A distinct metric stream (definition, resource, scope, attributes): the hash of its canonical content.
    SeriesId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_its_uuid() {
        let id: TraceId = "0AF7651916cd43dd8448eb211c80319c".parse().unwrap();
        assert_eq!(id.uuid().to_string(), "0af76519-16cd-43dd-8448-eb211c80319c");
        assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(TraceId::from_uuid(id.uuid()), id);
    }

    #[test]
    fn ids_of_the_wrong_shape_are_told_apart() {
        assert_eq!("".parse::<TraceId>(), Err(IdError::NotHex { expected: 32 }));
        assert_eq!("z".repeat(32).parse::<TraceId>(), Err(IdError::NotHex { expected: 32 }));
        assert_eq!("0".repeat(16).parse::<SpanId>(), Err(IdError::Zero));
        assert_eq!(SpanId::from_wire(&[1; 7]), None);
        assert_eq!(TraceId::from_wire(&[0; 16]), None);
    }

    #[test]
    fn foreign_names_map_to_one_trace_each() {
        let hex = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(TraceId::from_foreign(hex), hex.parse().unwrap());
        assert_eq!(TraceId::from_foreign("run-42"), TraceId::from_foreign("run-42"));
        assert_ne!(TraceId::from_foreign("run-42"), TraceId::from_foreign("run-43"));
        let derived = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"llm-observatory/trace-id");
        assert_eq!(FOREIGN_TRACE_NAMESPACE, derived, "{derived:x}");
    }
}
