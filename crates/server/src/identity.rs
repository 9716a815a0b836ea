//! Gives a caller its project. Every face asks here.

use llm_observatory_core::ids::ProjectId;

/// The project of every caller. The daemon does not authenticate callers, so all share one project.
pub(crate) fn project() -> ProjectId {
    ProjectId::DEFAULT
}
