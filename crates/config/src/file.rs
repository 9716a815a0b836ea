//! Configuration files, as figment's providers. Figment's own formats bring older copies of the parsers.

use std::fs::File;
use std::path::Path;

use figment::Figment;
use figment::providers::Format;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

use crate::error::ConfigError;

/// Lays the settings of a YAML, TOML or JSON file, told by its ending, over those that are there.
pub(crate) fn merge(figment: Figment, path: &Path) -> Result<Figment, ConfigError> {
    let syntax = |message| ConfigError::Syntax { path: path.to_owned(), message };
    // Figment tells of a file that can't be opened in words that have no cause.
    File::open(path).map_err(|error| ConfigError::File { path: path.to_owned(), error })?;
    let figment = match path.extension().and_then(|ending| ending.to_str()) {
        Some("yaml" | "yml") => figment.merge(Yaml::file_exact(path)),
        Some("toml") => figment.merge(Toml::file_exact(path)),
        Some("json") => figment.merge(Json::file_exact(path)),
        _ => return Err(syntax("the name must end in .yaml, .yml, .toml or .json".to_owned())),
    };
    // The layers below are in order, so that whatever figment can't read is in the file.
    match figment.extract::<figment::value::Dict>() {
        Ok(_) => Ok(figment),
        Err(error) => Err(syntax(error.kind.to_string())),
    }
}

struct Yaml;
struct Toml;
struct Json;

impl Format for Yaml {
    type Error = serde_yaml_ng::Error;
    const NAME: &'static str = "YAML";

    fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        settings(serde_yaml_ng::from_str(text)?).map_err(Self::Error::custom)
    }
}

impl Format for Toml {
    type Error = toml::de::Error;
    const NAME: &'static str = "TOML";

    fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        let parsed = toml::from_str(text).map_err(|error| {
            // The error shows the line that it can't read, and with it what may be a password.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            Self::Error::custom(format!("{} at line {}", error.message(), before.matches('\n').count() + 1))
        })?;
        settings(parsed).map_err(Self::Error::custom)
    }
}

impl Format for Json {
    type Error = serde_json::Error;
    const NAME: &'static str = "JSON";

    fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        settings(serde_json::from_str(text)?).map_err(Self::Error::custom)
    }
}

/// The names and values of a parsed file. An empty YAML file is null, and changes nothing.
fn settings<T: DeserializeOwned>(parsed: Value) -> Result<T, &'static str> {
    let settings = match parsed {
        Value::Object(settings) => settings,
        Value::Null => serde_json::Map::new(),
        _ => return Err("must hold settings by their names"),
    };
    serde_json::from_value(Value::Object(settings)).map_err(|_| "holds what no setting can be")
}
