//! Starts, adopts, restarts and stops the server.

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

/// Wait after an immediate shutdown. PostgreSQL itself kills its remaining processes after 5 s.
const IMMEDIATE_STOP_TIMEOUT: Duration = Duration::from_secs(7);

/// Options of [`PrivatePostgres::start`].
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// Directories to search for `initdb` and `postgres`. The first with a suitable version is used.
    pub search_dirs: Vec<PathBuf>,
    /// Directory for the socket if the path of the data directory is too long for one.
    pub temp_dir: PathBuf,
    /// Limits of the server.
    pub config: PrivatePostgresConfig,
}

impl StartOptions {
    /// Options that search `PATH` and the directories of PostgreSQL packages, with the system's temporary directory.
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
/// Dropping it without [`stop`](Self::stop) releases the data directory and leaves the server running. The next
/// [`start`](Self::start) adopts the server.
#[derive(Debug)]
pub struct PrivatePostgres {
    pub(crate) layout: Layout,
    pub(crate) options: StartOptions,
    pub(crate) postmaster: Postmaster,
    /// Why the server does not run; `None` while it runs.
    pub(crate) trouble: watch::Sender<Option<String>>,
    socket_dir: PathBuf,
    // Its drop releases the data directory for the next daemon.
    _lock: Lock,
}

impl PrivatePostgres {
    /// Starts the PostgreSQL of `data_dir`, or adopts the one that an earlier daemon left running. Creates the
    /// directory and the cluster if there are none. Returns when the server accepts connections.
    ///
    /// # Errors
    /// Every variant of [`PrivatePostgresError`] except `StillRunning`.
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
                // The adopted server reads the settings that need no restart.
                found.signal(Signal::SIGHUP)?;
                // None: it was shutting down, and has ended now.
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

    /// The URL of the database `observatory`, for psql and PostgreSQL drivers.
    pub fn url(&self) -> String {
        socket::url(&self.socket_dir)
    }

    /// Why the server does not run; `None` while it runs. Only [`Self::keep`] updates it.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Whether `data_dir` holds a cluster, running or not.
    ///
    /// # Errors
    /// [`PrivatePostgresError::Io`] when this user may not read `data_dir`.
    pub fn exists(data_dir: &Path) -> Result<bool> {
        Ok(Layout::existing(data_dir).cluster_version()?.is_some())
    }

    /// The URL of the PostgreSQL that another daemon runs in `data_dir`; `None` if none accepts connections there.
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

    /// Restarts the server after it ended, at the same address. It never creates a cluster: an empty one would seem to
    /// have lost all acknowledged records.
    ///
    /// The caller may drop the future at any time; [`Self::stop`] then stops a server that was started by it.
    ///
    /// # Errors
    /// [`PrivatePostgresError::ExitedAtStart`] when the server ends again; [`PrivatePostgresError::NotReady`] when it
    /// still starts, and the next call waits for it; [`PrivatePostgresError::Io`], `NoAccount`, `NotInstalled`,
    /// `TooOld`, `OtherVersion` and `ForeignSocketDirectory` when it can't be started.
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

    /// Stops the server, even an adopted one: by a fast shutdown, and after `stop_within_s` by an immediate one.
    ///
    /// # Errors
    /// [`PrivatePostgresError::StillRunning`] when it ends by neither; [`PrivatePostgresError::Io`] when it can't be
    /// signalled.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.postmaster.pid();
        self.postmaster.signal(Signal::SIGINT)?;
        if !self.postmaster.gone_within(self.options.config.stop_within()).await? {
            tracing::warn!(
                postgres.pid = pid,
                postgres.stop_within_s = self.options.config.stop_within_s,
                "private PostgreSQL is slow to stop; stopping it at once, and its next start replays the log"
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

/// Waits until the server accepts connections. Returns the directory of its socket.
///
/// # Errors
/// [`PrivatePostgresError::ExitedAtStart`] and [`PrivatePostgresError::NotReady`].
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
        // Options of the command line override every file and ALTER SYSTEM, so these settings stay as the daemon needs
        // them.
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
