//! The server as the daemon has it: started or adopted, and stopped.

use std::{fs::File, path::Path, path::PathBuf, process::Stdio, time::Duration};

use nix::sys::signal::Signal;
use tokio::sync::watch;

use crate::account::Account;
use crate::binaries::{self, Binaries};
use crate::config::PrivatePostgresConfig;
use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::Layout;
use crate::lock::Lock;
use crate::postmaster::{self, Postmaster};
use crate::{cluster, settings, socket};

/// PostgreSQL itself kills what has not heeded an immediate shutdown after 5 s.
const IMMEDIATE_STOP_TIMEOUT: Duration = Duration::from_secs(7);

/// What the private PostgreSQL takes from its surroundings.
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// Where to look for `initdb` and `postgres`; the first place with a version that fits is taken.
    pub search_dirs: Vec<PathBuf>,
    /// Where the socket goes when the data directory's path is too long for one.
    pub temp_dir: PathBuf,
    /// Its limits.
    pub config: PrivatePostgresConfig,
}

impl StartOptions {
    /// The process's `PATH`, then the places where packages put PostgreSQL; the system's temporary directory.
    pub fn from_env(config: PrivatePostgresConfig) -> Self {
        Self {
            search_dirs: binaries::search_dirs(&std::env::var_os("PATH").unwrap_or_default()),
            temp_dir: std::env::temp_dir(),
            config,
        }
    }
}

/// A running private PostgreSQL, and the exclusive right to its data directory.
///
/// Dropping it without [`stop`](Self::stop) gives up the right but leaves the server running: the next
/// [`start`](Self::start) adopts it.
#[derive(Debug)]
pub struct PrivatePostgres {
    pub(crate) layout: Layout,
    pub(crate) options: StartOptions,
    pub(crate) postmaster: Postmaster,
    /// Why the server does not run, while it does not.
    pub(crate) trouble: watch::Sender<Option<String>>,
    socket_dir: PathBuf,
    // Held for its drop, which lets the next daemon have the data directory.
    _lock: Lock,
}

impl PrivatePostgres {
    /// Starts the PostgreSQL of `data_dir`, creating the directory and the cluster when there are none, or adopts
    /// the one that an earlier daemon left running. Returns when it accepts connections.
    ///
    /// # Errors
    /// Each variant of [`PrivatePostgresError`] but `StillRunning`; each says what to do.
    pub async fn start(data_dir: &Path, options: StartOptions) -> Result<Self> {
        let layout = Layout::create(data_dir)?;
        let lock = Lock::take(&layout)?;
        let account = Account::choose(&layout)?;
        let binaries = Binaries::find(&options.search_dirs, &account, &layout).await?;
        account.check_reach(&layout, &binaries.postgres).await?;
        cluster::ensure(&layout, &account, &binaries).await?;
        settings::write(&layout, &account, &binaries).await?;

        let adopted = match Postmaster::find(&layout)? {
            Some(mut found) => {
                // Settings that need no restart take effect in an adopted server too.
                found.signal(Signal::SIGHUP)?;
                // None: it was on its way out, and has now gone.
                let socket_dir = found.ready_within(options.config.start_within(), &layout).await?;
                socket_dir.map(|dir| (found, dir))
            }
            None => None,
        };
        let was_adopted = adopted.is_some();
        let (postmaster, socket_dir) = match adopted {
            Some(adopted) => adopted,
            None => {
                let socket_dir = socket::directory(&layout, &account, &options.temp_dir)?;
                let mut postmaster = spawn(&layout, &account, &binaries, &socket_dir)?;
                let socket_dir = accepts(&mut postmaster, &layout, &options).await?;
                (postmaster, socket_dir)
            }
        };
        tracing::info!(
            postgres.pid = postmaster.pid(),
            postgres.version = %binaries.version,
            postgres.socket_dir = %socket_dir.display(),
            postgres.adopted = was_adopted,
            "private PostgreSQL started"
        );
        let (trouble, _) = watch::channel(None);
        Ok(Self { layout, options, postmaster, trouble, socket_dir, _lock: lock })
    }

    /// The address of the database `observatory`, as `psql` and every PostgreSQL driver understand it.
    pub fn url(&self) -> String {
        socket::url(&self.socket_dir)
    }

