//! The main process of the server: finds it, waits for it, signals it.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt, path::Path, path::PathBuf, time::Duration};

use nix::{errno::Errno, sys::signal, sys::signal::Signal, unistd::Pid};
use tokio::{net::UnixStream, process::Child, time::Instant};

use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::Layout;
use crate::socket::SOCKET;

/// Pause between two checks of a process or file.
const POLL: Duration = Duration::from_millis(20);

/// Pause between two checks whether an adopted server still runs. It is no child process, so the kernel does not report
/// its end.
const WATCH: Duration = Duration::from_millis(200);

/// A running server: a child process or an adopted one.
#[derive(Debug)]
pub(crate) struct Postmaster {
    pid: Pid,
    /// `None` for an adopted server, which another process reaps.
    child: Option<Child>,
    cluster: PathBuf,
    /// Byte of the log at which its lines start.
    log_start: u64,
}

impl Postmaster {
    pub(crate) fn spawned(child: Child, layout: &Layout, log_start: u64) -> Self {
        // A child has an id until it is waited for, which has not happened yet.
        let pid = Pid::from_raw(child.id().expect("a new child has an id").cast_signed());
        Self { pid, child: Some(child), cluster: layout.cluster.clone(), log_start }
    }

    /// The server that runs on this cluster, found through its `postmaster.pid`.
    pub(crate) fn find(layout: &Layout) -> Result<Option<Self>> {
        let Some(file) = PidFile::read(&layout.cluster)? else {
            return Ok(None);
        };
        let found = is_server(file.pid, &layout.cluster);
        Ok(found.then(|| Self {
            pid: file.pid,
            child: None,
            cluster: layout.cluster.clone(),
            log_start: layout.log_bytes(),
        }))
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Byte of the log at which the lines of this server start; for an adopted server, those since its adoption.
    pub(crate) fn log_start(&self) -> u64 {
        self.log_start
    }

    /// Waits until the server ends. Returns its exit status as text, or why that is unknown.
    pub(crate) async fn ended(&mut self) -> String {
        match &mut self.child {
            Some(child) => match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => format!("it can't be waited for: {error}"),
            },
            None => {
                while is_server(self.pid, &self.cluster) {
                    tokio::time::sleep(WATCH).await;
                }
                "it was adopted, so its exit status is not known".to_owned()
            }
        }
    }

    /// Waits until the server accepts connections. Returns the directory of its socket; `None` if it ends before that.
    ///
    /// # Errors
    /// [`PrivatePostgresError::NotReady`] after `patience`, [`PrivatePostgresError::Io`] when its pid file can't be read.
    pub(crate) async fn ready_within(
        &mut self,
        patience: Duration,
        layout: &Layout,
    ) -> Result<Option<PathBuf>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(socket_dir) = self.ready_socket_dir(layout).await? {
                return Ok(Some(socket_dir));
            }
            if self.gone()? {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(PrivatePostgresError::NotReady {
                    pid: self.pid(),
                    waited: patience,
                    // Earlier servers may have quoted telemetry, so show only lines of this one. Where the lines of an
                    // adopted server start is unknown.
                    log_tail: layout.log_tail(if self.child.is_some() { self.log_start } else { 0 }),
                    log_file: layout.log_file.clone(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The directory of the socket, if the pid file reports the server as ready and the socket accepts a connection.
    pub(crate) async fn ready_socket_dir(&self, layout: &Layout) -> Result<Option<PathBuf>> {
        let Some(file) = PidFile::read(&layout.cluster)? else {
            return Ok(None);
        };
        if file.pid != self.pid || !file.ready {
            return Ok(None);
        }
        let answers = UnixStream::connect(file.socket_dir.join(SOCKET)).await.is_ok();
        Ok(answers.then_some(file.socket_dir))
    }

    /// Sends a signal. Does nothing if the server has ended.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.gone()? {
            return Ok(());
        }
        match signal::kill(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(refused) => Err(error::io("signal the PostgreSQL of", &self.cluster)(refused.into())),
        }
    }

    /// Whether the server ends within `patience`.
    pub(crate) async fn gone_within(&mut self, patience: Duration) -> Result<bool> {
        let deadline = Instant::now() + patience;
        loop {
            if self.gone()? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Whether the server has ended. Reaps a child process.
    pub(crate) fn gone(&mut self) -> Result<bool> {
        match &mut self.child {
            Some(child) => {
                let status =
                    child.try_wait().map_err(error::io("wait for the PostgreSQL of", &self.cluster))?;
                Ok(status.is_some())
            }
            None => Ok(!is_server(self.pid, &self.cluster)),
        }
    }
}

/// The content of PostgreSQL's `postmaster.pid`.
struct PidFile {
    pid: Pid,
    socket_dir: PathBuf,
    ready: bool,
}

impl PidFile {
    fn read(cluster: &Path) -> Result<Option<Self>> {
        let path = cluster.join("postmaster.pid");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(absent) if absent.kind() == ErrorKind::NotFound => Ok(None),
            Err(refused) => Err(error::io("read", &path)(refused)),
        }
    }

    /// Lines: process, cluster, start time, port, socket directory, address, shared memory, status. The server writes
    /// the later lines while it starts.
    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        // PostgreSQL in single-user mode writes its id as a negative number.
        let pid = lines.first()?.trim().parse().ok().filter(|pid| *pid > 0)?;
        let line = |index: usize| lines.get(index).copied().unwrap_or_default().trim_end();
        Some(Self { pid: Pid::from_raw(pid), socket_dir: line(4).into(), ready: line(7) == "ready" })
    }
}

/// Whether `pid` is the PostgreSQL server of this cluster: a `postgres` process whose working directory is the cluster.
fn is_server(pid: Pid, cluster: &Path) -> bool {
    // After an upgrade of the package the kernel adds " (deleted)" to the name.
    let is_postgres = fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| {
        exe.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"postgres"))
    });
    let place = |path: &Path| fs::metadata(path).map(|directory| (directory.dev(), directory.ino())).ok();
    let works_in = place(Path::new(&format!("/proc/{pid}/cwd")));
    is_postgres && works_in.is_some() && works_in == place(cluster)
}

/// Removes pid files whose process runs but is no server of this cluster, for example because another program got its
/// id after a reboot. PostgreSQL would refuse to start because of them. PostgreSQL itself removes those of ended
/// processes, with more checks.
pub(crate) fn remove_misleading_pid_files(layout: &Layout) -> Result<()> {
    let Some(file) = PidFile::read(&layout.cluster)? else {
        return Ok(());
    };
    if signal::kill(file.pid, None) == Err(Errno::ESRCH) || is_server(file.pid, &layout.cluster) {
        return Ok(());
    }
    let pid_file = layout.cluster.join("postmaster.pid");
    let socket_lock = file.socket_dir.join(format!("{SOCKET}.lock"));
    for path in [pid_file, socket_lock] {
        match fs::remove_file(&path) {
            Err(refused) if refused.kind() != ErrorKind::NotFound => {
                return Err(error::io("remove", &path)(refused));
            }
            _ => {}
        }
    }
    tracing::info!(
        postgres.pid = file.pid.as_raw(),
        "removed the pid file of a PostgreSQL that no longer runs"
    );
    Ok(())
}
