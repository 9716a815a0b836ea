//! Defaults, file, environment, flags: each layer over the one before it.

use std::path::PathBuf;

use figment::Figment;
use figment::providers::Serialized;
use llm_observatory_storage::config::{ConfigError, ENVIRONMENT, Problem, extract, nest, parse_file};
use serde_json::Value;

use super::Config;

const PREFIX: &str = "OBSERVATORY_";

/// Variables with our prefix that are no settings of the daemon: of the project's tools, and of single commands.
const NOT_OURS: &[&str] = &[
    "OBSERVATORY_BIN",
    "OBSERVATORY_TOOLS_DIR",
    "OBSERVATORY_CONFIG",
    "OBSERVATORY_ENDPOINT",
    "OBSERVATORY_QUERY_ADDRESS",
    "OBSERVATORY_INGEST_ADDRESS",
];
const TEST_PREFIX: &str = "OBSERVATORY_TEST_";

/// Kubernetes tells every container about a Service named `observatory` in variables that begin like this.
const KUBERNETES: &[&str] = &["OBSERVATORY_SERVICE_", "OBSERVATORY_PORT"];

/// Where settings come from, beside the defaults.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// A YAML, TOML or JSON file.
    pub file: Option<PathBuf>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Flags, each as the path of the setting and its value.
    pub flags: Vec<(&'static str, String)>,
}

/// The configuration that the layers give.
///
/// # Errors
/// [`ConfigError`]; of wrong settings, every one at once.
pub fn load(layers: &Layers) -> Result<Config, ConfigError> {
    let mut figment = Figment::new();
    if let Some(path) = &layers.file {
        figment = figment.merge(Serialized::globals(parse_file(path)?));
    }
    let figment = figment
        .merge(Serialized::globals(tree(layers.environment.iter().filter_map(environment_setting))))
        .merge(Serialized::globals(tree(
            layers.flags.iter().map(|(path, value)| ((*path).to_owned(), value.clone())),
        )));
    let merged: Value = figment
        .extract()
        .map_err(|error| ConfigError::Invalid(vec![Problem::new("configuration", error.to_string())]))?;
    let config: Config = extract(merged)?;
    match config.problems() {
        problems if problems.is_empty() => Ok(config),
        problems => Err(ConfigError::Invalid(problems)),
    }
}

fn tree(settings: impl Iterator<Item = (String, String)>) -> Value {
    let mut tree = Value::Object(Default::default());
    for (path, value) in settings {
        nest(&mut tree, &path, Value::String(value));
    }
    tree
}

/// The setting that a variable names, by its usual name or by its path. An empty variable counts as not set.
fn environment_setting((name, value): &(String, String)) -> Option<(String, String)> {
    let tells_else =
        name.starts_with(TEST_PREFIX) || KUBERNETES.iter().any(|prefix| name.starts_with(prefix));
    if value.is_empty() || NOT_OURS.contains(&name.as_str()) || tells_else {
        return None;
    }
    if name == "OBSERVATORY_DATABASE_URL" {
        return Some(("storage.database.url".to_owned(), value.clone()));
    }
    let usual =
        ENVIRONMENT.iter().find(|(variable, _)| variable == name).map(|(_, path)| format!("storage.{path}"));
    let path = usual.or_else(|| Some(name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".")))?;
    Some((path, value.clone()))
}
