//! Identifiers. Each has its own type, so that the compiler tells a span id from a trace id.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The namespace of the version-5 UUIDs that [`TraceId::from_foreign`] derives from names.
///
/// It is itself the version-5 UUID of `llm-observatory/trace-id` in the URL namespace, so that other programs can
/// derive it.
pub const FOREIGN_TRACE_NAMESPACE: Uuid = Uuid::from_u128(0x5845_f732_8bbb_552f_b2d2_3ff4_64a8_2b1c);

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has the wrong length, or a character that is not a hexadecimal digit.
    #[error("expected {expected} hexadecimal digits")]
    NotHex {
        /// Number of digits of this kind of id: 32 or 16.
        expected: usize,
    },
    /// All bits are zero, which OTLP defines as "no id".
    #[error("an id of zeros is not valid")]
    Zero,
}

/// A W3C trace id: 16 bytes, not all zero. PostgreSQL stores the same 128 bits as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The id from the wire, or `None` when it is not 16 bytes or all zero (OTLP: invalid).
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The id of a trace that another system names with a text.
    ///
    /// 32 hexadecimal digits, or a UUID with dashes, are read as those 128 bits. Any other text becomes its version-5 UUID
    /// in [`FOREIGN_TRACE_NAMESPACE`], so the same name is the same trace everywhere.
    pub fn from_foreign(name: &str) -> Self {
        Uuid::parse_str(name)
            .ok()
            .and_then(|uuid| Self::from_wire(uuid.as_bytes()))
            .unwrap_or_else(|| Self(*Uuid::new_v5(&FOREIGN_TRACE_NAMESPACE, name.as_bytes()).as_bytes()))
    }

    /// The id with the same 128 bits as the UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(*uuid.as_bytes())
    }

    /// The UUID with the same 128 bits as the id.
    pub const fn uuid(&self) -> Uuid {
        Uuid::from_bytes(self.0)
    }

    /// The bytes, as on the wire.
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

    /// The bytes, as on the wire.
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

/// A row of `projects`: the unit of isolation. Every row of telemetry belongs to one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(pub i32);

impl ProjectId {
    /// The project named `default`, which the first migration creates.
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
    /// Id of a resource: the hash of its canonical content.
    ResourceId,
    /// Id of an instrumentation scope: the hash of its canonical content.
    ScopeId,
    /// Id of a metric definition: the hash of its canonical content.
    MetricId,
    /// Id of a series (definition, resource, scope, attributes): the hash of its canonical content.
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
    fn ids_of_the_wrong_shape_are_errors() {
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
