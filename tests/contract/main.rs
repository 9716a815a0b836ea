//! The rules that the repository's own files keep: which crate and which file uses which, and links between documents.

#![expect(clippy::unwrap_used, reason = "a test: what fails here should panic, in helpers too")]

mod floor_plan;
mod links;
mod module_arrows;

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
