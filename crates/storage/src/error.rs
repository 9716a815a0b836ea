//! What can go wrong, by who must act on it.

use std::fmt;

use tokio_postgres::error::SqlState;

use crate::config::ConfigError;
use crate::models::attributes::Inconsistent;

/// What can go wrong in the storage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong: the operator must change it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// PostgreSQL can't be reached or can't work now: try again later.
    #[error("PostgreSQL is not available: {0}")]
    Unavailable(String),
    /// The connection was lost between COMMIT and its answer, or the answer was not to be trusted: the transaction may be
    /// committed or not. Run it again; the ledger knows.
    #[error("it is not known whether the transaction was committed: {0}")]
    InDoubt(String),
    /// PostgreSQL is set up so that it may lose what it committed.
    #[error(
        "PostgreSQL may lose what it committed, since {} off: switch on, or accept that with \
         database.allow_unsafe_durability", Settings(.0)
    )]
    UnsafeDurability(Vec<String>),
    /// PostgreSQL refused a statement.
    #[error("PostgreSQL refused: {}", Refusal(.0))]
    Postgres(tokio_postgres::Error),
    /// The database was migrated by a newer program than this one.
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
    /// The database has not been migrated yet.
    #[error(
        "the database schema has version {found}, and this program needs {needed}: run `observatory migrate`"
    )]
    SchemaTooOld {
        /// The newest migration in the database; 0 for none.
        found: i32,
        /// The newest migration in this program.
        needed: i32,
    },
    /// A migration failed.
    #[error("migration failed: {0}")]
    Migration(String),
    /// TLS can't be set up.
    #[error("TLS to PostgreSQL: {0}")]
    Tls(String),
    /// Redis can't be reached or refused.
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// Rows lie on days that have no partition and may not get one.
    #[error("rows of {0} days need partitions beyond partitions.max_days: raise it, or leave those rows out")]
    TooManyDays(usize),
    /// A row contradicts itself.
    #[error("inconsistent row: {0}")]
    Inconsistent(#[from] Inconsistent),
}

/// What a failed statement means for whoever ran it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The database can't be reached, is shutting down, read-only, full or out of connections: try later.
    Unavailable,
    /// A conflict between transactions: the same work may succeed at once.
    Conflict,
    /// A unique key is there already.
    Duplicate,
    /// A value that PostgreSQL can't hold: the same row will fail again.
    Data,
    /// No partition holds the row.
    NoPartition,
    /// The statement ran out of its time.
    TimedOut,
    /// A mistake of ours.
    Bug,
}

impl Error {
    /// What this error means for whoever ran the statement.
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
    /// Whether the statement failed only because one before it in the same transaction did.
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

/// How the driver's errors begin that no other connection would mend. It does not tell its kinds apart in another way.
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
        return Failure::NoPartition; // a CHECK that somebody added has a name; a missing partition has none
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
        // Connection, resources, operator's intervention, system; and 25006: read-only after a failover.
        Some("08" | "53" | "57" | "58") => Failure::Unavailable,
        Some("25") if *state == SqlState::READ_ONLY_SQL_TRANSACTION => Failure::Unavailable,
        // Values and limits; and constraints and triggers (P0001) that an operator added.
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

/// Shows a refusal without the values that its message may quote, and which right is missing where one is.
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

/// What lets the role do what PostgreSQL forbade it with this message.
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

/// The error and its causes on one line: the driver's own text names only the outermost.
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
