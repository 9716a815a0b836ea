//! The schema: forward-only migrations, embedded in the program.

use std::time::Duration;

use serde::Serialize;
use tokio_postgres::Client;

use crate::error::{Error, Refusal, chain};
use crate::statement::Statement;

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

const HISTORY: &str = "observatory_schema_history";

/// The advisory lock of the daemon that migrates or creates partitions.
pub(crate) const SCHEMA_LOCK: i64 = 0x6f62_7365_7276; // "observ"

static TRY_LOCK: Statement = Statement::fixed("migrate: try lock", "SELECT pg_try_advisory_lock($1)");
static UNLOCK: Statement = Statement::fixed("migrate: unlock", "SELECT pg_advisory_unlock($1)");
static HAS_HISTORY: Statement =
    Statement::fixed("migrate: has history", "SELECT to_regclass('observatory_schema_history') IS NOT NULL");
static NEWEST: Statement = Statement::fixed(
    "migrate: newest",
    "SELECT coalesce(max(version), 0)::integer FROM observatory_schema_history",
);

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&TRY_LOCK, &UNLOCK, &HAS_HISTORY, &NEWEST];

/// What a run of migrations did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Names of the migrations that this run applied.
    pub applied: Vec<String>,
    /// Version of the schema after the run.
    pub version: i32,
}

/// One migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Number of the migration.
    pub version: i32,
    /// Name of the migration.
    pub name: String,
    /// Whether the migration is applied.
    pub applied: bool,
}

/// The schema version that this program needs: the number of its newest migration.
pub fn known_version() -> i32 {
    let versions = embedded::migrations::runner().get_migrations().iter().map(|step| step.version()).max();
    versions.unwrap_or_default()
}

/// The schema version of the database; 0 before the first migration.
///
/// # Errors
/// [`Error::Postgres`] when the role may not read the history, [`Error::Unavailable`] when the connection is lost.
pub async fn version(client: &Client) -> Result<i32, Error> {
    if !client.query_one(HAS_HISTORY.sql(), &[]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    Ok(client.query_one(NEWEST.sql(), &[]).await?.get(0))
}

/// Checks that the database has the schema version that this program needs.
///
/// # Errors
/// [`Error::SchemaTooNew`] or [`Error::SchemaTooOld`] for another version, and those of [`version`].
pub async fn check(client: &Client) -> Result<(), Error> {
    let (found, known) = (version(client).await?, known_version());
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Error::SchemaTooNew { found, known }),
        std::cmp::Ordering::Less => Err(Error::SchemaTooOld { found, needed: known }),
    }
}

/// Every migration of this program, oldest first, and whether the database has it.
///
/// # Errors
/// Those of [`version`].
pub async fn status(client: &Client) -> Result<Vec<Step>, Error> {
    let found = version(client).await?;
    let runner = embedded::migrations::runner();
    let mut steps: Vec<_> = runner
        .get_migrations()
        .iter()
        .map(|step| Step {
            version: step.version(),
            name: step.name().to_owned(),
            applied: step.version() <= found,
        })
        .collect();
    steps.sort_by_key(|step| step.version);
    Ok(steps)
}

/// Applies the missing migrations. Several daemons may call this at once: one migrates, the others wait for it.
///
/// # Errors
/// [`Error::SchemaTooNew`] for a schema of a newer program, [`Error::Migration`] for a migration that fails and is
/// rolled back, and those of [`version`].
pub(crate) async fn run(client: &mut Client) -> Result<Applied, Error> {
    lock(client).await?;
    let result = run_locked(client).await;
    if let Err(error) = client.execute(UNLOCK.sql(), &[&SCHEMA_LOCK]).await {
        tracing::debug!(error = %chain(&error), "the lock on the schema was not released; it ends with the connection");
    }
    result
}

async fn run_locked(client: &mut Client) -> Result<Applied, Error> {
    let (found, known) = (version(client).await?, known_version());
    if found > known {
        return Err(Error::SchemaTooNew { found, known });
    }
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY);
    let report = runner.run_async(client).await.map_err(|error| Error::Migration(reason(&error)))?;
    let applied: Vec<_> = report.applied_migrations().iter().map(ToString::to_string).collect();
    Ok(Applied { applied, version: known })
}

/// The migration that failed, and why. The library itself shows an error of PostgreSQL as `db error`.
fn reason(error: &refinery::Error) -> String {
    match error.kind() {
        refinery::error::Kind::Connection(step, cause) => match cause.downcast_ref() {
            Some(refused) => format!("{step}: {}", Refusal(refused)),
            None => format!("{step}: {}", chain(cause.as_ref())),
        },
        _ => chain(error),
    }
}

/// Tries for the lock again and again. A session that waits for it inside PostgreSQL would hold up statements like
/// CREATE INDEX CONCURRENTLY, which wait for every older transaction.
async fn lock(client: &Client) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_millis(200);
    let mut waited = false;
    while !client.query_one(TRY_LOCK.sql(), &[&SCHEMA_LOCK]).await?.get::<_, bool>(0) {
        if !waited {
            tracing::info!("another observatory is migrating this database; waiting for it");
            waited = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
