//! One form for what was sent and for what comes back, so that equal telemetry compares as equal.
//!
//! A request becomes a sorted list of texts, one for each span, data point or record, that tells every field of it and of
//! the resource, scope and metric that it belongs to. These differences are not seen, and no others:
//!
//! * how items are grouped: items of equal resource and scope may come back together, and in another order;
//! * an absent resource or scope is an empty one, and an absent attribute value is an empty one;
//! * NUL in names and other texts, which PostgreSQL's `text` can't hold, is U+FFFD. Keys and values of attributes and bodies
//!   of log records are exact;
//! * the order of different keys among the attributes of resources, scopes, metrics and data points, which name a set. In spans,
//!   events, links, exemplars and records the order counts;
//! * the payload bits of a NaN.

use std::fmt::Debug;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

/// Every span, with all that it belongs to.
pub fn spans(resources: &[ResourceSpans]) -> Vec<String> {
    let mut items = Vec::new();
    for resource in resources {
        for scope in &resource.scope_spans {
            let origin =
                Origin::of(&resource.resource, &resource.schema_url, &scope.scope, &scope.schema_url);
            for span in &scope.spans {
                let mut span = span.clone();
                mend(&mut span.name);
                mend(&mut span.trace_state);
                span.status.iter_mut().for_each(|status| mend(&mut status.message));
                fill(&mut span.attributes);
                for event in &mut span.events {
                    mend(&mut event.name);
                    fill(&mut event.attributes);
                }
                for link in &mut span.links {
                    mend(&mut link.trace_state);
                    fill(&mut link.attributes);
                }
                items.push(tell(&(&origin, span)));
            }
        }
    }
    items.sort_unstable();
    items
}

/// Every log record, with all that it belongs to.
pub fn records(resources: &[ResourceLogs]) -> Vec<String> {
    let mut items = Vec::new();
    for resource in resources {
        for scope in &resource.scope_logs {
            let origin =
                Origin::of(&resource.resource, &resource.schema_url, &scope.scope, &scope.schema_url);
            for record in &scope.log_records {
                let mut record = record.clone();
                mend(&mut record.severity_text);
                mend(&mut record.event_name);
                fill(&mut record.attributes);
                record.body.iter_mut().for_each(fill_value);
                items.push(tell(&(&origin, record)));
            }
        }
    }
    items.sort_unstable();
    items
}

/// Every data point, with all that it belongs to. A metric without points tells nothing.
pub fn points(resources: &[ResourceMetrics]) -> Vec<String> {
    let mut items = Vec::new();
    for resource in resources {
        for scope in &resource.scope_metrics {
            let origin =
                Origin::of(&resource.resource, &resource.schema_url, &scope.scope, &scope.schema_url);
            for metric in &scope.metrics {
                items
                    .extend(points_of(metric).into_iter().map(|point| format!("{}\n{point}", tell(&origin))));
            }
        }
    }
    items.sort_unstable();
    items
}

/// The definition of a metric without its points, and of the attributes only what identifies it.
pub fn definition(metric: &Metric) -> Metric {
    let mut definition = metric.clone();
    mend(&mut definition.name);
    mend(&mut definition.description);
    mend(&mut definition.unit);
    definition.metadata = sorted(&definition.metadata);
    match &mut definition.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.clear(),
        Some(Data::Sum(sum)) => sum.data_points.clear(),
        Some(Data::Histogram(histogram)) => histogram.data_points.clear(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.clear(),
        Some(Data::Summary(summary)) => summary.data_points.clear(),
        None => {}
    }
    definition
}

/// The attributes by key, as those of a set; equal keys keep their order.
pub fn sorted(attributes: &[KeyValue]) -> Vec<KeyValue> {
    let mut attributes = attributes.to_vec();
    fill(&mut attributes);
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    attributes
}

/// Where an item comes from.
#[derive(Debug)]
#[expect(dead_code, reason = "it is read by printing it")]
struct Origin {
    resource: Resource,
    resource_schema_url: String,
    scope: InstrumentationScope,
    scope_schema_url: String,
}

impl Origin {
    fn of(
        resource: &Option<Resource>,
        resource_schema_url: &str,
        scope: &Option<InstrumentationScope>,
        scope_schema_url: &str,
    ) -> Self {
        let mut resource = resource.clone().unwrap_or_default();
        resource.attributes = sorted(&resource.attributes);
        for entity in &mut resource.entity_refs {
            let keys = entity.id_keys.iter_mut().chain(&mut entity.description_keys);
            [&mut entity.schema_url, &mut entity.r#type].into_iter().chain(keys).for_each(mend);
        }
        let mut scope = scope.clone().unwrap_or_default();
        scope.attributes = sorted(&scope.attributes);
        mend(&mut scope.name);
        mend(&mut scope.version);
        let (mut resource_schema_url, mut scope_schema_url) =
            (resource_schema_url.to_owned(), scope_schema_url.to_owned());
        mend(&mut resource_schema_url);
        mend(&mut scope_schema_url);
        Self { resource, resource_schema_url, scope, scope_schema_url }
    }
}

fn points_of(metric: &Metric) -> Vec<String> {
    let definition = definition(metric);
    macro_rules! points {
        ($points:expr) => {
            points!($points, |_: &mut _| ())
        };
        ($points:expr, $more:expr) => {
            $points
                .iter()
                .cloned()
                .map(|mut point| {
                    point.attributes = sorted(&point.attributes);
                    $more(&mut point);
                    tell(&(&definition, point))
                })
                .collect()
        };
    }
    match &metric.data {
        Some(Data::Gauge(gauge)) => {
            points!(gauge.data_points, |point: &mut NumberDataPoint| exemplars(&mut point.exemplars))
        }
        Some(Data::Sum(sum)) => {
            points!(sum.data_points, |point: &mut NumberDataPoint| exemplars(&mut point.exemplars))
        }
        Some(Data::Histogram(data)) => {
            points!(data.data_points, |point: &mut HistogramDataPoint| exemplars(&mut point.exemplars))
        }
        Some(Data::ExponentialHistogram(data)) => {
            points!(data.data_points, |point: &mut ExponentialHistogramDataPoint| {
                exemplars(&mut point.exemplars)
            })
        }
        Some(Data::Summary(data)) => points!(data.data_points),
        None => Vec::new(),
    }
}

fn exemplars(exemplars: &mut [Exemplar]) {
    exemplars.iter_mut().for_each(|exemplar| fill(&mut exemplar.filtered_attributes));
}

fn mend(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

fn fill(attributes: &mut [KeyValue]) {
    attributes.iter_mut().for_each(|attribute| fill_value(attribute.value.get_or_insert_default()));
}

fn fill_value(value: &mut AnyValue) {
    match &mut value.value {
        Some(Value::ArrayValue(list)) => list.values.iter_mut().for_each(fill_value),
        Some(Value::KvlistValue(list)) => fill(&mut list.values),
        _ => {}
    }
}

/// `Debug` writes every field and the sign of a zero, and as a text NaN equals itself.
fn tell(item: &impl Debug) -> String {
    format!("{item:#?}")
}
