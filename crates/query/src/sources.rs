//! The repositories of one caller's project.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::try_join;
use llm_observatory_core::ids::{ResourceId, ScopeId};
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::models::ScopeRow;
use llm_observatory_storage::repositories::{
    LlmRepository, LogRepository, MetricRepository, ResourceRepository, TraceRepository,
};

use crate::encode::{Origins, ValueLimit};
use crate::error::Error;
use crate::question::Caller;

/// All repositories.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) traces: TraceRepository,
    pub(crate) metrics: MetricRepository,
    pub(crate) logs: LogRepository,
    pub(crate) llm: LlmRepository,
    resources: ResourceRepository,
}

impl Sources {
    /// Repositories of the default project, without a time limit of a caller.
    pub(crate) fn new(pool: StoragePool) -> Self {
        Self {
            traces: TraceRepository::new(pool.clone()),
            metrics: MetricRepository::new(pool.clone()),
            logs: LogRepository::new(pool.clone()),
            llm: LlmRepository::new(pool.clone()),
            resources: ResourceRepository::new(pool),
        }
    }

    /// Repositories of the caller's project, limited to `patience` from now if there is one.
    pub(crate) fn of(&self, caller: &Caller, patience: Option<Duration>) -> Self {
        let Self { traces, metrics, logs, llm, resources } = self.clone();
        macro_rules! on_behalf {
            ($repository:ident) => {{
                let repository = $repository.of(caller.project);
                match patience {
                    Some(patience) => repository.within(patience),
                    None => repository,
                }
            }};
        }
        Self {
            traces: on_behalf!(traces),
            metrics: on_behalf!(metrics),
            logs: on_behalf!(logs),
            llm: on_behalf!(llm),
            resources: on_behalf!(resources),
        }
    }

    /// Reads the resources and scopes with these ids. `limit` cuts their attribute values.
    pub(crate) async fn origins(
        &self,
        ids: impl Iterator<Item = (ResourceId, ScopeId)>,
        limit: ValueLimit,
    ) -> Result<Origins, Error> {
        let (resources, scopes): (HashSet<_>, HashSet<_>) = ids.unzip();
        let (resources, scopes): (Vec<_>, Vec<_>) =
            (resources.into_iter().collect(), scopes.into_iter().collect());
        let (resources, scopes) =
            try_join(self.resources.resources(&resources), self.resources.scopes(&scopes)).await?;
        Ok(Origins::new(resources, scopes, limit))
    }

    /// The scope with this id; `None` if it is not stored.
    pub(crate) async fn scope(&self, id: ScopeId) -> Result<Option<ScopeRow>, Error> {
        Ok(self.resources.scopes(&[id]).await?.pop())
    }
}
