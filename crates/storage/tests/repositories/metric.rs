//! Metric definitions, series and data points.

use llm_observatory_core::ids::{MetricId, ProjectId, SeriesId};
use llm_observatory_core::metric::MetricKind;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::MetricRepository;
use llm_observatory_storage::models::metric::PointValue;
use llm_observatory_storage::models::{DataPointRow, MetricRow, ResourceRow, SeriesRow};
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::repositories::metric::{MetricFilter, PointFilter};
use llm_observatory_storage::writers::MetricBatch;
use uuid::Uuid;

use super::{NEXT_DAY, OTHER, after_midnight, database, pages, range, store_metrics};
use crate::plans::{Reads, reads};
use crate::rows::{self, MIDNIGHT};

fn metric(id: u128, name: &str) -> MetricRow {
    MetricRow { name: name.into(), ..rows::metric(id, MetricKind::Sum) }
}

fn metric_id(id: u128) -> MetricId {
    MetricId(Uuid::from_u128(id))
}

fn series_id(id: u128) -> SeriesId {
    SeriesId(Uuid::from_u128(id))
}

/// A series of a metric and a service.
fn series(id: u128, metric: u128, service: &str) -> SeriesRow {
    SeriesRow {
        resource_id: ResourceRow::of_service(ProjectId::DEFAULT, service).id,
        ..rows::series(id, metric)
    }
}

fn point(series: u128, nanos: i64, value: i64) -> DataPointRow {
    rows::point(series, after_midnight(nanos), PointValue::Int(value))
}

fn values<'p>(points: impl IntoIterator<Item = &'p DataPointRow>) -> Vec<i64> {
    let value = |point: &DataPointRow| match point.value {
        PointValue::Int(value) => value,
        _ => panic!("an integer"),
    };
    points.into_iter().map(value).collect()
}

fn metric_ids<'m>(metrics: impl IntoIterator<Item = &'m MetricRow>) -> Vec<u128> {
    metrics.into_iter().map(|metric| metric.id.0.as_u128()).collect()
}

fn series_ids<'s>(series: impl IntoIterator<Item = &'s SeriesRow>) -> Vec<u128> {
    series.into_iter().map(|series| series.id.0.as_u128()).collect()
}

/// Four definitions of two services. Two definitions have the same name, and one has no series. Points of both days,
/// some with equal times. The other project has the same ids with other content.
async fn store_mixed(writer: &WriterConnection) {
    let restarted = DataPointRow { start_time: UnixNanos(5_000), ..point(11, 0, 5) };
    let batch = MetricBatch {
        resources: ["api", "web"].map(|service| ResourceRow::of_service(ProjectId::DEFAULT, service)).into(),
        metrics: vec![
            metric(1, "requests"),
            metric(2, "latency"),
            metric(3, "requests"),
            metric(4, "unused"),
        ],
        series: vec![
            series(11, 1, "api"),
            series(12, 1, "web"),
            series(13, 1, "api"),
            series(21, 2, "web"),
            series(31, 3, "api"),
        ],
        points: vec![
            point(11, -2_000, 1),
            point(11, -1, 2),
            point(11, 0, 3),
            point(12, 0, 4),
            restarted,
            point(21, 1, 6),
            point(31, 1_001, 7),
        ],
        ..MetricBatch::default()
    };
    let theirs = MetricBatch {
        resources: vec![ResourceRow::of_service(OTHER, "api")],
        metrics: vec![MetricRow { project_id: OTHER, ..metric(1, "secret") }],
        series: vec![
            SeriesRow { project_id: OTHER, ..series(11, 1, "api") },
            SeriesRow { project_id: OTHER, ..series(99, 1, "api") },
        ],
        points: vec![DataPointRow { project_id: OTHER, ..point(11, 9_000, 99) }],
        ..MetricBatch::default()
    };
    for batch in [batch.clone(), theirs, batch] {
        store_metrics(writer, batch).await; // the last one is a retry
    }
}

#[tokio::test]
async fn definitions_are_listed_by_name_in_pages_of_any_size() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let metrics = MetricRepository::new(database.pool().await);
    for limit in 1..=4 {
        let read = async |after| {
            metrics.list(MetricFilter { after, limit, ..MetricFilter::default() }).await.unwrap()
        };
        let found = pages(read).await;
        assert_eq!(metric_ids(found.iter().flatten()), [2, 1, 3, 4], "pages of {limit}");
    }
    let all = MetricFilter::default;
    assert_eq!(metric_ids(&metrics.by_service("api", all()).await.unwrap().items), [1, 3]);
    assert_eq!(metric_ids(&metrics.by_service("web", all()).await.unwrap().items), [2, 1]);
    assert_eq!(metric_ids(&metrics.by_service("cron", all()).await.unwrap().items), Vec::<u128>::new());
    let named = MetricFilter { name: Some("requests".into()), limit: 1, ..all() };
    let read =
        async |after| metrics.by_service("api", MetricFilter { after, ..named.clone() }).await.unwrap();
    assert_eq!(pages(read).await.iter().map(metric_ids).collect::<Vec<_>>(), [[1], [3]]);
    assert_eq!(metric_ids(&metrics.of(OTHER).list(all()).await.unwrap().items), [1]);
}

