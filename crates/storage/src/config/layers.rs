//! Configuration as a tree: read from files and environment, checked against the tree of defaults.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ConfigError;

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which setting, by its path.
    pub key: String,
    /// What is wrong, and what would be right. Never holds the value: it may be a secret.
    pub message: String,
}

impl Problem {
    /// A problem with the setting at `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }

    /// The same problem of a setting that lies within `section`.
    pub fn within(self, section: &str) -> Self {
        Self { key: format!("{section}.{}", self.key), message: self.message }
    }

    /// Every setting of `given` that the tree of `defaults` does not know, or knows to be of another type.
    pub fn of(given: &Value, defaults: &Value) -> Vec<Self> {
        let mut problems = Vec::new();
        compare(given, defaults, "", &mut problems);
        problems
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.message)
    }
}

pub(super) fn list(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    format!("invalid configuration:\n  {}", lines.join("\n  "))
}

/// The tree in a YAML, TOML or JSON file, told by its ending.
///
/// # Errors
/// When the file can't be read, or is not what its ending says.
pub fn parse_file(path: &Path) -> Result<Value, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    let parsed = match path.extension().and_then(|ending| ending.to_str()) {
        Some("yaml" | "yml") => serde_yaml_ng::from_str(&text).map_err(|error| error.to_string()),
        Some("toml") => toml::from_str(&text).map_err(|error| error.to_string()),
        Some("json") => serde_json::from_str(&text).map_err(|error| error.to_string()),
        _ => Err("the name must end in .yaml, .yml, .toml or .json".to_owned()),
    };
    match parsed {
        // An empty YAML file is null, and means the defaults.
        Ok(Value::Null) => Ok(Value::Object(Map::new())),
        Ok(tree) => Ok(tree),
        Err(message) => Err(ConfigError::Syntax { path: path.to_owned(), message }),
    }
}

/// Turns texts into the numbers and truth values that `defaults` has in their place: the environment knows only text.
pub(super) fn coerce(given: &mut Value, defaults: &Value) {
    match (given, defaults) {
        (Value::Object(given), Value::Object(defaults)) => {
            for (name, value) in given {
                coerce(value, defaults.get(name).unwrap_or(&Value::Null));
            }
        }
        (given @ Value::String(_), Value::Bool(_) | Value::Number(_)) => {
            let parsed = given.as_str().and_then(|text| serde_json::from_str(text.trim()).ok());
            if let Some(parsed @ (Value::Bool(_) | Value::Number(_))) = parsed {
                *given = parsed;
            }
        }
        _ => {}
    }
}

/// Puts `value` into `tree` at a path like `database.port`.
pub fn nest(tree: &mut Value, path: &str, value: Value) {
    let mut place = tree;
    for name in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[name];
    }
    *place = value;
}

/// The configuration in a tree, over the defaults.
///
/// # Errors
/// [`ConfigError::Invalid`] with every unknown name and every wrong type at once.
pub fn extract<T: Default + Serialize + DeserializeOwned>(mut tree: Value) -> Result<T, ConfigError> {
    let wrong = |message: String| ConfigError::Invalid(vec![Problem::new("configuration", message)]);
    let defaults = serde_json::to_value(T::default()).map_err(|error| wrong(error.to_string()))?;
    coerce(&mut tree, &defaults);
    match Problem::of(&tree, &defaults) {
        problems if problems.is_empty() => {
            serde_json::from_value(tree).map_err(|error| wrong(error.to_string()))
        }
        problems => Err(ConfigError::Invalid(problems)),
    }
}

fn compare(given: &Value, default: &Value, path: &str, problems: &mut Vec<Problem>) {
    let mut wrong = |message: &str| problems.push(Problem::new(path, message));
    match (given, default) {
        (Value::Object(given), Value::Object(defaults)) => {
            for (name, value) in given {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match defaults.get(name) {
                    Some(default) => compare(value, default, &path, problems),
                    None => problems.push(Problem::new(path, unknown(defaults))),
                }
            }
        }
        (_, Value::Object(_)) => wrong("must be a section with settings of its own"),
        // An absent default is an optional text or path.
        (Value::String(_) | Value::Null, Value::Null) => {}
        (_, Value::Null | Value::String(_)) if !given.is_string() => wrong("must be a text"),
        (_, Value::Bool(_)) if !given.is_boolean() => wrong("must be true or false"),
        (_, Value::Number(_)) if !given.is_u64() => wrong("must be a whole number, 0 or more"),
        _ => {}
    }
}

fn unknown(defaults: &Map<String, Value>) -> String {
    let names: Vec<_> = defaults.keys().map(String::as_str).collect();
    format!("is not a setting; there are: {}", names.join(", "))
}
