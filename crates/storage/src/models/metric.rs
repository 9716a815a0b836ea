//! Rows of `metrics`, `metric_series` and `metric_data_points`.

mod point;

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{MetricId, ProjectId, ResourceId, ScopeId, SeriesId};
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_core::text::Text;

use super::attributes::{Attributes, Inconsistent, canonical};
use super::column::{Bool, ByteaOrNull, Id, Int2, Int4, Jsonb, Varchar};
use super::resource::content_id;
use super::row::row;

pub use point::{Buckets, DataPointRow, PointKey, PointValue};

/// A row of `metrics`: one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// Hash of the canonical content.
    pub id: MetricId,
    /// Project of the metric.
    pub project_id: ProjectId,
    /// Kind of data of the points.
    pub kind: MetricKind,
    /// Delta or cumulative; unspecified for gauges and summaries.
    pub temporality: Temporality,
    /// Whether a sum only grows; false for other kinds.
    pub is_monotonic: bool,
    /// Name of the metric.
    pub name: Text,
    /// Unit of the values, or empty.
    pub unit: Text,
    /// Description of the metric.
    pub description: Text,
    /// OTLP metadata.
    pub metadata: Attributes,
}

impl MetricRow {
    /// Sets the id to the hash of the other fields.
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

row! {
    MetricRow, "metrics", |metric|
    [
        id: Id = metric.id.0,
        project_id: Int4 = metric.project_id.0,
        kind: Int2 = metric.kind.column(),
        temporality: Int4 = metric.temporality.0,
        is_monotonic: Bool = metric.is_monotonic,
        name: Varchar = &metric.name,
        unit: Varchar = &metric.unit,
        description: Varchar = &metric.description,
        metadata: Jsonb = &metric.metadata.json,
        metadata_layout: ByteaOrNull = &metric.metadata.layout,
    ]
    read Ok(Self {
        id: MetricId(id),
        project_id: ProjectId(project_id),
        kind: MetricKind::from_column(kind).ok_or(Inconsistent::Column("kind"))?,
        temporality: Temporality(temporality),
        is_monotonic,
        name,
        unit,
        description,
        metadata: Attributes { json: metadata, layout: metadata_layout },
    })
}

/// A row of `metric_series`: one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRow {
    /// Hash of the canonical content.
    pub id: SeriesId,
    /// Project of the series.
    pub project_id: ProjectId,
    /// Definition of the metric.
    pub metric_id: MetricId,
    /// Resource of the series.
    pub resource_id: ResourceId,
    /// Instrumentation scope of the series.
    pub scope_id: ScopeId,
    /// Attributes of every point of the series.
    pub attributes: Attributes,
}

impl SeriesRow {
    /// The series of `metric` with this resource, scope and attributes.
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
            attributes: Attributes::jsonb(attributes),
        }
    }

    /// The id of the series with this content, without its row.
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

row! {
    SeriesRow, "metric_series", |series|
    [
        id: Id = series.id.0,
        project_id: Int4 = series.project_id.0,
        metric_id: Id = series.metric_id.0,
        resource_id: Id = series.resource_id.0,
        scope_id: Id = series.scope_id.0,
        attributes: Jsonb = &series.attributes.json,
        attributes_layout: ByteaOrNull = &series.attributes.layout,
    ]
    read Ok(Self {
        id: SeriesId(id),
        project_id: ProjectId(project_id),
        metric_id: MetricId(metric_id),
        resource_id: ResourceId(resource_id),
        scope_id: ScopeId(scope_id),
        attributes: Attributes { json: attributes, layout: attributes_layout },
    })
}
