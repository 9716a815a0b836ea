//! Rows of `metrics`, `metric_series` and `metric_data_points`.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{MetricId, ProjectId, ResourceId, ScopeId, SeriesId};
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

use super::attributes::{Attributes, canonical};
use super::resource::content_id;
use super::row::{Row, RowEncoder, Table};
use super::trace::Nested;

/// A row of `metrics`: one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// Hash of the canonical content.
    pub id: MetricId,
    /// The project.
    pub project_id: ProjectId,
    /// Which kind of data it carries.
    pub kind: MetricKind,
    /// Delta or cumulative; unspecified for gauges and summaries.
    pub temporality: Temporality,
    /// Whether a sum only grows.
    pub is_monotonic: bool,
    /// Name of the metric.
    pub name: Text,
    /// Its unit.
    pub unit: Text,
    /// What it measures.
    pub description: Text,
    /// OTLP metadata.
    pub metadata: Attributes,
}

impl MetricRow {
    /// This definition with the id that its content gives it.
    pub fn identified(mut self) -> Self {
        self.id = MetricId(content_id(&[
            b"metric",
            self.name.as_bytes(),
            self.unit.as_bytes(),
            self.description.as_bytes(),
            &self.kind.column().to_le_bytes(),
            &self.temporality.0.to_le_bytes(),
            &[u8::from(self.is_monotonic)],
            &self.metadata.json,
            &self.metadata.layout,
        ]));
        self
    }
}

impl Row for MetricRow {
    const TABLE: Table = Table {
        name: "metrics",
        columns: &[
            "id",
            "project_id",
            "kind",
            "temporality",
            "is_monotonic",
            "name",
            "unit",
            "description",
            "metadata",
            "metadata_layout",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        to.uuid(self.id.0);
        to.i32(self.project_id.0);
        to.i16(self.kind.column());
        to.i32(self.temporality.0);
        to.bool(self.is_monotonic);
        to.text(self.name.as_bytes());
        to.text(self.unit.as_bytes());
        to.text(self.description.as_bytes());
        to.attributes(&self.metadata);
    }
}

/// A row of `metric_series`: one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRow {
    /// Hash of the canonical content.
    pub id: SeriesId,
    /// The project.
    pub project_id: ProjectId,
    /// The definition.
    pub metric_id: MetricId,
    /// Where it comes from.
    pub resource_id: ResourceId,
    /// The library that measures.
    pub scope_id: ScopeId,
    /// Attributes of every point of the stream.
    pub attributes: Attributes,
}

