//! The errors of a private PostgreSQL. Each message says what to do.

use std::{io, path::Path, path::PathBuf, time::Duration};

/// The alternative to a private PostgreSQL, at the end of most messages.
const INSTEAD: &str = "or set DATABASE_URL to a PostgreSQL that you run yourself";

/// Why the private PostgreSQL could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivatePostgresError {
    /// This machine has no `initdb` and `postgres`.
    #[error(
        "no PostgreSQL server found in PATH, /usr/lib/postgresql/*/bin or /usr/local/pgsql/bin: \
         `apt-get install postgresql` (15 or newer), {INSTEAD}"
    )]
    NotInstalled,
    /// All installed versions are too old.
    #[error(
        "PostgreSQL {found} is too old, 15 or newer is needed: install it (`apt-get install postgresql` on Debian 12, \
         Ubuntu 24.04 or newer), {INSTEAD}"
    )]
    TooOld {
        /// The installed versions: `14.9 and 13.2`.
        found: String,
    },
    /// No installed major version is that of the cluster.
    #[error(
        "{} was created by PostgreSQL {needed}, but only {found} is installed: `apt-get install postgresql-{needed}`, \
         or upgrade the directory with pg_upgrade, {INSTEAD}", .cluster.display()
    )]
    OtherVersion {
        /// Directory of the cluster.
        cluster: PathBuf,
        /// Major version of the cluster.
        needed: u32,
        /// The installed versions, or `no PostgreSQL`.
        found: String,
    },
    /// Another daemon uses the data directory.
    #[error(
        "{} is in use by {}: stop it, choose another --data-dir, {INSTEAD}", .data_dir.display(),
        .holder.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// Id of the process that uses it; `None` if the lock file names none.
        holder: Option<i32>,
    },
    /// The daemon runs as root, PostgreSQL refuses to, and there is no ordinary user for it.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`: \
         `useradd --system postgres`, run observatory as an ordinary user, {INSTEAD}"
    )]
    NoAccount,
    /// The user that runs PostgreSQL may not enter the data directory.
    #[error(
        "PostgreSQL runs as user `{user}`, who may not enter {}: `chmod o+x {0}`, choose a --data-dir elsewhere \
         (such as /var/lib/observatory), {INSTEAD}", .blocking.display()
    )]
    OutOfReach {
        /// The user that runs PostgreSQL.
        user: String,
        /// The outermost directory that this user may not enter.
        blocking: PathBuf,
    },
    /// The directory for the socket belongs to another user, or is no directory.
    #[error("{} must be a directory that belongs to user `{user}`: remove it, or choose a shorter --data-dir", .path.display())]
    ForeignSocketDirectory {
        /// Path of the directory.
        path: PathBuf,
        /// The user that must own it.
        user: String,
    },
    /// `initdb`, or the creation of the database, failed.
    #[error("{program} failed ({status}): correct what its output below names, {INSTEAD}:\n{output}")]
    Initialise {
        /// The program or statement: `initdb` or `CREATE DATABASE`.
        program: &'static str,
        /// Exit status of the program.
        status: std::process::ExitStatus,
        /// Output of the program.
        output: String,
    },
    /// The server ended before it accepted connections.
    #[error(
        "private PostgreSQL ended while starting: correct what its log names, {INSTEAD}. {} ends with:\n{log_tail}",
        .log_file.display()
    )]
    ExitedAtStart {
        /// Path of the log.
        log_file: PathBuf,
        /// The last lines of the log since this start.
        log_tail: String,
    },
    /// The server did not accept connections in time.
    #[error(
        "private PostgreSQL (process {pid}) does not accept connections after {} s. It keeps running, since it may be \
         recovering from a crash: read {} and try again. The log ends with:\n{log_tail}", .waited.as_secs(), .log_file.display()
    )]
    NotReady {
        /// Process id of the server.
        pid: i32,
        /// Time that the daemon waited.
        waited: Duration,
        /// Path of the log.
        log_file: PathBuf,
        /// The last lines of the log.
        log_tail: String,
    },
    /// The server still runs after an immediate shutdown.
    #[error(
        "private PostgreSQL (process {pid}) does not stop, perhaps because it waits for the disk: end it with `kill -9 {pid}`"
    )]
    StillRunning {
        /// Process id of the server.
        pid: i32,
    },
    /// The operating system refused an operation.
    #[error("cannot {action} {}: {source}{}", .path.display(), advice(.source))]
    Io {
        /// The operation, as a verb: `create`, `change the owner of`.
        action: &'static str,
        /// The object of the operation.
        path: PathBuf,
        /// The reason of the operating system.
        source: io::Error,
    },
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            "; run as the owner of the data directory, or choose another --data-dir"
        }
        io::ErrorKind::StorageFull => "; free some space, or choose another --data-dir",
        _ => "",
    }
}

/// A result with this crate's error.
pub(crate) type Result<T, E = PrivatePostgresError> = std::result::Result<T, E>;

/// Converts an error of the operating system, with the operation and its object.
pub(crate) fn io<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> PrivatePostgresError + 'a {
    move |source| PrivatePostgresError::Io { action, path: path.into(), source }
}