#[tokio::test]
async fn a_definition_is_found_with_its_series() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let metrics = MetricRepository::new(database.pool().await);
    assert_eq!(metrics.get(metric_id(1)).await.unwrap(), Some(metric(1, "requests")));
    assert_eq!(metrics.get(metric_id(9)).await.unwrap(), None);
    let read = async |after| metrics.series(metric_id(1), after, 2).await.unwrap();
    assert_eq!(pages(read).await.iter().map(series_ids).collect::<Vec<_>>(), [vec![11, 12], vec![13]]);
    assert_eq!(metrics.series(metric_id(4), None, 10).await.unwrap().items, []);
    let of_web = metrics.series(metric_id(2), None, 10).await.unwrap().items;
    assert_eq!(of_web.iter().map(|found| (found.id, found.resource_id)).collect::<Vec<_>>(), {
        let sent = series(21, 2, "web");
        [(sent.id, sent.resource_id)]
    });

    let others = metrics.of(OTHER);
    assert_eq!(others.get(metric_id(1)).await.unwrap().unwrap().name, "secret".into());
    assert_eq!(others.get(metric_id(2)).await.unwrap(), None);
    assert_eq!(series_ids(&others.series(metric_id(1), None, 10).await.unwrap().items), [11, 99]);
}

#[tokio::test]
async fn points_are_listed_newest_first_in_pages_of_any_size() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let metrics = MetricRepository::new(database.pool().await);
    let all = PointFilter::default;
    // Of points with equal times the higher series comes first, then the later start.
    for limit in 1..=7 {
        let read = async |after| metrics.points(PointFilter { after, limit, ..all() }).await.unwrap();
        assert_eq!(values(pages(read).await.iter().flatten()), [7, 6, 4, 5, 3, 2, 1], "pages of {limit}");
    }
    let read = async |after| {
        let of_series = PointFilter { series: Some(series_id(11)), after, limit: 2, ..all() };
        metrics.points(of_series).await.unwrap()
    };
    assert_eq!(pages(read).await.iter().map(values).collect::<Vec<_>>(), [[5, 3], [2, 1]]);
    let named = PointFilter {
        name: Some("requests".into()),
        service: Some("api".into()),
        range: range(-1, 2_000),
        ..all()
    };
    assert_eq!(values(&metrics.points(named).await.unwrap().items), [7, 5, 3, 2]);
}

#[tokio::test]
async fn the_newest_point_of_a_series_is_found() {
    let (database, writer) = database().await;
    store_mixed(&writer).await;
    let metrics = MetricRepository::new(database.pool().await);
    let latest = async |metrics: &MetricRepository, id| {
        metrics.latest(series_id(id)).await.unwrap().map(|point| values([&point])[0])
    };
    assert_eq!(
        latest(&metrics, 11).await,
        Some(5),
        "of two points with the same time the one with the later start"
    );
    assert_eq!(latest(&metrics, 31).await, Some(7));
    assert_eq!(latest(&metrics, 13).await, None, "a series without points");
    assert_eq!(latest(&metrics, 99).await, None);
    let others = metrics.of(OTHER);
    assert_eq!(latest(&others, 11).await, Some(99));
    assert_eq!(latest(&others, 31).await, None);
}

#[tokio::test]
async fn a_definition_its_series_and_its_newest_point_are_looked_up_by_key() {
    let (database, writer) = database().await;
    let start = |n: i64| if n % 2 == 0 { MIDNIGHT } else { NEXT_DAY };
    let points = (0..5_000_i64).map(|n| {
        let time = UnixNanos(start(n).0 + n as u64 * 1_000);
        rows::point(n as u128 % 10, time, PointValue::Int(n))
    });
    let batch = MetricBatch {
        metrics: (0..1_000).map(|id| metric(id, &id.to_string())).collect(),
        series: (0..1_000).map(|id| series(id, id / 4, "api")).collect(),
        points: points.collect(),
        ..MetricBatch::default()
    };
    store_metrics(&writer, batch).await;
    drop(writer);
    let client = database.client().await;

    let get = async |pool| MetricRepository::new(pool).get(metric_id(7)).await.unwrap().is_some();
    assert_eq!(reads(&database, &client, "metrics", get).await, (true, Reads { seq_scans: 0, rows: 1 }));
    let get =
        async |pool| MetricRepository::new(pool).series(metric_id(7), None, 100).await.unwrap().items.len();
    assert_eq!(reads(&database, &client, "metric_series", get).await, (4, Reads { seq_scans: 0, rows: 4 }));

    let get = async |pool| values(&MetricRepository::new(pool).latest(series_id(7)).await.unwrap())[0];
    let (newest, reads) = reads(&database, &client, "metric_data_points", get).await;
    assert_eq!(newest, 4_997);
    // The newest point, and one more to rule out another point of the same microsecond.
    assert!(reads.seq_scans == 0 && reads.rows <= 2, "{reads:?}");
}
