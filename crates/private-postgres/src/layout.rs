//! The paths of a data directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;

use crate::error::{self, Result};

/// Name of the superuser and of the database of the cluster.
pub(crate) const NAME: &str = "observatory";

/// Length of the log, in bytes, from which the next start renames it to `postgres.log.1`.
const LOG_BYTES: u64 = 16 << 20;

/// The end of the log that an error message shows.
const LOG_TAIL_LINES: usize = 15;
const LOG_TAIL_BYTES: u64 = 8 << 10;

/// The paths of a data directory.
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
    /// The layout of `data_dir`, which is not created.
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

    /// The layout of `data_dir`, which is created if it does not exist.
    ///
    /// # Errors
    /// [`Io`](crate::PrivatePostgresError::Io) when it can't be created.
    pub(crate) fn create(data_dir: &Path) -> Result<Self> {
        if !data_dir.is_dir() {
            DirBuilder::new().recursive(true).create(data_dir).map_err(error::io("create", data_dir))?;
            // If the daemon is root, the user of the server must pass through to its own directories, but need not list
            // this one.
            let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
            set_mode(data_dir, mode)?;
        }
        Ok(Self::existing(data_dir))
    }

    /// Major version of the cluster; `None` without a cluster.
    pub(crate) fn cluster_version(&self) -> Result<Option<u32>> {
        let path = self.cluster.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(major(&version))),
            Err(absent) if absent.kind() == ErrorKind::NotFound => Ok(None),
            Err(refused) => Err(error::io("read", &path)(refused)),
        }
    }

    /// Opens the log for appending, after renaming one that is too long.
    pub(crate) fn open_log(&self) -> Result<File> {
        if fs::metadata(&self.log_file).is_ok_and(|log| log.len() > LOG_BYTES) {
            let aside = self.log_file.with_extension("log.1");
            fs::rename(&self.log_file, &aside).map_err(error::io("rename", &self.log_file))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        options.open(&self.log_file).map_err(error::io("open", &self.log_file))
    }

    /// Length of the log, in bytes; 0 without a log.
    pub(crate) fn log_bytes(&self) -> u64 {
        fs::metadata(&self.log_file).map_or(0, |log| log.len())
    }

    /// The last PANIC line of the log after the byte `from`, or else the last FATAL line. These describe the server;
    /// lines of failed statements might quote telemetry.
    pub(crate) fn last_words(&self, from: u64) -> Option<String> {
        let tail = self.log_tail(from);
        let last = |level: &str| tail.lines().rfind(|line| line.contains(level)).map(str::to_owned);
        last("PANIC:  ").or_else(|| last("FATAL:  "))
    }

    /// The last lines of the log after the byte `from`.
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

/// The major version in `15.18`, `18beta1` or `17devel`: the number at the start; 0 without one.
pub(crate) fn major(version: &str) -> u32 {
    let digits = version.bytes().take_while(u8::is_ascii_digit).count();
    version[..digits].parse().unwrap_or(0)
}
