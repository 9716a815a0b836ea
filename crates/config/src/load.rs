//! Lays the layers over each other, and makes a configuration of what is on top.

use figment::error::Kind;
use figment::providers::Serialized;
use figment::value::Value;
use figment::{Figment, Profile, Provider as _, Source};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ConfigError;
use crate::file;
use crate::layers::{Layers, Names};
use crate::problem::Problem;
use crate::problems::{Problems, Validate};

/// The configuration that the layers give, over the defaults of `T`.
///
/// # Errors
/// [`ConfigError::File`] and [`ConfigError::Syntax`] for the file; [`ConfigError::Invalid`] with everything that is wrong
/// with the settings: unknown names, values of another type, and what [`Validate`] says of the rest.
pub fn load<T>(layers: &Layers, names: &Names) -> Result<T, ConfigError>
where
    T: Default + Serialize + DeserializeOwned + Validate,
{
    let below = Figment::from(Serialized::defaults(T::default()));
    let defaults = tree(&below)?;
    let mut figment = below;
    if let Some(path) = &layers.file {
        figment = file::merge(figment, path)?;
    }
    let flags = layers.flags.iter().map(|flag| flag.given());
    figment = names.given(&layers.environment).into_iter().chain(flags).fold(figment, Figment::merge);

    let mut settings = tree(&figment)?;
    read_texts(&mut settings, &defaults);
    let mut found = Vec::new();
    let config: T = loop {
        let error = match settings.deserialize() {
            Ok(config) => break config,
            Err(error) => error,
        };
        let key = error.path.join(".");
        let source = source(&figment, &settings, &key);
        found.push(Problem { message: message(&error.kind, defaults.find_ref(&key)), key, source });
        // What is wrong gives way to its default, so that what else is wrong comes to light too.
        if !put_back(&mut settings, &defaults, &error.path) {
            return Err(ConfigError::Invalid(found));
        }
    };
    let mut problems = Problems::default();
    config.validate(&mut problems);
    found.extend(problems.into_found().into_iter().map(|problem| {
        let source = source(&figment, &settings, &problem.key);
        Problem { source, ..problem }
    }));
    if found.is_empty() { Ok(config) } else { Err(ConfigError::Invalid(found)) }
}

/// All settings that the layers give, as one tree whose values know their layer.
fn tree(figment: &Figment) -> Result<Value, ConfigError> {
    let unreadable = |error: figment::Error| {
        let message = error.kind.to_string();
        ConfigError::Invalid(vec![Problem { key: "configuration".to_owned(), message, source: None }])
    };
    let settings = figment.data().map_err(unreadable)?.remove(&Profile::Default);
    Ok(Value::from(settings.unwrap_or_default()))
}

/// Turns texts into the numbers and truth values that `default` has in their place: variables and flags know only text.
fn read_texts(value: &mut Value, default: &Value) {
    let tag = value.tag();
    match (value, default) {
        (Value::Dict(_, values), Value::Dict(_, defaults)) => {
            for (name, value) in values {
                defaults.get(name).into_iter().for_each(|default| read_texts(value, default));
            }
        }
        (value @ Value::String(..), Value::Num(..) | Value::Bool(..)) => {
            let text = value.as_str().unwrap_or_default().trim();
            let read = match default {
                Value::Bool(..) => text.parse().ok().map(|truth| Value::Bool(tag, truth)),
                _ => text.parse::<u64>().ok().map(|number| Value::Num(tag, number.into())),
            };
            if let Some(read) = read {
                *value = read;
            }
        }
        _ => {}
    }
}

/// What would be right in the place of what can't be read.
fn message(kind: &Kind, default: Option<&Value>) -> String {
    match (kind, default) {
        (Kind::UnknownField(_, known), _) => format!("is not a setting; there are: {}", known.join(", ")),
        (Kind::UnknownVariant(_, known), _) => format!("must be one of: {}", known.join(", ")),
        (_, Some(Value::Dict(..))) => "must be a section with settings of its own".to_owned(),
        (_, Some(Value::Bool(..))) => "must be true or false".to_owned(),
        (Kind::InvalidValue(_, wanted), Some(number @ Value::Num(..))) => {
            format!(
                "must be a whole number, {}, like {}",
                range(wanted),
                number.to_u128().unwrap_or_default()
            )
        }
        (_, Some(number @ Value::Num(..))) => {
            format!("must be a whole number, 0 or more, like {}", number.to_u128().unwrap_or_default())
        }
        (Kind::InvalidType(..), Some(Value::String(_, example))) => format!("must be a text, like {example}"),
        (_, Some(Value::String(_, example))) => format!("must be written like {example}"),
        _ => "must be a text".to_owned(),
    }
}

/// What fits into a type of Rust.
fn range(wanted: &str) -> String {
    match wanted {
        "u8" => format!("0 to {}", u8::MAX),
        "u16" => format!("0 to {}", u16::MAX),
        "u32" => format!("0 to {}", u32::MAX),
        _ => "0 or more".to_owned(),
    }
}

/// The file, variable or flag that the setting `key` has its value from; None for a default.
fn source(figment: &Figment, settings: &Value, key: &str) -> Option<String> {
    match figment.get_metadata(settings.find_ref(key)?.tag())?.source.as_ref()? {
        Source::Code(_) => None,
        source => Some(source.to_string()),
    }
}

/// Gives the setting at `path` its default, or takes it away if it has none. Returns whether that changed anything.
fn put_back(settings: &mut Value, defaults: &Value, path: &[String]) -> bool {
    let (Some((name, rest)), Value::Dict(_, settings), Value::Dict(_, defaults)) =
        (path.split_first(), settings, defaults)
    else {
        return false;
    };
    match (defaults.get(name), settings.get_mut(name)) {
        (Some(default @ Value::Dict(..)), Some(section @ Value::Dict(..))) if !rest.is_empty() => {
            put_back(section, default, rest)
        }
        (Some(default), Some(setting)) => {
            let is_changed = setting != default;
            setting.clone_from(default);
            is_changed
        }
        _ => settings.remove(name).is_some(),
    }
}