impl SeriesRow {
    /// The stream of these attributes, of this metric, from this place.
    pub fn new(
        metric: &MetricRow,
        resource_id: ResourceId,
        scope_id: ScopeId,
        attributes: &[Attribute<'_>],
    ) -> Self {
        Self {
            id: Self::identity(metric.id, resource_id, scope_id, attributes),
            project_id: metric.project_id,
            metric_id: metric.id,
            resource_id,
            scope_id,
            attributes: Attributes::new(attributes),
        }
    }

    /// The id of that stream, without making the row.
    pub fn identity(
        metric_id: MetricId,
        resource_id: ResourceId,
        scope_id: ScopeId,
        attributes: &[Attribute<'_>],
    ) -> SeriesId {
        SeriesId(content_id(&[
            b"series",
            metric_id.0.as_bytes(),
            resource_id.0.as_bytes(),
            scope_id.0.as_bytes(),
            &canonical(attributes),
        ]))
    }
}

impl Row for SeriesRow {
    const TABLE: Table = Table {
        name: "metric_series",
        columns: &[
            "id",
            "project_id",
            "metric_id",
            "resource_id",
            "scope_id",
            "attributes",
            "attributes_layout",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        to.uuid(self.id.0);
        to.i32(self.project_id.0);
        to.uuid(self.metric_id.0);
        to.uuid(self.resource_id.0);
        to.uuid(self.scope_id.0);
        to.attributes(&self.attributes);
    }
}

/// A row of `metric_data_points`.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPointRow {
    /// The project.
    pub project_id: ProjectId,
    /// The stream.
    pub series_id: SeriesId,
    /// From when on it counts; may be unknown.
    pub start_time: UnixNanos,
    /// When it was measured.
    pub time: UnixNanos,
    /// OTLP flags.
    pub flags: u32,
    /// What was measured.
    pub value: PointValue,
    /// Exemplars, if any.
    pub exemplars: Option<Nested>,
}

/// What was measured; which variant fits follows from the kind of the metric.
#[derive(Debug, Clone, PartialEq)]
pub enum PointValue {
    /// Gauge or sum without a value: the stream went stale.
    None,
    /// Gauge or sum, a double.
    Double(f64),
    /// Gauge or sum, an integer.
    Int(i64),
    /// Counts in buckets with explicit bounds.
    Histogram {
        /// Number of values.
        count: u64,
        /// Sum of the values.
        sum: Option<f64>,
        /// Smallest value.
        min: Option<f64>,
        /// Largest value.
        max: Option<f64>,
        /// Count of each bucket.
        bucket_counts: Vec<u64>,
        /// Upper bound of each bucket but the last.
        explicit_bounds: Vec<f64>,
    },
    /// Counts in buckets with exponential bounds.
    Exponential {
        /// Number of values.
        count: u64,
        /// Sum of the values.
        sum: Option<f64>,
        /// Smallest value.
        min: Option<f64>,
        /// Largest value.
        max: Option<f64>,
        /// The base is 2^(2^-scale).
        scale: i32,
        /// Number of values that count as zero.
        zero_count: u64,
        /// Up to where a value counts as zero.
        zero_threshold: f64,
        /// Buckets of positive values.
        positive: Option<Buckets>,
        /// Buckets of negative values.
        negative: Option<Buckets>,
    },
    /// Quantiles computed by the client.
    Summary {
        /// Number of values.
        count: u64,
        /// Sum of the values.
        sum: f64,
        /// Pairs of quantile (0 to 1) and value.
        quantiles: Vec<(f64, f64)>,
    },
}

/// Exponential buckets from an index on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// Index of the first bucket.
    pub offset: i32,
    /// Count of each bucket.
    pub counts: Vec<u64>,
}

impl PointValue {
    /// Bytes that its lists take.
    pub fn list_bytes(&self) -> usize {
        let buckets = |buckets: &Option<Buckets>| buckets.as_ref().map_or(0, |buckets| buckets.counts.len());
        let numbers = match self {
            Self::None | Self::Double(_) | Self::Int(_) => 0,
            Self::Histogram { bucket_counts, explicit_bounds, .. } => {
                bucket_counts.len() + explicit_bounds.len()
            }
            Self::Exponential { positive, negative, .. } => buckets(positive) + buckets(negative),
            Self::Summary { quantiles, .. } => 2 * quantiles.len(),
        };
        numbers * size_of::<u64>()
    }
}

/// What a point is known by, in the order of the unique key.
pub type PointKey = (SeriesId, UnixNanos, UnixNanos, ProjectId);

impl DataPointRow {
    /// The order of the unique key.
    pub fn key(&self) -> PointKey {
        (self.series_id, self.time, self.start_time, self.project_id)
    }
}

/// The columns of `PointValue`, side by side.
#[derive(Debug, Default)]
struct Columns<'a> {
    double: Option<f64>,
    int: Option<i64>,
    count: Option<u64>,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    zero_count: Option<u64>,
    zero_threshold: Option<f64>,
    scale: Option<i32>,
    positive: Option<&'a Buckets>,
    negative: Option<&'a Buckets>,
    bucket_counts: Option<&'a [u64]>,
    explicit_bounds: Option<&'a [f64]>,
    quantiles: Option<&'a [(f64, f64)]>,
}

