//! The severity of a log record.

/// OTLP `SeverityNumber`: 1 to 24, four numbers each for TRACE, DEBUG, INFO, WARN, ERROR and FATAL; 0 for unspecified.
/// An open enum: other numbers are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(pub i32);

impl Severity {
    /// The record has no severity.
    pub const UNSPECIFIED: Self = Self(0);
    /// The lowest of the INFO numbers.
    pub const INFO: Self = Self(9);
    /// The lowest of the WARN numbers.
    pub const WARN: Self = Self(13);
    /// The lowest of the ERROR numbers.
    pub const ERROR: Self = Self(17);
    /// The lowest of the FATAL numbers.
    pub const FATAL: Self = Self(21);
}
