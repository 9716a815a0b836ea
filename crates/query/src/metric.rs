//! Questions about metrics.

use std::collections::{HashMap, HashSet};

use llm_observatory_core::text::Text;
use llm_observatory_storage::models::DataPointRow;
use llm_observatory_storage::repositories::metric::{MetricCursor, MetricFilter, PointCursor, PointFilter};
use opentelemetry_proto::tonic::metrics::v1::{Metric, MetricsData};

use crate::encode::{self, ValueLimit};
use crate::error::{Error, Record};
use crate::kind::Kind;
use crate::query::Query;
use crate::question::{Asked, Caller, List, Page, Paging, Period};
use crate::size::{Outgoing, next_fitting};
use crate::token::Fingerprint;

/// Which metrics are defined? By name. A filter that is `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMetrics {
    /// Who asks.
    pub caller: Caller,
    /// Name of the metrics.
    pub name: Option<Text>,
    /// A service that sent the metrics.
    pub service: Option<Text>,
    /// The page of the list.
    pub paging: Paging,
}

/// Which data points were measured in a period? Newest first. A filter that is `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDataPoints {
    /// Who asks.
    pub caller: Caller,
    /// Period of the points.
    pub period: Period,
    /// Name of the metric of the points.
    pub name: Option<Text>,
    /// Service of the points.
    pub service: Option<Text>,
    /// Limit of values; longer ones are cut.
    pub max_value: ValueLimit,
    /// The page of the list.
    pub paging: Paging,
}

impl ListMetrics {
    /// All metrics.
    pub fn new(caller: Caller) -> Self {
        Self { caller, name: None, service: None, paging: Paging::default() }
    }
}

impl ListDataPoints {
    /// All points of the default period.
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            period: Period::default(),
            name: None,
            service: None,
            max_value: ValueLimit::default(),
            paging: Paging::default(),
        }
    }
}

impl List for ListMetrics {
    type Cursor = MetricCursor;

    const KIND: Kind = Kind::ListMetrics;

    /// Definitions have no time, so their period is all of time.
    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: Period::ALL, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { caller: _, paging: _, name, service } = self;
        fingerprint.field(name.as_ref().map(Text::as_bytes)).field(service.as_ref().map(Text::as_bytes))
    }
}

impl List for ListDataPoints {
    type Cursor = PointCursor;

    const KIND: Kind = Kind::ListDataPoints;

    fn asked(&self) -> Asked<'_> {
        Asked { caller: &self.caller, period: self.period, paging: &self.paging }
    }

    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { caller: _, period: _, paging: _, max_value: _, name, service } = self;
        fingerprint.field(name.as_ref().map(Text::as_bytes)).field(service.as_ref().map(Text::as_bytes))
    }
}

impl Query {
    /// A page of metric definitions, without their points.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid question, [`Error::Unavailable`] when the database can't answer now,
    /// [`Error::TimedOut`] beyond the time limit, and [`Error::Internal`] for a bug or a row that contradicts itself.
    pub async fn list_metrics(&self, question: ListMetrics) -> Result<Page<Vec<Metric>>, Error> {
        self.metrics.watch(Kind::ListMetrics, self.definitions(question)).await
    }

    async fn definitions(&self, question: ListMetrics) -> Result<Page<Vec<Metric>>, Error> {
        let (mut opened, sources) = self.open(&question)?;
        let ListMetrics { name, service, .. } = question;
        let filter = MetricFilter { name, service, after: opened.after.take(), limit: opened.limit };
        let page = sources.metrics.list(filter).await?;
        let metrics: Vec<_> = page.items.iter().map(encode::metric::definition).collect::<Result<_, _>>()?;
        let rows = metrics.len();
        Ok(opened.page(metrics, rows, page.next))
    }

    /// A page of data points. It ends early at `query.page_bytes`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a point beyond `query.max_record_bytes`, and those of [`Self::list_metrics`].
    pub async fn list_data_points(&self, question: ListDataPoints) -> Result<Page<MetricsData>, Error> {
        self.metrics.watch(Kind::ListDataPoints, self.points(question)).await
    }

    async fn points(&self, question: ListDataPoints) -> Result<Page<MetricsData>, Error> {
        let (opened, sources) = self.open(&question)?;
        let ListDataPoints { name, service, max_value, .. } = question;
        let filter = PointFilter {
            range: opened.range,
            name,
            service,
            series: None,
            after: opened.after,
            limit: opened.limit,
        };
        let mut page = sources.metrics.points(filter).await?;
        let ids: HashSet<_> = page.items.iter().map(|point| point.series_id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let described = sources.metrics.described(&ids).await?;
        let series: HashMap<_, _> = described.into_iter().map(|series| (series.series.id, series)).collect();
        let encode = |row: &DataPointRow| {
            // A point without a stored series can't be encoded. It counts for the page and is left out.
            let content =
                series.get(&row.series_id).map(|of| encode::metric::point(row, of, max_value)).transpose()?;
            let bytes = content.as_ref().map_or(0, |content| content.record.point.encoded_len());
            Ok(Outgoing { content, bytes, name: Record::DataPoint(row.time) })
        };
        let mut encoded = page.items.iter().map(encode).peekable();
        let points = next_fitting(&mut encoded, self.config.page_bytes, self.config.max_record_bytes)?;
        drop(encoded);
        page.truncate(points.len());
        let points: Vec<_> = points.into_iter().flatten().collect();
        let rows = points.len();
        let ids = points.iter().map(|point| (point.resource_id, point.scope_id));
        let origins = sources.origins(ids, max_value).await?;
        Ok(opened.page(encode::metric::metrics(points, &origins)?, rows, page.next))
    }
}
