//! The layers over the defaults: a file, environment variables and flags. Variables and flags hold texts only.

use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// The layers over the defaults, lowest first. There is no `Debug`: values may be secrets.
#[derive(Clone, Default)]
pub struct Layers {
    /// Path of a YAML, TOML or JSON file.
    pub file: Option<PathBuf>,
    /// Environment variables: name and value.
    pub environment: Vec<(String, String)>,
    /// Flags of the command line. Of two flags for one setting the later wins.
    pub flags: Vec<Flag>,
}

/// A flag of the command line that sets one setting. There is no `Debug`: the value may be a secret.
#[derive(Clone)]
pub struct Flag {
    /// The flag as users type it: `--ingest-listen`.
    pub name: &'static str,
    /// Path of the setting: `ingest_listen`.
    pub path: &'static str,
    /// The value as users typed it.
    pub value: String,
}

/// Which environment variable sets which setting.
#[derive(Debug, Clone)]
pub struct Names {
    /// Conventional variables such as `DATABASE_URL`, each with the path of its setting.
    pub usual: Vec<(String, String)>,
    /// Prefix of the variables that name a setting by its path: `OBSERVATORY_`, as in `OBSERVATORY_INGEST__WRITERS`.
    pub prefix: &'static str,
    /// Returns true for a variable that has the prefix and is no setting.
    pub foreign: fn(&str) -> bool,
}

impl Default for Names {
    fn default() -> Self {
        Self { usual: Vec::new(), prefix: "", foreign: |_| false }
    }
}

impl Names {
    /// The settings in these variables. An empty variable counts as not set.
    ///
    /// A variable with the prefix comes after a conventional one for the same setting, so it wins.
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

/// One setting from a variable or a flag. It is a layer of its own, so that figment remembers its source.
///
/// Figment's own provider of environment variables guesses types, and would read a password of digits as a number.
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

/// The environment variables of this process: name and value. Those that are not UTF-8 are left out.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
