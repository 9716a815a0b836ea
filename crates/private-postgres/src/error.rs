//! What can go wrong with a private PostgreSQL, each with what to do about it.

use std::{io, path::Path, path::PathBuf, time::Duration};

const INSTEAD: &str = "or set DATABASE_URL to a PostgreSQL that you run yourself";

/// Why the private PostgreSQL could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivatePostgresError {
    /// No `initdb` and `postgres` on this machine.
    #[error(
        "no PostgreSQL server found in PATH, /usr/lib/postgresql/*/bin or /usr/local/pgsql/bin: \
         `apt-get install postgresql` (15 or newer), {INSTEAD}"
    )]
    NotInstalled,
    /// Only versions that lack what we rely on.
    #[error(
        "PostgreSQL {found} is too old, 15 or newer is needed: install it (`apt-get install postgresql` on Debian 12, \
         Ubuntu 24.04 or newer), {INSTEAD}"
    )]
    TooOld {
        /// The versions found.
        found: String,
    },
    /// The cluster belongs to another major version than those installed.
    #[error(
        "{} was created by PostgreSQL {needed}, but only {found} is installed: `apt-get install postgresql-{needed}`, \
         or upgrade the directory with pg_upgrade, {INSTEAD}", .cluster.display()
    )]
    OtherVersion {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The major version that made it.
        needed: u32,
        /// The versions found.
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
        /// The process that holds it, where it can be told.
        holder: Option<i32>,
    },
    /// PostgreSQL refuses to run as root, and there is no one else to run it as.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`: \
         `useradd --system postgres`, run observatory as an ordinary user, {INSTEAD}"
    )]
    NoAccount,
    /// A directory on the way to the data directory shuts out the user that PostgreSQL runs as.
    #[error(
        "PostgreSQL runs as user `{user}`, who may not enter {}: `chmod o+x {0}`, choose a --data-dir elsewhere \
         (such as /var/lib/observatory), {INSTEAD}", .blocking.display()
    )]
    OutOfReach {
        /// The user that PostgreSQL runs as.
        user: String,
        /// The outermost directory that the user may not enter.
        blocking: PathBuf,
    },
    /// The directory for the socket belongs to someone else.
    #[error("{} must be a directory that belongs to user `{user}`: remove it, or choose a shorter --data-dir", .path.display())]
    ForeignSocketDirectory {
        /// The directory.
        path: PathBuf,
        /// Whom it must belong to.
        user: String,
    },
    /// `initdb`, or the creation of the database, failed.
    #[error("{program} failed ({status}): mend what it names, {INSTEAD}:\n{output}")]
    Initialise {
        /// What was run.
        program: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        output: String,
    },
    /// The server ended before it accepted connections.
    #[error("private PostgreSQL ended while starting; {} ends with:\n{log_tail}", .log_file.display())]
    ExitedAtStart {
        /// Its log.
        log_file: PathBuf,
        /// The last lines that it wrote in this attempt.
        log_tail: String,
    },
    /// The server did not accept connections in time.
    #[error(
        "private PostgreSQL (process {pid}) does not accept connections after {} s; it is left running, as it may be \
         recovering from a crash: see {} and try again. It ends with:\n{log_tail}", .waited.as_secs(), .log_file.display()
    )]
    NotReady {
        /// The server's process.
        pid: i32,
        /// How long it was given.
        waited: Duration,
        /// Its log.
        log_file: PathBuf,
        /// The last lines of the log.
        log_tail: String,
    },
    /// The server survived a request to stop at once.
    #[error(
        "private PostgreSQL (process {pid}) does not stop, perhaps it waits for the disk: end it with `kill -9 {pid}`"
    )]
    StillRunning {
        /// The server's process.
        pid: i32,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}{}", .path.display(), advice(.source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
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

/// What this crate's functions give.
pub(crate) type Result<T, E = PrivatePostgresError> = std::result::Result<T, E>;

/// Puts what was tried, and on what, beside an error of the operating system.
pub(crate) fn io<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> PrivatePostgresError + 'a {
    move |source| PrivatePostgresError::Io { action, path: path.into(), source }
}
