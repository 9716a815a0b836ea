//! Questions about log records.

use llm_observatory_proto::v1::{ListLogsRequest, ListLogsResponse};
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::repositories::log::LogFilter;
use llm_observatory_storage::repositories::{LogRepository, ResourceRepository};

use crate::config::QueryConfig;
use crate::error::Error;
use crate::page::Question;
use crate::{Caller, dictionary, encode, filter, fitting};

/// Answers questions about log records.
#[derive(Debug, Clone)]
pub struct LogService {
    logs: LogRepository,
    resources: ResourceRepository,
    config: QueryConfig,
}

impl LogService {
    /// A service that reads from this pool.
    pub fn new(pool: StoragePool, config: QueryConfig) -> Self {
        Self { logs: LogRepository::new(pool.clone()), resources: ResourceRepository::new(pool), config }
    }

    /// A page of log records, newest first. A page of very large records ends early.
    ///
    /// # Errors
    /// [`Error`], as the RPC of this name tells.
    pub async fn list_logs(
        &self,
        caller: &Caller,
        request: ListLogsRequest,
    ) -> Result<ListLogsResponse, Error> {
        let limit = filter::page_size(request.page_size, &self.config)?;
        let asked = ListLogsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let question = Question::new("logs", &asked);
        let (range, after) = match question.position(&request.page_token)? {
            Some((range, after)) => (range, Some(after)),
            None => {
                (filter::range(request.start_time.as_ref(), request.end_time.as_ref(), &self.config)?, None)
            }
        };
        let filter = LogFilter {
            range,
            service: filter::text(&request.service),
            trace_id: filter::optional_trace_id(&request.trace_id)?,
            span_id: filter::optional_span_id(&request.span_id)?,
            min_severity: filter::min_severity(request.min_severity_number)?,
            event_name: filter::text(&request.event_name),
            text: filter::text(&request.text),
            after,
            limit,
        };
        let patience = self.config.patience(caller);
        let logs = self.logs.clone().of(caller.project).within(patience);
        let resources = self.resources.clone().of(caller.project).within(patience);
        let mut page = logs.list(filter).await?;
        page.truncate(fitting(&page.items, self.config.page_bytes, encode::log::size));
        let pointers = page.items.iter().map(|log| (log.resource_id, log.scope_id));
        let dictionary = dictionary(&resources, pointers).await?;
        Ok(ListLogsResponse {
            data: Some(encode::log::logs(&page.items, &dictionary)?),
            next_page_token: question.token(page.next.map(|next| (range, next)).as_ref()),
        })
    }
}
