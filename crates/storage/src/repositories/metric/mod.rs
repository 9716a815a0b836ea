//! Reading metric definitions, series and data points.

mod described;

use llm_observatory_core::ids::{MetricId, SeriesId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::conditions::{Column, Conditions, Operator, PLACE, with_all};
use super::page::{DEFAULT_ROWS, Page, TimeRange, limits, timestamp};
use super::parameter::parameters;
use super::read::{Order, Reader};
use super::repository::repository;
use crate::error::Error;
use crate::models::row::Row as _;
use crate::models::{DataPointRow, MetricRow, SeriesRow};
use crate::statement::Statement;

pub use described::DescribedSeries;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] =
    &[&LIST, &LIST_NARROWED, &GET, &SERIES, &described::DESCRIBED, &POINTS, &POINTS_NARROWED, &LATEST];

static LIST: Statement = Statement::composed("metric: list", || {
    format!(
        "SELECT {} FROM metrics AS m WHERE project_id = $1 AND (name, id) > ($2, $3) {PLACE} ORDER BY name, id LIMIT $4",
        MetricRow::TABLE.select()
    )
});
/// The same with every condition, for the test that prepares all statements.
static LIST_NARROWED: Statement =
    Statement::composed("metric: list narrowed", || with_all::<MetricColumn>(LIST.sql(), 4));
static GET: Statement = Statement::composed("metric: get", || {
    format!("SELECT {} FROM metrics WHERE id = $1 AND project_id = $2", MetricRow::TABLE.select())
});
static SERIES: Statement = Statement::composed("metric: series", || {
    format!(
        "SELECT {} FROM metric_series \
         WHERE metric_id = $1 AND project_id = $2 AND id > $3 ORDER BY id LIMIT $4",
        SeriesRow::TABLE.select()
    )
});
/// The points of a time range.
static POINTS: Statement = Statement::composed("metric: points", || {
    format!(
        "SELECT {} FROM metric_data_points WHERE project_id = $1 AND time BETWEEN $2 AND $4 \
         AND (time, time_nanos) >= ($2, $3) \
         AND (time, time_nanos, series_id, start_time, start_nanos) < ($4, $5, $6, $7, $8) {PLACE} \
         ORDER BY time DESC, time_nanos DESC, series_id DESC, start_time DESC, start_nanos DESC LIMIT $9",
        DataPointRow::TABLE.select()
    )
});
/// The same with every condition, for the test that prepares all statements.
static POINTS_NARROWED: Statement =
    Statement::composed("metric: points narrowed", || with_all::<PointColumn>(POINTS.sql(), 9));
static LATEST: Statement = Statement::composed("metric: latest", || {
    format!(
        "SELECT {} FROM metric_data_points WHERE series_id = $1 AND project_id = $2 \
         ORDER BY time DESC, time_nanos DESC, start_time DESC, start_nanos DESC LIMIT 1",
        DataPointRow::TABLE.select()
    )
});

/// What definitions are narrowed by.
#[derive(Debug, Clone, Copy)]
enum MetricColumn {
    Name,
    Service,
}

impl Column for MetricColumn {
    const ALL: &'static [(Self, Operator)] = &[(Self::Name, Operator::Is), (Self::Service, Operator::Is)];

    fn text(self) -> &'static str {
        match self {
            Self::Name => "name {}",
            Self::Service => {
                "EXISTS (SELECT FROM metric_series AS s \
                 JOIN resources AS r ON r.id = s.resource_id AND r.project_id = s.project_id \
                 WHERE s.metric_id = m.id AND s.project_id = m.project_id AND r.service_name {})"
            }
        }
    }
}

/// What points are narrowed by. Those of a name or a service are found by their series, for there are few of those beside
/// the points.
#[derive(Debug, Clone, Copy)]
enum PointColumn {
    Series,
    Name,
    Service,
}

impl Column for PointColumn {
    const ALL: &'static [(Self, Operator)] =
        &[(Self::Series, Operator::Is), (Self::Name, Operator::Is), (Self::Service, Operator::Is)];

    fn text(self) -> &'static str {
        match self {
            Self::Series => "series_id {}",
            Self::Name => {
                "series_id IN (SELECT s.id FROM metrics AS m \
                 JOIN metric_series AS s ON s.metric_id = m.id AND s.project_id = m.project_id \
                 WHERE m.project_id = $1 AND m.name {})"
            }
            Self::Service => {
                "series_id IN (SELECT s.id FROM resources AS r \
                 JOIN metric_series AS s ON s.resource_id = r.id AND s.project_id = r.project_id \
                 WHERE r.project_id = $1 AND r.service_name {})"
            }
        }
    }
}

/// Reads metric definitions, series and data points.
#[derive(Debug, Clone)]
pub struct MetricRepository {
    reader: Reader,
}

repository!(MetricRepository);

/// Which definitions are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricFilter {
    /// Those of this name.
    pub name: Option<Text>,
    /// Those that this service has sent.
    pub service: Option<Text>,
    /// Those that come after, in the order of the list.
    pub after: Option<MetricCursor>,
    /// At most so many.
    pub limit: usize,
}

/// Which data points are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointFilter {
    /// Those that were measured within.
    pub range: TimeRange,
    /// Those of metrics of this name.
    pub name: Option<Text>,
    /// Those that this service has sent.
    pub service: Option<Text>,
    /// Those of this series.
    pub series: Option<SeriesId>,
    /// Those that come after, in the order of the list.
    pub after: Option<PointCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in a list of definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricCursor {
    /// The name.
    pub name: Text,
    /// The definition.
    pub id: MetricId,
}

