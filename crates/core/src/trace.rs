//! The enumerations of a span. OTLP's enums are open: a number that is not known here is kept.

/// OTLP `Span.SpanKind`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SpanKind(pub i32);

impl SpanKind {
    /// Not told; may be read as internal.
    pub const UNSPECIFIED: Self = Self(0);
    /// Within an application.
    pub const INTERNAL: Self = Self(1);
    /// The server side of a call.
    pub const SERVER: Self = Self(2);
    /// The client side of a call.
    pub const CLIENT: Self = Self(3);
    /// The sender of a message.
    pub const PRODUCER: Self = Self(4);
    /// The receiver of a message.
    pub const CONSUMER: Self = Self(5);
}

/// OTLP `Status.StatusCode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct StatusCode(pub i32);

impl StatusCode {
    /// Not told.
    pub const UNSET: Self = Self(0);
    /// Explicitly successful.
    pub const OK: Self = Self(1);
    /// Failed.
    pub const ERROR: Self = Self(2);
}
