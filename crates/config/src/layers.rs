//! Where settings come from, beside the defaults and the file: variables and flags, whose values are texts.

use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// What lies over the defaults, each layer over the one before it. It has no `Debug`: values may be secrets.
#[derive(Clone, Default)]
pub struct Layers {
    /// A YAML, TOML or JSON file.
    pub file: Option<PathBuf>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Flags of the command line.
    pub flags: Vec<Flag>,
}

/// A flag of the command line that gives a setting. It has no `Debug`: its value may be a secret.
#[derive(Clone)]
pub struct Flag {
    /// As it is written: `--ingest-listen`.
    pub name: &'static str,
    /// The path of its setting: `ingest_listen`.
    pub path: &'static str,
    /// What was given.
    pub value: String,
}

/// How environment variables name settings.
#[derive(Debug, Clone)]
pub struct Names {
    /// Variables with names that people know from elsewhere, and the paths of their settings.
    pub usual: Vec<(String, String)>,
    /// How variables begin that name a setting by its path: `OBSERVATORY_`, as in `OBSERVATORY_INGEST__WRITERS`.
    pub prefix: &'static str,
    /// Which variables begin like that and are no settings.
    pub foreign: fn(&str) -> bool,
}

impl Default for Names {
    fn default() -> Self {
        Self { usual: Vec::new(), prefix: "", foreign: |_| false }
    }
}

impl Names {
    /// The settings that these variables give. An empty variable counts as not set.
    ///
    /// A variable with our prefix comes after one with a usual name, and so it counts.
    pub(crate) fn given(&self, environment: &[(String, String)]) -> Vec<Given> {
        let set = environment.iter().filter(|(name, value)| !value.is_empty() && !(self.foreign)(name));
        let mut given: Vec<_> = set
            .filter_map(|(name, value)| {
                let usual = self.usual.iter().find(|(variable, _)| variable == name);
                let ours = || Some(name.strip_prefix(self.prefix)?.to_lowercase().replace("__", "."));
                let path = usual.map(|(_, path)| path.clone()).or_else(ours)?;
                Some((usual.is_none(), Given { source: name.clone(), path, value: value.clone() }))
            })
            .collect();
        given.sort_by_key(|(is_ours, _)| *is_ours);
        given.into_iter().map(|(_, given)| given).collect()
    }
}

impl Flag {
    pub(crate) fn given(&self) -> Given {
        Given { source: self.name.to_owned(), path: self.path.to_owned(), value: self.value.clone() }
    }
}

/// One setting that a variable or a flag gives, as a layer of its own: so figment knows where it came from.
///
/// Figment's provider of environment variables guesses the types of values; a password of digits is a text.
pub(crate) struct Given {
    source: String,
    path: String,
    value: String,
}

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::from("setting", self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let nested = figment::util::nest(&self.path, Value::from(self.value.clone()));
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

/// The variables of this process's environment, without those that are no text.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