/// A place in a list of data points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointCursor {
    /// When it was measured.
    pub time: UnixNanos,
    /// Its series.
    pub series_id: SeriesId,
    /// From when on it counts.
    pub start_time: UnixNanos,
}

impl Default for MetricFilter {
    fn default() -> Self {
        Self { name: None, service: None, after: None, limit: DEFAULT_ROWS }
    }
}

impl Default for PointFilter {
    fn default() -> Self {
        Self {
            range: TimeRange::ALL,
            name: None,
            service: None,
            series: None,
            after: None,
            limit: DEFAULT_ROWS,
        }
    }
}

impl From<&MetricRow> for MetricCursor {
    fn from(metric: &MetricRow) -> Self {
        Self { name: metric.name.clone(), id: metric.id }
    }
}

impl From<&DataPointRow> for PointCursor {
    fn from(point: &DataPointRow) -> Self {
        Self { time: point.time, series_id: point.series_id, start_time: point.start_time }
    }
}

impl From<&SeriesRow> for SeriesId {
    fn from(series: &SeriesRow) -> Self {
        series.id
    }
}

impl MetricRepository {
    /// The definitions that fit the filter, by name.
    ///
    /// Cost: of a name, the definitions of that name; else every definition of the project, and with a service every series.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn list(&self, filter: MetricFilter) -> Result<Page<MetricRow, MetricCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let (name, id) =
            filter.after.map_or((String::new(), Uuid::nil()), |after| (after.name.to_string(), after.id.0));
        let text = |text: Option<Text>| text.map(|text| text.to_string());
        let conditions = Conditions::behind(parameters![self.reader.project.0, name, id, asked])
            .and(MetricColumn::Name, Operator::Is, text(filter.name))
            .and(MetricColumn::Service, Operator::Is, text(filter.service));
        Ok(Page::new(self.reader.rows_where(&LIST, conditions, Order::Planned).await?, limit))
    }

    /// The definitions that one service has sent and that fit the filter, by name.
    ///
    /// Cost: as [`Self::list`].
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn by_service(
        &self,
        service: impl Into<Text>,
        filter: MetricFilter,
    ) -> Result<Page<MetricRow, MetricCursor>, Error> {
        self.list(MetricFilter { service: Some(service.into()), ..filter }).await
    }

    /// One definition, if it is stored.
    ///
    /// Cost: one row by key.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn get(&self, id: MetricId) -> Result<Option<MetricRow>, Error> {
        self.reader.row(&GET, parameters![id.0, self.reader.project.0]).await
    }

    /// The series of a definition, by id, from behind `after` on.
    ///
    /// Cost: reads every series of the definition, by index, for each page.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn series(
        &self,
        metric_id: MetricId,
        after: Option<SeriesId>,
        limit: usize,
    ) -> Result<Page<SeriesRow, SeriesId>, Error> {
        let (limit, asked) = limits(limit);
        let after = after.map_or(Uuid::nil(), |after| after.0);
        let parameters = parameters![metric_id.0, self.reader.project.0, after, asked];
        Ok(Page::new(self.reader.rows(&SERIES, parameters).await?, limit))
    }

    /// The series of these ids with their definitions, in any order; those that are not stored are left out.
    ///
    /// Cost: two rows by key for each series.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn described(&self, ids: &[SeriesId]) -> Result<Vec<DescribedSeries>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        self.reader.rows(&described::DESCRIBED, parameters![ids, self.reader.project.0]).await
    }

    /// The data points that fit the filter, newest first.
    ///
    /// Cost: of a series, the points of the page, by key; of a name or a service, every point that its series have in the range, by
    /// key; else every point of the range, 0.5 us each.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn points(&self, filter: PointFilter) -> Result<Page<DataPointRow, PointCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let TimeRange { start, end } = filter.range;
        let after = filter.after.filter(|after| filter.range.ends_after(after.time));
        let first = (end, filter.range.end_nanos(), Uuid::nil(), UnixNanos::UNKNOWN);
        let (before, before_nanos, series, counted) = after.map_or(first, |after| {
            (after.time, after.time.sub_micros(), after.series_id.0, after.start_time)
        });
        let parameters = parameters![
            self.reader.project.0,
            timestamp(start),
            start.sub_micros(),
            timestamp(before),
            before_nanos,
            series,
            timestamp(counted),
            counted.sub_micros(),
            asked,
        ];
        let text = |text: Option<Text>| text.map(|text| text.to_string());
        let conditions = Conditions::behind(parameters)
            .and(PointColumn::Series, Operator::Is, filter.series.map(|series| series.0))
            .and(PointColumn::Name, Operator::Is, text(filter.name))
            .and(PointColumn::Service, Operator::Is, text(filter.service));
        Ok(Page::new(self.reader.rows_where(&POINTS, conditions, Order::Planned).await?, limit))
    }

    /// The newest point of a series, if it has any.
    ///
    /// Cost: one look-up by key in each day's partition, from the newest to the oldest, and at most two rows. Planning takes most of
    /// it, as for [`crate::TraceRepository::get`].
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn latest(&self, series: SeriesId) -> Result<Option<DataPointRow>, Error> {
        self.reader.row(&LATEST, parameters![series.0, self.reader.project.0]).await
    }
}
