//! The enumerations of a metric.

/// The kind of data that a metric carries, by OTLP's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum MetricKind {
    /// A sampled value.
    Gauge = 1,
    /// A sum, with temporality.
    Sum = 2,
    /// Counts in buckets with explicit bounds.
    Histogram = 3,
    /// Counts in buckets with exponential bounds.
    ExponentialHistogram = 4,
    /// Quantiles computed by the client (legacy).
    Summary = 5,
}

impl MetricKind {
    /// The kind with this number in the column `metrics.kind`; `None` for an unknown number.
    pub const fn from_column(number: i16) -> Option<Self> {
        match number {
            1 => Some(Self::Gauge),
            2 => Some(Self::Sum),
            3 => Some(Self::Histogram),
            4 => Some(Self::ExponentialHistogram),
            5 => Some(Self::Summary),
            _ => None,
        }
    }

    /// The number of the kind in the column `metrics.kind`.
    pub const fn column(self) -> i16 {
        self as i16
    }
}

/// OTLP `AggregationTemporality`. An open enum: unknown numbers are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Temporality(pub i32);

impl Temporality {
    /// No temporality. Gauges and summaries have this; OTLP forbids it for the other kinds.
    pub const UNSPECIFIED: Self = Self(0);
    /// Values since the last report.
    pub const DELTA: Self = Self(1);
    /// Values since a fixed start.
    pub const CUMULATIVE: Self = Self(2);
}

/// Bit 0 of the flags of a data point: the series went stale, and this point has no value.
pub const NO_RECORDED_VALUE: u32 = 1;
