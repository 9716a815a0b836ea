//! How runs go over stored LLM spans.

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};

/// How `reprice` and `reread` go over stored spans.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunsConfig {
    /// About how many spans one transaction looks at. It holds the locks of those that it changes until it commits.
    pub batch_rows: u32,
}

impl Default for RunsConfig {
    /// Long enough that transactions cost little, and short enough that a writer waits well below a second.
    fn default() -> Self {
        Self { batch_rows: 2_000 }
    }
}

impl Validate for RunsConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("batch_rows", self.batch_rows, 1);
    }
}
