//! Finds the server programs of a suitable PostgreSQL.

use std::{ffi::OsStr, fs, path::Path, path::PathBuf, process::Stdio};

use crate::account::Account;
use crate::error::{PrivatePostgresError, Result};
use crate::layout::{Layout, major};

/// Oldest supported major version: the first with lz4 for WAL, and the oldest that the tests run on.
const OLDEST: u32 = 15;

/// The programs of one PostgreSQL installation.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) initdb: PathBuf,
    pub(crate) postgres: PathBuf,
    /// Version that `postgres --version` prints, such as `15.18`.
    pub(crate) version: String,
}

impl Binaries {
    /// The first installation in `search_dirs` with the major version of the cluster in `layout`; without a cluster,
    /// the first that is new enough.
    ///
    /// # Errors
    /// [`PrivatePostgresError::OtherVersion`] when none has the version of the cluster. Without a cluster,
    /// [`PrivatePostgresError::NotInstalled`] or [`PrivatePostgresError::TooOld`]. [`PrivatePostgresError::Io`] when
    /// the version of the cluster can't be read.
    pub(crate) async fn find(search_dirs: &[PathBuf], account: &Account, layout: &Layout) -> Result<Self> {
        let needed = layout.cluster_version()?;
        let mut others = Vec::new();
        for directory in search_dirs {
            let Some(found) = Self::probe(directory, account).await else {
                continue;
            };
            if needed.map_or(found.major() >= OLDEST, |needed| found.major() == needed) {
                return Ok(found);
            }
            if !others.contains(&found.version) {
                others.push(found.version);
            }
        }
        let found = others.join(" and ");
        Err(match needed {
            Some(needed) => PrivatePostgresError::OtherVersion {
                cluster: layout.cluster.clone(),
                needed,
                found: if found.is_empty() { "no PostgreSQL".into() } else { found },
            },
            None if found.is_empty() => PrivatePostgresError::NotInstalled,
            None => PrivatePostgresError::TooOld { found },
        })
    }

    /// The installation in `directory`; `None` if its programs are missing or `account` can't run them.
    async fn probe(directory: &Path, account: &Account) -> Option<Self> {
        let (initdb, postgres) = (directory.join("initdb"), directory.join("postgres"));
        if !initdb.is_file() || !postgres.is_file() {
            return None;
        }
        let mut command = account.command(&postgres, Path::new("/"));
        let output = command.arg("--version").stdin(Stdio::null()).output().await.ok()?;
        let version = version(&String::from_utf8_lossy(&output.stdout))?.to_owned();
        Some(Self { initdb, postgres, version })
    }

    fn major(&self) -> u32 {
        major(&self.version)
    }
}

/// The directories of `path`, then those of Debian's packages (newest major version first), then that of a build from
/// source.
pub(crate) fn search_dirs(path: &OsStr) -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|entry| entry.path()).collect();
    found.sort_by_key(|path| std::cmp::Reverse(path.file_name().and_then(OsStr::to_str).map_or(0, major)));
    found.push("/usr/local/pgsql".into());
    std::env::split_paths(path).chain(found.into_iter().map(|path| path.join("bin"))).collect()
}

/// The version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, which is the third word.
fn version(output: &str) -> Option<&str> {
    output.split_whitespace().nth(2).filter(|version| major(version) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_parsed_from_the_output_of_the_server() {
        let debian = version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n");
        assert_eq!(debian, Some("15.18"));
        assert_eq!(version("postgres (PostgreSQL) 18beta1").map(major), Some(18));
        assert_eq!(version("postgres: command not found"), None);
        assert_eq!(version(""), None);
    }
}
