//! `observatory serve`: runs the daemon until it is stopped.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use llm_observatory_config::Secret;
use llm_observatory_private_postgres::{PrivatePostgres, StartOptions};
use llm_observatory_storage::postgres::unsafe_settings;
use llm_observatory_storage::{StoragePool, migrate};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::logging::start_logging;
use super::options::{Listen, Options};
use super::signals::Signals;
use crate::app::{App, Listeners};
use crate::config::Config;
use crate::health::Trouble;

/// Options of `serve`.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    listen: Listen,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut config = self.options.load(Some(&self.listen))?;
        start_logging(&config)?;
        raise_descriptor_limit();
        // The first signal stops the daemon, a second one gives up the requests in flight.
        let mut signals = Signals::new()?;
        let listeners = Listeners::bind(&config).await?;
        let private = start_private(&mut config).await?;
        // From here on the keeper starts the private PostgreSQL again when it dies, until the daemon stops.
        let stopping = CancellationToken::new();
        let trouble = private.as_ref().map(PrivatePostgres::trouble);
        let keeper = private.map(|private| tokio::spawn(private.keep(stopping.clone())));
        let served = serve(config, listeners, trouble, &stopping, &mut signals).await;
        stopping.cancel();
        let stopped = match keeper {
            Some(keeper) => keeper.await?.stop().await,
            None => Ok(()),
        };
        served?;
        Ok(stopped?)
    }
}

/// Starts a private PostgreSQL if no database is configured, and writes its URL into the configuration.
async fn start_private(config: &mut Config) -> Result<Option<PrivatePostgres>, Failure> {
    if config.storage.names_a_database() {
        return Ok(None);
    }
    let options = StartOptions::from_env(config.private_postgres.clone());
    let private = PrivatePostgres::start(&config.data_dir, options).await?;
    config.storage.database.url = Some(Secret::new(private.url()));
    Ok(Some(private))
}

async fn serve(
    config: Config,
    listeners: Listeners,
    trouble: Option<Trouble>,
    stopping: &CancellationToken,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let database = config.storage.database.public_url();
    let pool = tokio::select! {
        pool = connect(&config) => pool?,
        () = signals.next() => return Ok(()),
    };
    let addresses = listeners.addresses();
    let running = App::build(config, pool, listeners, trouble).spawn().await;
    announce(&format!("ready {addresses} database={database}"));
    let failed = tokio::select! {
        () = signals.next() => false,
        () = running.failed() => true,
    };
    stopping.cancel();
    tracing::info!("stopping");
    running.stop(signals.next()).await;
    if failed {
        return Err(anyhow::anyhow!("a part of the daemon ended unexpectedly; the log says why").into());
    }
    tracing::info!("stopped");
    Ok(())
}

/// Connects to the database. A daemon that ingests checks its durability and migrates it; another one only checks the
/// version of the schema.
async fn connect(config: &Config) -> Result<StoragePool, Failure> {
    let pool = StoragePool::new(config.storage.clone())
        .await
        .with_context(|| format!("database {}", config.storage.database.address()))?;
    if config.role.ingests() {
        check_durability(&pool).await?;
        let applied = pool.run_migrations().await?;
        for name in applied.applied {
            tracing::info!(migration = name, "migration applied");
        }
    } else {
        migrate::check(&pool.connect().await?).await?;
    }
    Ok(pool)
}

/// Fails if PostgreSQL may lose committed data in a crash, since what the daemon acknowledges must survive one. If
/// `storage.database.allow_unsafe_durability` permits it, this logs an error instead.
async fn check_durability(pool: &StoragePool) -> Result<(), Failure> {
    let lacking = unsafe_settings(&*pool.get().await?).await?;
    if lacking.is_empty() {
        return Ok(());
    }
    let unsafe_durability = llm_observatory_storage::Error::UnsafeDurability(lacking);
    if !pool.config().database.allow_unsafe_durability {
        return Err(unsafe_durability.into());
    }
    tracing::error!("acknowledged telemetry may be lost in a crash: {unsafe_durability}");
    Ok(())
}

/// Raises the limit of file descriptors as far as the system permits, since every connection takes one.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of file descriptors could not be raised");
    }
}

/// Prints on standard output that the daemon is ready, for scripts that wait for this line. It is no error when
/// standard output is closed.
fn announce(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
