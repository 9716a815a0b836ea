//! `observatory migrate`: applies migrations, or shows them.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use llm_observatory_config::Secret;
use llm_observatory_private_postgres::{PrivatePostgres, StartOptions};
use llm_observatory_storage::{StoragePool, migrate};

use super::failure::Failure;
use super::logging::start_logging;
use super::options::Options;
use super::output::{print, print_table};
use super::table::Table;
use crate::config::Config;

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Verb {
    /// Apply the missing migrations (the default).
    Up,
    /// Show every migration, and whether the database has it.
    Status,
}

impl Migrate {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut config = self.options.load(None)?;
        start_logging(&config)?;
        let verb = self.verb.unwrap_or(Verb::Up);
        let private = match verb {
            Verb::Up => reach_private(&mut config).await?,
            Verb::Status => reach_existing(&mut config).await?,
        };
        let done = match verb {
            Verb::Up => up(&config).await,
            Verb::Status => status(&config).await,
        };
        if let Some(private) = private {
            private.stop().await?;
        }
        done
    }
}

/// Finds the database for a command that only reads it: creates none, and tries to connect once. Returns a private
/// PostgreSQL that was started for the command, which must stop it.
pub(super) async fn reach_existing(config: &mut Config) -> Result<Option<PrivatePostgres>, Failure> {
    config.storage.connect_retry.attempts = 1;
    if !config.storage.names_a_database() && !PrivatePostgres::exists(&config.data_dir)? {
        return Err(Failure::Unwell(format!(
            "there is no database: none is configured, and the data directory {} holds none. \
             `observatory serve` creates one there; name another one with --data-dir or --database-url",
            config.data_dir.display()
        )));
    }
    reach_private(config).await
}

/// Without a configured database: attaches to the private PostgreSQL of a running daemon, or starts it for the command
/// and returns it.
async fn reach_private(config: &mut Config) -> Result<Option<PrivatePostgres>, Failure> {
    if config.storage.names_a_database() {
        return Ok(None);
    }
    if let Some(url) = PrivatePostgres::attach(&config.data_dir).await? {
        config.storage.database.url = Some(Secret::new(url));
        return Ok(None);
    }
    let options = StartOptions::from_env(config.private_postgres.clone());
    let private = PrivatePostgres::start(&config.data_dir, options).await?;
    config.storage.database.url = Some(Secret::new(private.url()));
    Ok(Some(private))
}

async fn connect(config: &Config) -> Result<StoragePool, Failure> {
    let pool = StoragePool::new(config.storage.clone()).await;
    Ok(pool.with_context(|| format!("database {}", config.storage.database.address()))?)
}

async fn up(config: &Config) -> Result<(), Failure> {
    let applied = connect(config).await?.run_migrations().await?;
    let lines = applied.applied.iter().map(|name| format!("applied {name}\n"));
    print(&format!("{}the schema has version {}", lines.collect::<String>(), applied.version))
}

async fn status(config: &Config) -> Result<(), Failure> {
    let pool = connect(config).await?;
    let client = pool.connect().await?;
    let mut table = Table::new(&["version", "migration", "applied"]);
    for step in migrate::status(&client).await? {
        table.row([step.version.to_string(), step.name, if step.applied { "yes" } else { "no" }.to_owned()]);
    }
    print_table(&table)?;
    let (found, known) = (migrate::version(&client).await?, migrate::known_version());
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => {
            Err(llm_observatory_storage::Error::SchemaTooNew { found, known }.into())
        }
        std::cmp::Ordering::Equal | std::cmp::Ordering::Less => Ok(()),
    }
}
