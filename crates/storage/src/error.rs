//! The errors of the storage, and what each means for its caller.

use std::fmt;

use tokio_postgres::error::SqlState;

use crate::config::ConfigError;
use crate::models::attributes::Inconsistent;

/// Why the storage could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is invalid; the operator must change it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// PostgreSQL can't be reached, does not answer in time, or the connection was lost. Try again later.
    #[error("PostgreSQL is not available: {0}")]
    Unavailable(String),
    /// The connection was lost between COMMIT and its answer, or PostgreSQL warned that a standby may lack the
    /// transaction. Run the transaction again: the ledger tells whether it was committed.
    #[error("it is not known whether the transaction was committed: {0}")]
    InDoubt(String),
    /// The named settings of PostgreSQL are off, so that a crash may lose committed data.
    #[error(
        "a crash of PostgreSQL may lose committed data, since {} off: change postgresql.conf, or set \
         database.allow_unsafe_durability to true", Settings(.0)
    )]
    UnsafeDurability(Vec<String>),
    /// PostgreSQL refused a statement or a login. [`Error::failure`] says why.
    #[error("PostgreSQL refused: {}", Refusal(.0))]
    Postgres(tokio_postgres::Error),
    /// A newer program migrated the database.
    #[error(
        "the database schema has version {found}, and this program knows versions up to {known}: \
         run a newer observatory, or restore the database from before its upgrade"
    )]
    SchemaTooNew {
        /// The newest migration in the database.
        found: i32,
        /// The newest migration in this program.
        known: i32,
    },
    /// The database lacks migrations of this program.
    #[error(
        "the database schema has version {found}, and this program needs {needed}: run `observatory migrate`"
    )]
    SchemaTooOld {
        /// The newest migration in the database; 0 for none.
        found: i32,
        /// The newest migration in this program.
        needed: i32,
    },
    /// A migration failed: its name and the cause.
    #[error("migration failed: {0}")]
    Migration(String),
    /// TLS can't be set up.
    #[error("TLS to PostgreSQL: {0}")]
    Tls(String),
    /// Redis can't be reached, or it refused a command.
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// Rows belong to declined days. The number of these days.
    #[error("rows of {0} days have no partition: raise partitions.max_days, or leave those rows out")]
    TooManyDays(usize),
    /// The columns of a stored row contradict each other.
    #[error("inconsistent row: {0}")]
    Inconsistent(#[from] Inconsistent),
}

/// What a failed statement means for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The database can't be reached, is shutting down, read-only, full or out of connections. Try again later.
    Unavailable,
    /// Transactions conflicted. The same work may succeed at once.
    Conflict,
    /// A row with the same unique key is stored already.
    Duplicate,
    /// PostgreSQL can't store a value, or a constraint or trigger refuses it. The same row fails again.
    Data,
    /// The table has no partition for the row.
    NoPartition,
    /// The statement exceeded its time limit.
    TimedOut,
    /// The program or its configuration is wrong. The same statement fails again.
    Bug,
}

impl Error {
    /// What this error means for its caller.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Unavailable(_) | Self::InDoubt(_) | Self::UnsafeDurability(_) | Self::Redis(_) => {
                Failure::Unavailable
            }
            Self::Postgres(error) => failure_of(error),
            Self::TooManyDays(_) => Failure::NoPartition,
            Self::Config(_)
            | Self::SchemaTooNew { .. }
            | Self::SchemaTooOld { .. }
            | Self::Migration(_)
            | Self::Tls(_)
            | Self::Inconsistent(_) => Failure::Bug,
        }
    }
}

impl Error {
    /// Whether the statement failed only because an earlier one of its transaction did.
    pub(crate) fn is_consequence(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION))
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = chain(&error);
        if error.as_db_error().is_some() || OUR_MISTAKES.iter().any(|mistake| text.starts_with(mistake)) {
            return Self::Postgres(error);
        }
        Self::Unavailable(text)
    }
}

