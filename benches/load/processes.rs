//! The daemon as a child process, and what Linux counts for it, for PostgreSQL and for ourselves.

use std::fs;
use std::ops::Sub;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A fresh PostgreSQL is made before the daemon is ready.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// A daemon stops within 25 s.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// The unit of CPU times in /proc: USER_HZ, which is 100 wherever Linux runs.
const TICKS_PER_SECOND: f64 = 100.0;

/// A directory that the daemon's unprivileged PostgreSQL can enter. `TMPDIR` chooses the disk.
pub(crate) fn scratch() -> Result<TempDir> {
    let permissions = fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .prefix("observatory-load-")
        .permissions(permissions)
        .tempdir()
        .context("making a scratch directory")
}

/// A daemon that we started. Dropping it asks it to stop.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) ingest: String,
    pub(crate) database: String,
    pub(crate) pid: u32,
}

impl Daemon {
    /// Starts `observatory serve` on free ports and a fresh data directory, and waits until it is ready.
    pub(crate) async fn start(program: &Path, scratch: &Path, flags: &[String]) -> Result<Self> {
        let log = scratch.join("daemon.log");
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(scratch.join("data"));
        for listen in ["--ingest-listen", "--query-listen", "--admin-listen"] {
            command.args([listen, "127.0.0.1:0"]);
        }
        // Settings of the daemon may come from the environment, save for what would lead it to another database.
        for name in
            ["OBSERVATORY_BIN", "OBSERVATORY_DATA_DIR", "DATABASE_URL", "DB_HOST", "DB_PASSWORD", "REDIS_URL"]
        {
            command.env_remove(name);
        }
        command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        // A process that was not waited for has its id, and stdout was piped above.
        let (pid, stdout) = (child.id().expect("a pid"), child.stdout.take().expect("a pipe"));
        let mut daemon = Self { child, ingest: String::new(), database: String::new(), pid };
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(fields) = line.strip_prefix("ready ") {
                    return ready_fields(fields);
                }
            }
            Err(anyhow!("the daemon ended before it was ready"))
        };
        let ready =
            timeout(START_PATIENCE, ready).await.context("the daemon was not ready in time").flatten();
        (daemon.ingest, daemon.database) = ready.with_context(|| last_words(&log))?;
        // Reads on, so that the daemon can go on printing.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(daemon)
    }

    /// Asks the daemon to stop, and sees that it does so well.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.terminate();
        let status =
            timeout(STOP_PATIENCE, self.child.wait()).await.context("the daemon does not stop")??;
        ensure!(status.success(), "the daemon stopped with {status}");
        Ok(())
    }

    fn terminate(&mut self) {
        // Not waited for yet, so the id is still this child's.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _gone_already = kill(Pid::from_raw(self.pid as i32), Signal::SIGTERM);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.terminate();
        // The scratch directory goes next: its PostgreSQL must be down by then.
        let deadline = std::time::Instant::now() + STOP_PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The ingest URL and the database URL of a ready line.
fn ready_fields(fields: &str) -> Result<(String, String)> {
    let field = |name: &str| {
        let mut pairs = fields.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    match (field("ingest"), field("database")) {
        (Some(ingest), Some(database)) => Ok((format!("http://{ingest}"), database)),
        _ => bail!("the ready line names no ingest address or no database: {fields}"),
    }
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    format!("the daemon's last words:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"))
}

/// CPU seconds used so far. What could not be seen is `None`.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) daemon: Option<f64>,
    pub(crate) postgresql: Option<f64>,
    /// This process and, apart, the children that it has waited for (`psql`).
    pub(crate) client: f64,
    pub(crate) children: f64,
}

impl Cpu {
    pub(crate) fn read(daemon: Option<u32>, postmaster: Option<u32>) -> Result<Self> {
        let own = Ticks::read("self")?;
        Ok(Self {
            daemon: daemon.map(Ticks::of).transpose()?.map(|ticks| ticks.own),
            postgresql: postmaster.map(tree).transpose()?,
            client: own.own,
            children: own.ended,
        })
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        let difference = |now: Option<f64>, before: Option<f64>| Some(now? - before?);
        Self {
            daemon: difference(self.daemon, before.daemon),
            postgresql: difference(self.postgresql, before.postgresql),
            client: self.client - before.client,
            children: self.children - before.children,
        }
    }
}

/// One line of /proc/<pid>/stat.
struct Ticks {
    parent: u32,
    /// Seconds of the process, and of its children that ended and were waited for.
    own: f64,
    ended: f64,
}

impl Ticks {
    fn of(pid: u32) -> Result<Self> {
        Self::read(&pid.to_string())
    }

    fn read(pid: &str) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let line = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        Self::parse(&line).with_context(|| format!("{path} is not understood"))
    }

    fn parse(line: &str) -> Option<Self> {
        // The name in parentheses may hold anything, so fields are counted from the last one.
        let fields: Vec<_> = line.rsplit_once(')')?.1.split_whitespace().collect();
        let seconds = |field: usize| Some(fields.get(field)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: seconds(11)? + seconds(12)?,
            ended: seconds(13)? + seconds(14)?,
        })
    }
}

/// CPU seconds of a postmaster, of its living children and of those that ended.
fn tree(postmaster: u32) -> Result<f64> {
    let entries = fs::read_dir("/proc")?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // A process may end between the listing and the reading; the postmaster, read last, then has its time.
    let children = pids.filter_map(|pid| Ticks::of(pid).ok()).filter(|ticks| ticks.parent == postmaster);
    let living: f64 = children.map(|ticks| ticks.own).sum();
    let postmaster = Ticks::of(postmaster)?;
    Ok(living + postmaster.own + postmaster.ended)
}

/// The postmaster of a backend on this machine; `None` if the backend's id is not one of ours.
pub(crate) fn postmaster_of(backend: u32) -> Option<u32> {
    let name = fs::read_to_string(format!("/proc/{backend}/comm")).ok()?;
    // Without `postgres` in it this is a stranger's process: the server runs in another namespace.
    if !name.contains("postgres") {
        return None;
    }
    Some(Ticks::of(backend).ok()?.parent)
}

/// The most memory that a process ever held, in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("reading the daemon's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in status")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_line_names_where_to_send_and_where_to_look() {
        let fields = "ingest=127.0.0.1:1 query=127.0.0.1:2 admin=127.0.0.1:3 \
                      database=postgresql:///observatory?host=/run/x&user=observatory";
        let (ingest, database) = ready_fields(fields).unwrap();
        assert_eq!(ingest, "http://127.0.0.1:1");
        assert_eq!(database, "postgresql:///observatory?host=/run/x&user=observatory");
        assert!(ready_fields("query=127.0.0.1:2").is_err());
    }

    #[test]
    fn cpu_time_is_found_behind_any_process_name() {
        let line = "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 5";
        let ticks = Ticks::parse(line).unwrap();
        assert_eq!((ticks.parent, ticks.own, ticks.ended), (3, 2.0, 0.5));
    }

    #[test]
    fn this_process_has_memory_and_a_parent() {
        assert!(peak_memory(std::process::id()).unwrap() > 1024 * 1024);
        assert_eq!(Ticks::of(std::process::id()).unwrap().parent, std::os::unix::process::parent_id());
    }
}
