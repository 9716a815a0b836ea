//! Who calls: the one place that gives a caller its project.

use llm_observatory_core::ids::ProjectId;

/// The project of every caller. The daemon does not ask callers who they are, so there is one.
pub(crate) fn project() -> ProjectId {
    ProjectId::DEFAULT
}