impl From<bb8::RunError<tokio_postgres::Error>> for Error {
    fn from(error: bb8::RunError<tokio_postgres::Error>) -> Self {
        match error {
            bb8::RunError::User(error) => Self::from(error),
            bb8::RunError::TimedOut => {
                Self::Unavailable("no connection became free within database.acquire_timeout_ms".to_owned())
            }
        }
    }
}

/// The first words of the driver's errors that another connection would not solve. The driver offers no other way to
/// tell its errors apart.
const OUR_MISTAKES: &[&str] =
    &["error serializing parameter", "error deserializing column", "invalid column", "expected "];

fn failure_of(error: &tokio_postgres::Error) -> Failure {
    let Some(state) = error.code() else {
        return Failure::Bug;
    };
    if *state == SqlState::UNIQUE_VIOLATION {
        return Failure::Duplicate;
    }
    if *state == SqlState::CHECK_VIOLATION && error.as_db_error().is_none_or(|db| db.constraint().is_none()) {
        return Failure::NoPartition; // a CHECK constraint has a name, a missing partition has none
    }
    if *state == SqlState::QUERY_CANCELED {
        return Failure::TimedOut;
    }
    let conflicts =
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE];
    if conflicts.contains(state) {
        return Failure::Conflict;
    }
    match state.code().get(..2) {
        // Connection, resources, operator intervention, system. And 25006: read-only after a failover.
        Some("08" | "53" | "57" | "58") => Failure::Unavailable,
        Some("25") if *state == SqlState::READ_ONLY_SQL_TRANSACTION => Failure::Unavailable,
        // Values, constraints, limits. And P0001: a trigger that an operator added.
        Some("22" | "23" | "54") => Failure::Data,
        Some("P0") if *state == SqlState::RAISE_EXCEPTION => Failure::Data,
        _ => Failure::Bug,
    }
}

/// Names of settings in a sentence: `fsync is`, `fsync and full_page_writes are`.
struct Settings<'a>(&'a [String]);

impl fmt::Display for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.join(" and "), if self.0.len() == 1 { "is" } else { "are" })
    }
}

/// Shows an error of PostgreSQL without the values that its message may quote, and with the GRANT that a missing right
/// needs.
pub(crate) struct Refusal<'a>(pub(crate) &'a tokio_postgres::Error);

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(refusal)
                if matches!(
                    failure_of(self.0),
                    Failure::Data | Failure::Duplicate | Failure::NoPartition
                ) =>
            {
                write!(f, "SQLSTATE {}", refusal.code().code())?;
                refusal.table().map_or(Ok(()), |table| write!(f, " in table {table}"))
            }
            Some(refusal) => {
                write!(f, "{} (SQLSTATE {})", refusal.message(), refusal.code().code())?;
                if *refusal.code() == SqlState::INSUFFICIENT_PRIVILEGE {
                    write!(f, "; {}", missing_right(refusal.message()))?;
                }
                Ok(())
            }
            None => write!(f, "{}", chain(self.0)),
        }
    }
}

/// The statement or role that a `permission denied` message calls for.
fn missing_right(message: &str) -> String {
    let grant =
        |rights: &str| format!("as the owner of the database: GRANT {rights} TO the role that connects");
    match message.strip_prefix("permission denied for ").and_then(|object| object.split_once(' ')) {
        Some(("schema", name)) => grant(&format!("USAGE, CREATE ON SCHEMA {name}")),
        Some(("database", name)) => grant(&format!("CONNECT, CREATE ON DATABASE {name}")),
        Some(("table" | "view", _)) => grant("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"),
        Some(("sequence", _)) => grant("USAGE ON ALL SEQUENCES IN SCHEMA public"),
        Some(("function", _)) => grant("EXECUTE ON ALL FUNCTIONS IN SCHEMA public"),
        // `must be owner of table`: to alter, attach or drop one.
        _ => "connect as the role that owns the tables, or as a member of it".to_owned(),
    }
}

/// The error and its causes on one line. The driver's own text names only the outermost.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
