//! Questions about metrics.

use std::collections::{HashMap, HashSet};

use llm_observatory_proto::v1::{
    ListDataPointsRequest, ListDataPointsResponse, ListMetricsRequest, ListMetricsResponse,
};
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::repositories::metric::{MetricFilter, PointFilter};
use llm_observatory_storage::repositories::{MetricRepository, ResourceRepository};

use crate::config::QueryConfig;
use crate::error::Error;
use crate::page::Question;
use crate::{Caller, dictionary, encode, filter, fitting};

/// Answers questions about metrics.
#[derive(Debug, Clone)]
pub struct MetricService {
    metrics: MetricRepository,
    resources: ResourceRepository,
    config: QueryConfig,
}

impl MetricService {
    /// A service that reads from this pool.
    pub fn new(pool: StoragePool, config: QueryConfig) -> Self {
        Self {
            metrics: MetricRepository::new(pool.clone()),
            resources: ResourceRepository::new(pool),
            config,
        }
    }

    /// A page of metric definitions, by name.
    ///
    /// # Errors
    /// [`Error`], as the RPC of this name tells.
    pub async fn list_metrics(
        &self,
        caller: &Caller,
        request: ListMetricsRequest,
    ) -> Result<ListMetricsResponse, Error> {
        let limit = filter::page_size(request.page_size, &self.config)?;
        let asked = ListMetricsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let question = Question::new("metrics", &asked);
        let filter = MetricFilter {
            name: filter::text(&request.name),
            service: filter::text(&request.service),
            after: question.position(&request.page_token)?,
            limit,
        };
        let metrics = self.metrics.clone().of(caller.project).within(self.config.patience(caller));
        let page = metrics.list(filter).await?;
        Ok(ListMetricsResponse {
            metrics: page.items.iter().map(encode::metric::definition).collect::<Result<_, _>>()?,
            next_page_token: question.token(page.next.as_ref()),
        })
    }

    /// A page of data points, newest first. A page of very large points ends early.
    ///
    /// # Errors
    /// [`Error`], as the RPC of this name tells.
    pub async fn list_data_points(
        &self,
        caller: &Caller,
        request: ListDataPointsRequest,
    ) -> Result<ListDataPointsResponse, Error> {
        let limit = filter::page_size(request.page_size, &self.config)?;
        let asked = ListDataPointsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let question = Question::new("data points", &asked);
        let (range, after) = match question.position(&request.page_token)? {
            Some((range, after)) => (range, Some(after)),
            None => {
                (filter::range(request.start_time.as_ref(), request.end_time.as_ref(), &self.config)?, None)
            }
        };
        let filter = PointFilter {
            range,
            name: filter::text(&request.name),
            service: filter::text(&request.service),
            series: None,
            after,
            limit,
        };
        let patience = self.config.patience(caller);
        let metrics = self.metrics.clone().of(caller.project).within(patience);
        let resources = self.resources.clone().of(caller.project).within(patience);
        let mut page = metrics.points(filter).await?;
        page.truncate(fitting(&page.items, self.config.page_bytes, encode::metric::size));
        let ids: HashSet<_> = page.items.iter().map(|point| point.series_id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let series: HashMap<_, _> =
            metrics.described(&ids).await?.into_iter().map(|series| (series.series.id, series)).collect();
        let pointers = series.values().map(|series| (series.series.resource_id, series.series.scope_id));
        let dictionary = dictionary(&resources, pointers).await?;
        Ok(ListDataPointsResponse {
            data: Some(encode::metric::metrics(&page.items, &series, &dictionary)?),
            next_page_token: question.token(page.next.map(|next| (range, next)).as_ref()),
        })
    }
}
