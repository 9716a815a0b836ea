//! Configuration files as figment providers. Figment's own formats would pull in older versions of the parsers.

use std::fs::File;
use std::path::Path;

use figment::Figment;
use figment::providers::Format;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

use crate::error::ConfigError;

/// Merges the settings of a file over those in `figment`. The ending names the format: .yaml, .yml, .toml or .json.
pub(crate) fn merge(figment: Figment, path: &Path) -> Result<Figment, ConfigError> {
    let syntax = |message| ConfigError::Syntax { path: path.to_owned(), message };
    // Figment's own error for a file that can't be opened has no cause.
    File::open(path).map_err(|error| ConfigError::File { path: path.to_owned(), error })?;
    let figment = match path.extension().and_then(|ending| ending.to_str()) {
        Some("yaml" | "yml") => figment.merge(Yaml::file_exact(path)),
        Some("toml") => figment.merge(Toml::file_exact(path)),
        Some("json") => figment.merge(Json::file_exact(path)),
        _ => return Err(syntax("the name must end in .yaml, .yml, .toml or .json".to_owned())),
    };
    // The layers below are valid, so an error here is in the file.
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
            // The error's own text quotes the line, which may hold a password.
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

/// The settings of a parsed file. An empty YAML file parses as null and changes nothing.
fn settings<T: DeserializeOwned>(parsed: Value) -> Result<T, &'static str> {
    let settings = match parsed {
        Value::Object(settings) => settings,
        Value::Null => serde_json::Map::new(),
        _ => return Err("must map names to settings"),
    };
    serde_json::from_value(Value::Object(settings)).map_err(|_| "holds a value of a kind that no setting has")
}