impl<'a> From<&'a PointValue> for Columns<'a> {
    fn from(value: &'a PointValue) -> Self {
        match value {
            PointValue::None => Self::default(),
            PointValue::Double(value) => Self { double: Some(*value), ..Self::default() },
            PointValue::Int(value) => Self { int: Some(*value), ..Self::default() },
            PointValue::Histogram { count, sum, min, max, bucket_counts, explicit_bounds } => Self {
                count: Some(*count),
                sum: *sum,
                min: *min,
                max: *max,
                bucket_counts: Some(bucket_counts),
                explicit_bounds: Some(explicit_bounds),
                ..Self::default()
            },
            PointValue::Exponential {
                count,
                sum,
                min,
                max,
                scale,
                zero_count,
                zero_threshold,
                positive,
                negative,
            } => Self {
                count: Some(*count),
                sum: *sum,
                min: *min,
                max: *max,
                scale: Some(*scale),
                zero_count: Some(*zero_count),
                zero_threshold: Some(*zero_threshold),
                positive: positive.as_ref(),
                negative: negative.as_ref(),
                ..Self::default()
            },
            PointValue::Summary { count, sum, quantiles } => {
                Self { count: Some(*count), sum: Some(*sum), quantiles: Some(quantiles), ..Self::default() }
            }
        }
    }
}

impl Row for DataPointRow {
    const TABLE: Table = Table {
        name: "metric_data_points",
        columns: &[
            "time",
            "start_time",
            "value_double",
            "value_int",
            "count",
            "sum",
            "min",
            "max",
            "zero_count",
            "zero_threshold",
            "project_id",
            "flags",
            "scale",
            "positive_offset",
            "negative_offset",
            "time_nanos",
            "start_nanos",
            "series_id",
            "bucket_counts",
            "explicit_bounds",
            "positive_counts",
            "negative_counts",
            "quantiles",
            "quantile_values",
            "exemplars",
            "exemplars_otlp",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        let columns = Columns::from(&self.value);
        to.time(self.time);
        to.time(self.start_time);
        to.nullable(columns.double, RowEncoder::f64);
        to.nullable(columns.int, RowEncoder::i64);
        to.nullable(columns.count.map(u64::cast_signed), RowEncoder::i64);
        to.nullable(columns.sum, RowEncoder::f64);
        to.nullable(columns.min, RowEncoder::f64);
        to.nullable(columns.max, RowEncoder::f64);
        to.nullable(columns.zero_count.map(u64::cast_signed), RowEncoder::i64);
        to.nullable(columns.zero_threshold, RowEncoder::f64);
        to.i32(self.project_id.0);
        to.count32(self.flags);
        to.nullable(columns.scale, RowEncoder::i32);
        to.nullable(columns.positive.map(|buckets| buckets.offset), RowEncoder::i32);
        to.nullable(columns.negative.map(|buckets| buckets.offset), RowEncoder::i32);
        to.i16(self.time.sub_micros());
        to.i16(self.start_time.sub_micros());
        to.uuid(self.series_id.0);
        to.nullable(columns.bucket_counts, RowEncoder::u64_array);
        to.nullable(columns.explicit_bounds, RowEncoder::f64_array);
        to.nullable(columns.positive.map(|buckets| &*buckets.counts), RowEncoder::u64_array);
        to.nullable(columns.negative.map(|buckets| &*buckets.counts), RowEncoder::u64_array);
        let quantiles = |pick: fn(&(f64, f64)) -> f64| {
            columns.quantiles.map(|pairs| pairs.iter().map(pick).collect::<Vec<_>>())
        };
        to.nullable(quantiles(|pair| pair.0), |to, values| to.f64_array(&values));
        to.nullable(quantiles(|pair| pair.1), |to, values| to.f64_array(&values));
        Nested::encode(self.exemplars.as_ref(), to);
    }
}
