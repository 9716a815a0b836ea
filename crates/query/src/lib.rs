#![doc = include_str!("../README.md")]

pub mod config;
pub mod encode;
pub mod error;
mod filter;
pub mod log;
pub mod metric;
mod page;
pub mod trace;

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::try_join;
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId};
use llm_observatory_storage::repositories::ResourceRepository;

pub use config::QueryConfig;
pub use error::Error;
pub use log::LogService;
pub use metric::MetricService;
pub use trace::TraceService;

use encode::Dictionary;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The project that is asked about.
    pub project: ProjectId,
    /// How long the caller waits; `None` when it did not say.
    pub patience: Option<Duration>,
}

impl Default for Caller {
    /// Someone patient who asks about the default project.
    fn default() -> Self {
        Self { project: ProjectId::DEFAULT, patience: None }
    }
}

/// The resources and scopes that some rows point at.
async fn dictionary(
    resources: &ResourceRepository,
    pointers: impl Iterator<Item = (ResourceId, ScopeId)>,
) -> Result<Dictionary, Error> {
    let (resource_ids, scope_ids): (HashSet<_>, HashSet<_>) = pointers.unzip();
    let (resource_ids, scope_ids): (Vec<_>, Vec<_>) =
        (resource_ids.into_iter().collect(), scope_ids.into_iter().collect());
    let (resources, scopes) =
        try_join(resources.resources(&resource_ids), resources.scopes(&scope_ids)).await?;
    Ok(Dictionary::new(resources, scopes))
}

/// How many rows from the first on have no more than `bytes` together; at least one.
fn fitting<T>(rows: &[T], bytes: usize, size: impl Fn(&T) -> usize) -> usize {
    let mut total = 0_usize;
    let within = |row: &&T| {
        total = total.saturating_add(size(row));
        total <= bytes
    };
    rows.iter().take_while(within).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_what_fits_but_never_nothing() {
        assert_eq!(fitting(&[4, 4, 4], 8, |size| *size), 2);
        assert_eq!(fitting(&[9, 1], 8, |size| *size), 1);
        assert_eq!(fitting(&[1, 1], 8, |size| *size), 2);
    }
}
