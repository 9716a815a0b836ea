//! `metrics`, `metric_series` and `metric_data_points`.

use bytes::Bytes;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::metric::{Buckets, PointValue};
use llm_observatory_storage::models::trace::Nested;
use llm_observatory_storage::models::{DataPointRow, MetricRow, Row as _};
use llm_observatory_storage::writers::MetricBatch;
use serde_json::{Value as Json, json};

use super::{Everything, assert_stored};
use crate::rows::{self, MIDNIGHT};

#[tokio::test]
async fn metrics_and_series() {
    let metric = MetricRow {
        temporality: Temporality(i32::MAX),
        is_monotonic: true,
        description: "how many".into(),
        metadata: Attributes::new(&[Attribute::new("k", true)]),
        ..rows::metric(1, MetricKind::ExponentialHistogram)
    };
    let batch = || MetricBatch {
        metrics: vec![metric.clone()],
        series: vec![rows::series(2, 1)],
        points: vec![rows::point(2, MIDNIGHT, PointValue::None)],
        ..MetricBatch::default()
    };
    let rows = || Everything { metrics: batch(), ..Everything::default() };
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000001", "project_id": 1, "kind": 4, "temporality": i32::MAX,
        "is_monotonic": true, "name": "requests", "unit": "1", "description": "how many", "metadata": {"k": true},
        "metadata_layout": null,
    });
    assert_stored(rows(), "metrics", &[expected]).await;
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000002", "project_id": 1,
        "metric_id": "00000000-0000-0000-0000-000000000001",
        "resource_id": "00000000-0000-0000-0000-00000000000a", "scope_id": "00000000-0000-0000-0000-00000000000b",
        "attributes": {"route": "/chat"}, "attributes_layout": null,
    });
    assert_stored(rows(), "metric_series", &[expected]).await;
}

/// A stored point with the `filled` columns; all other nullable columns are NULL.
fn point_as_stored(series: &str, filled: Json) -> Json {
    let mut row = json!({
        "time": "2026-01-01T23:59:59.999999+00:00", "time_nanos": 999,
        "start_time": "1970-01-01T00:00:00+00:00", "start_nanos": 0, "project_id": 1,
        "series_id": format!("00000000-0000-0000-0000-0000000000{series}"),
    });
    let columns = row.as_object_mut().unwrap();
    for nullable in DataPointRow::TABLE.columns {
        columns.entry(*nullable).or_insert(Json::Null);
    }
    columns.extend(filled.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn data_points() {
    let histogram = PointValue::Histogram {
        count: u64::MAX,
        sum: Some(f64::NAN),
        min: Some(f64::NEG_INFINITY),
        max: Some(f64::MAX),
        bucket_counts: vec![0, u64::MAX, 1 << 63],
        explicit_bounds: vec![-0.5, f64::INFINITY],
    };
    let exponential = PointValue::Exponential {
        count: 1,
        sum: None,
        min: None,
        max: None,
        scale: i32::MIN,
        zero_count: u64::MAX,
        zero_threshold: 0.25,
        positive: Some(Buckets { offset: -3, counts: vec![1, 2] }),
        negative: Some(Buckets { offset: 0, counts: Vec::new() }),
    };
    let empty = PointValue::Histogram {
        count: 0,
        sum: None,
        min: None,
        max: None,
        bucket_counts: Vec::new(),
        explicit_bounds: Vec::new(),
    };
    let summary = PointValue::Summary { count: 2, sum: 3.5, quantiles: vec![(0.5, 1.0), (1.0, f64::NAN)] };
    let mut stale = rows::point(0x60, MIDNIGHT, PointValue::None);
    stale.flags = u32::MAX;
    stale.exemplars = Some(Nested { json: Bytes::from_static(b"[]"), otlp: Bytes::from_static(b"\x2a\x00") });
    let points = vec![
        rows::point(0x10, MIDNIGHT, PointValue::Double(5e-324)),
        rows::point(0x20, MIDNIGHT, PointValue::Int(i64::MIN)),
        rows::point(0x30, MIDNIGHT, histogram),
        rows::point(0x31, MIDNIGHT, empty),
        rows::point(0x40, MIDNIGHT, exponential),
        rows::point(0x50, MIDNIGHT, summary),
        stale,
    ];
    let expected = [
        point_as_stored("10", json!({"value_double": 5e-324})),
        point_as_stored("20", json!({"value_int": i64::MIN})),
        point_as_stored(
            "30",
            json!({
                "count": -1, "sum": "NaN", "min": "-Infinity", "max": f64::MAX,
                "bucket_counts": [0, -1, i64::MIN], "explicit_bounds": [-0.5, "Infinity"],
            }),
        ),
        point_as_stored("31", json!({"count": 0, "bucket_counts": [], "explicit_bounds": []})),
        point_as_stored(
            "40",
            json!({
                "count": 1, "scale": i32::MIN, "zero_count": -1, "zero_threshold": 0.25,
                "positive_offset": -3, "positive_counts": [1, 2], "negative_offset": 0, "negative_counts": [],
            }),
        ),
        point_as_stored(
            "50",
            json!({"count": 2, "sum": 3.5, "quantiles": [0.5, 1], "quantile_values": [1, "NaN"]}),
        ),
        point_as_stored("60", json!({"flags": -1, "exemplars": [], "exemplars_otlp": "\\x2a00"})),
    ];
    let rows =
        Everything { metrics: MetricBatch { points, ..MetricBatch::default() }, ..Everything::default() };
    assert_stored(rows, "metric_data_points", &expected).await;
}
