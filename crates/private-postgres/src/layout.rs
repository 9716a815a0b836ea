//! The data directory: what lies where.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;

use crate::error::{self, Result};

/// Superuser and database of the private cluster.
pub(crate) const NAME: &str = "observatory";

/// A log longer than this is put aside (as `postgres.log.1`) before the next start.
const LOG_BYTES: u64 = 16 << 20;

/// How much of the log an error message shows.
const LOG_TAIL_LINES: usize = 15;
const LOG_TAIL_BYTES: u64 = 8 << 10;

/// Where things are in a data directory.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) data_dir: PathBuf,
    pub(crate) cluster: PathBuf,
    pub(crate) conf_file: PathBuf,
    pub(crate) log_file: PathBuf,
    pub(crate) run_dir: PathBuf,
    pub(crate) lock_file: PathBuf,
}

impl Layout {
    /// The layout of `data_dir` as it stands.
    pub(crate) fn existing(data_dir: &Path) -> Self {
        let data_dir = fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.into());
        Self {
            cluster: data_dir.join("postgres"),
            conf_file: data_dir.join("postgres.conf"),
            log_file: data_dir.join("postgres.log"),
            run_dir: data_dir.join("run"),
            lock_file: data_dir.join("lock"),
            data_dir,
        }
    }

    /// The same, after creating `data_dir` where it does not exist.
    pub(crate) fn create(data_dir: &Path) -> Result<Self> {
        if !data_dir.is_dir() {
            DirBuilder::new().recursive(true).create(data_dir).map_err(error::io("create", data_dir))?;
            // Under root the server's user must pass through to its own directories, but need not look around.
            let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
            set_mode(data_dir, mode)?;
        }
        Ok(Self::existing(data_dir))
    }

    /// The major version that made the cluster, if there is one.
    pub(crate) fn cluster_version(&self) -> Result<Option<u32>> {
        let path = self.cluster.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(major(&version))),
            Err(absent) if absent.kind() == ErrorKind::NotFound => Ok(None),
            Err(refused) => Err(error::io("read", &path)(refused)),
        }
    }

    /// The log, to append to.
    pub(crate) fn open_log(&self) -> Result<File> {
        if fs::metadata(&self.log_file).is_ok_and(|log| log.len() > LOG_BYTES) {
            let aside = self.log_file.with_extension("log.1");
            fs::rename(&self.log_file, &aside).map_err(error::io("rename", &self.log_file))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        options.open(&self.log_file).map_err(error::io("open", &self.log_file))
    }

    /// How long the log is.
    pub(crate) fn log_bytes(&self) -> u64 {
        fs::metadata(&self.log_file).map_or(0, |log| log.len())
    }

    /// The last line after the byte `from` of the log in which PostgreSQL gave up, if there is one. Such lines are about the
    /// server; those of failed statements might quote telemetry.
    pub(crate) fn last_words(&self, from: u64) -> Option<String> {
        let tail = self.log_tail(from);
        let last = |level: &str| tail.lines().rfind(|line| line.contains(level)).map(str::to_owned);
        last("PANIC:  ").or_else(|| last("FATAL:  "))
    }

    /// The last lines of the log, of those after the byte `from`.
    pub(crate) fn log_tail(&self, from: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut log = File::open(&self.log_file)?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(from.max(length.saturating_sub(LOG_TAIL_BYTES))))?;
            let mut tail = Vec::new();
            log.read_to_end(&mut tail)?;
            Ok(tail)
        };
        let tail = read().unwrap_or_default();
        let tail = String::from_utf8_lossy(&tail);
        let lines: Vec<&str> = tail.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

/// Sets the permissions of `path`.
pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(error::io("change the mode of", path))
}

/// The number that `15.18`, `18beta1` or `17devel` begins with; 0 if none.
pub(crate) fn major(version: &str) -> u32 {
    let digits = version.bytes().take_while(u8::is_ascii_digit).count();
    version[..digits].parse().unwrap_or(0)
}
