//! The enumerations of a span. OTLP's enums are open: unknown numbers are kept.

/// OTLP `Span.SpanKind`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SpanKind(pub i32);

impl SpanKind {
    /// The span has no kind; OTLP lets readers treat it as internal.
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
    /// The status is not set.
    pub const UNSET: Self = Self(0);
    /// The operation succeeded, as the application says explicitly.
    pub const OK: Self = Self(1);
    /// The operation failed.
    pub const ERROR: Self = Self(2);
}