    /// Why the server does not run, while it does not; known only while [`Self::keep`] runs.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Whether `data_dir` holds a cluster that was created before, running or not.
    ///
    /// # Errors
    /// [`PrivatePostgresError::Io`] when `data_dir` may not be read by this user.
    pub fn exists(data_dir: &Path) -> Result<bool> {
        Ok(Layout::existing(data_dir).cluster_version()?.is_some())
    }

    /// Finds the PostgreSQL that a daemon keeps running in `data_dir`, without owning it. `None` when none accepts
    /// connections there.
    ///
    /// # Errors
    /// [`PrivatePostgresError::Io`] when this user may not read `data_dir`.
    pub async fn attach(data_dir: &Path) -> Result<Option<String>> {
        let layout = Layout::existing(data_dir);
        Ok(match Postmaster::find(&layout)? {
            Some(found) => found.ready_socket_dir(&layout).await?.map(|dir| socket::url(&dir)),
            None => None,
        })
    }

    /// Starts the server again after it ended, at the same address. It never makes a cluster: in an empty one everything that
    /// was acknowledged would seem to be lost.
    ///
    /// The future may be dropped at any time: what it started by then is known to [`Self::stop`].
    ///
    /// # Errors
    /// As [`Self::start`]. After [`PrivatePostgresError::NotReady`] the server still starts, and the next call waits for it.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        if self.postmaster.gone()? {
            let account = Account::choose(&self.layout)?;
            let binaries = Binaries::find(&self.options.search_dirs, &account, &self.layout).await?;
            settings::write(&self.layout, &account, &binaries).await?;
            socket::prepare(&self.socket_dir, &account)?;
            self.postmaster = match Postmaster::find(&self.layout)? {
                Some(found) => found,
                None => spawn(&self.layout, &account, &binaries, &self.socket_dir)?,
            };
        }
        accepts(&mut self.postmaster, &self.layout, &self.options).await.map(drop)
    }

    /// Stops the server, adopted or not: orderly, and after `stop_within_s` at once.
    ///
    /// # Errors
    /// [`PrivatePostgresError::StillRunning`] when it heeds neither; [`PrivatePostgresError::Io`] when it can't be signalled.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.postmaster.pid();
        self.postmaster.signal(Signal::SIGINT)?;
        if !self.postmaster.gone_within(self.options.config.stop_within()).await? {
            tracing::warn!(
                postgres.pid = pid,
                postgres.stop_within_s = self.options.config.stop_within_s,
                "private PostgreSQL is slow to stop, cutting it off; its next start recovers from the log"
            );
            self.postmaster.signal(Signal::SIGQUIT)?;
            if !self.postmaster.gone_within(IMMEDIATE_STOP_TIMEOUT).await? {
                return Err(PrivatePostgresError::StillRunning { pid });
            }
        }
        tracing::info!(postgres.pid = pid, "private PostgreSQL stopped");
        Ok(())
    }
}

/// Waits until the server accepts connections; gives the directory of its socket.
async fn accepts(postmaster: &mut Postmaster, layout: &Layout, options: &StartOptions) -> Result<PathBuf> {
    postmaster.ready_within(options.config.start_within(), layout).await?.ok_or_else(|| {
        PrivatePostgresError::ExitedAtStart {
            log_tail: layout.log_tail(postmaster.log_start()),
            log_file: layout.log_file.clone(),
        }
    })
}

fn spawn(layout: &Layout, account: &Account, binaries: &Binaries, socket_dir: &Path) -> Result<Postmaster> {
    postmaster::remove_misleading_pid_files(layout)?;
    let log = layout.open_log()?;
    let log_start = layout.log_bytes();
    let duplicate = |log: &File| log.try_clone().map_err(error::io("open", &layout.log_file));
    let child = account
        .command(&binaries.postgres, &layout.data_dir)
        .arg("-D")
        .arg(&layout.cluster)
        // What keeps strangers out and the socket findable stands above every file and ALTER SYSTEM.
        .arg("-c")
        .arg(settings::assignment("config_file", layout.conf_file.as_os_str()))
        .args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "unix_socket_permissions=0700", "-c"])
        .arg(settings::assignment("unix_socket_directories", &settings::list_item(socket_dir)))
        .stdin(Stdio::null())
        .stdout(duplicate(&log)?)
        .stderr(log)
        .spawn()
        .map_err(error::io("start", &binaries.postgres))?;
    Ok(Postmaster::spawned(child, layout, log_start))
}
