//! What every repository is made of.

/// What every repository is made of, and how it is told whose data to read and how long.
macro_rules! repository {
    ($repository:ident) => {
        impl $repository {
            /// Reads the default project, each statement for at most `database.query_timeout_ms`.
            pub fn new(pool: $crate::pool::StoragePool) -> Self {
                Self { reader: $crate::repositories::read::Reader::new(pool) }
            }

            /// The same, reading another project.
            #[must_use]
            pub fn of(mut self, project: llm_observatory_core::ids::ProjectId) -> Self {
                self.reader.project = project;
                self
            }

            /// The same, for `patience` from now on: a statement that is not done by then is ended by PostgreSQL.
            #[must_use]
            pub fn within(mut self, patience: std::time::Duration) -> Self {
                self.reader.give(patience);
                self
            }
        }
    };
}
pub(super) use repository;
