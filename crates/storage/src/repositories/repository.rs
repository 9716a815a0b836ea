//! The constructor and the settings that all repositories share.

/// Implements `new`, `of` and `within` for a repository.
macro_rules! repository {
    ($repository:ident) => {
        impl $repository {
            /// A repository of the default project. Each statement runs for at most `database.query_timeout_ms`.
            pub fn new(pool: $crate::pool::StoragePool) -> Self {
                Self { reader: $crate::repositories::read::Reader::new(pool) }
            }

            /// This repository with another project.
            #[must_use]
            pub fn of(mut self, project: llm_observatory_core::ids::ProjectId) -> Self {
                self.reader.project = project;
                self
            }

            /// This repository with a deadline `patience` from now. PostgreSQL ends a statement that still runs then.
            #[must_use]
            pub fn within(mut self, patience: std::time::Duration) -> Self {
                self.reader.give(patience);
                self
            }
        }
    };
}
pub(super) use repository;
