//! Finding PostgreSQL's server programs, of a version that fits.

use std::{ffi::OsStr, fs, path::Path, path::PathBuf, process::Stdio};

use crate::account::Account;
use crate::error::{PrivatePostgresError, Result};
use crate::layout::{Layout, major};

/// The first version with lz4 for WAL; the oldest that tests run on.
const OLDEST: u32 = 15;

/// The programs of one PostgreSQL installation.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) initdb: PathBuf,
    pub(crate) postgres: PathBuf,
    /// As the server tells it, such as `15.18`.
    pub(crate) version: String,
}

impl Binaries {
    /// The first in `search_dirs` that is new enough, and of the major version that made the cluster in `layout` if
    /// there is one.
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

    /// `None` where the programs are missing, or may not be run by `account`.
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

/// The directories of `path`, then where Debian keeps each major version (newest first) and where a build from
/// source goes.
pub(crate) fn search_dirs(path: &OsStr) -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|entry| entry.path()).collect();
    found.sort_by_key(|path| std::cmp::Reverse(path.file_name().and_then(OsStr::to_str).map_or(0, major)));
    found.push("/usr/local/pgsql".into());
    std::env::split_paths(path).chain(found.into_iter().map(|path| path.join("bin"))).collect()
}

/// The third word of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(output: &str) -> Option<&str> {
    output.split_whitespace().nth(2).filter(|version| major(version) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_server_s_own_words() {
        let debian = version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n");
        assert_eq!(debian, Some("15.18"));
        assert_eq!(version("postgres (PostgreSQL) 18beta1").map(major), Some(18));
        assert_eq!(version("postgres: command not found"), None);
        assert_eq!(version(""), None);
    }
}
