//! A real PostgreSQL: one that all tests of the process share, and others for tests that stop theirs.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use tokio_postgres::Client;

use crate::connection::connect;
use crate::scratch::Scratch;
use crate::server::Server;

mod replication;

/// The environment variable that names an existing server, by the URL of any of its databases, instead of a new one.
pub(crate) const URL: &str = "OBSERVATORY_TEST_DATABASE_URL";

/// For all servers. The odd time zone finds times that depend on it.
const SETTINGS: &[&str] =
    &["autovacuum=off", "max_connections=400", "listen_addresses=", "timezone=<+0545>-05:45"];

/// For tests alone: a crash may lose everything.
const FAST: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// For a server that loses nothing that was committed when it crashes.
const DURABLE: &[&str] = &["fsync=on", "synchronous_commit=on", "full_page_writes=on"];

/// As durable, with a write-ahead log that fits on a small disk: a new file takes room, and an old one gives it back.
const SMALL: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=16MB",
    "min_wal_size=32MB",
    "max_wal_size=32MB",
    "wal_recycle=off",
];

/// Where a server on a small disk keeps its write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAheadLog {
    /// On the same disk as the data: on a full disk PostgreSQL can't write its log, and panics.
    Beside,
    /// On another disk with room: only statements fail that need more room for data.
    Elsewhere,
}

/// A PostgreSQL of our own, reached through a unix socket. Stopped and removed when dropped or when this process ends.
#[derive(Debug)]
pub struct Postgres {
    // Dropped first: the directory goes when the server is gone.
    server: Option<Server>,
    scratch: Scratch,
    data: PathBuf,
    durability: &'static [&'static str],
    /// The port that it listens on, if it is reached through TCP.
    port: Option<u16>,
}

impl Postgres {
    /// A server that answers.
    pub fn start() -> Self {
        let mut postgres = Self::prepare();
        postgres.resume();
        postgres
    }

    /// A server that answers, and that keeps what it has committed when it is stopped in the middle of its work.
    pub fn durable() -> Self {
        let mut postgres = Self::prepare_durable();
        postgres.resume();
        postgres
    }

    /// A durable server that has its data and its address, and does not run yet.
    pub fn prepare_durable() -> Self {
        Self { durability: DURABLE, ..Self::prepare() }
    }

    /// A durable server that is reached through TCP too, at the address that is given back.
    pub fn durable_on_tcp() -> (Self, SocketAddr) {
        let mut postgres = Self::prepare_durable();
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a port");
        postgres.port = Some(address.port());
        postgres.resume();
        (postgres, address)
    }

    /// A durable server that does not run yet, on a disk that holds no more than `bytes`; its log may be elsewhere. Only
    /// root may mount a disk.
    ///
    /// # Errors
    /// When this process may not mount one.
    pub fn on_small_disk(bytes: u64, log: WriteAheadLog) -> nix::Result<Self> {
        let scratch = Scratch::new("postgres");
        scratch.disk("disk", bytes)?;
        let data = scratch.subdir("disk/data", owner());
        let wal = (log == WriteAheadLog::Elsewhere).then(|| scratch.subdir("wal", owner()));
        Ok(Self { durability: SMALL, ..Self::initialise(scratch, data, wal) })
    }

    /// A server that has its data and its address, and does not run yet.
    pub fn prepare() -> Self {
        let scratch = Scratch::new("postgres");
        let data = scratch.subdir("data", owner());
        Self::initialise(scratch, data, None)
    }

    fn initialise(scratch: Scratch, data: PathBuf, wal: Option<PathBuf>) -> Self {
        let mut initdb = unprivileged("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        wal.iter().for_each(|wal| _ = initdb.arg("--waldir").arg(wal));
        let output = initdb.arg("--pgdata").arg(&data).output().expect("initdb starts");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        Self { server: None, scratch, data, durability: FAST, port: None }
    }

    /// Starts it, and waits until it answers.
    pub fn resume(&mut self) {
        let mut command = unprivileged("postgres");
        command.arg("-D").arg(&self.data).arg("-k").arg(&self.data);
        let settings = SETTINGS.iter().chain(self.durability);
        command.args(settings.flat_map(|setting| ["-c", setting])).stdout(Stdio::null());
        if let Some(port) = self.port {
            command.args(["-c", "listen_addresses=127.0.0.1", "-p", &port.to_string()]);
        }
        // To PostgreSQL SIGQUIT means: at once. It never ignores it.
        let mut server = Server::start(command, &self.log_file(), Signal::SIGQUIT);
        let (status, pid) = (self.data.join("postmaster.pid"), server.pid().to_string());
        server.wait_until("PostgreSQL starts", || {
            // PostgreSQL writes its process id on the first line of this file, and its state on the last one.
            let lines = std::fs::read_to_string(&status).unwrap_or_default();
            let ours = lines.lines().next() == Some(&pid);
            if ours && lines.lines().last().is_some_and(|line| line.trim() == "ready") {
                Ok(())
            } else {
                Err("not ready")
            }
        });
        self.server = Some(server);
    }

    /// Stops it; its data stays.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.stop(Signal::SIGINT);
        }
    }

    /// Stops it in the middle of its work, as a crash would; it recovers when it is resumed.
    pub fn stop_immediately(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.stop(Signal::SIGQUIT);
        }
    }

    /// Whether it still runs: one that finds its disk full while it recovers gives up.
    pub fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(|server| server.ended().is_none())
    }

    /// The directory that its disk is mounted on.
    pub fn disk(&self) -> PathBuf {
        self.scratch.path().join("disk")
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// The unix socket that it listens on.
    pub fn socket(&self) -> PathBuf {
        self.data.join(format!(".s.PGSQL.{}", self.port()))
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&port={}&user=postgres", self.data.display(), self.port())
    }

    /// A connection to its database `postgres`.
    pub async fn connect(&self) -> Client {
        connect(&self.url("postgres")).await
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(5432)
    }

    fn log_file(&self) -> PathBuf {
        self.scratch.path().join("log")
    }
}

/// The URL of a database of the server that all tests of this process share, which starts on first use.
pub(crate) fn shared(database: &str) -> String {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    match std::env::var(URL) {
        Ok(url) => in_database(&url, database),
        Err(_) => SHARED.get_or_init(Postgres::start).url(database),
    }
}

/// The same URL with another database.
fn in_database(url: &str, database: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, ""), |(address, rest)| (address, rest));
    let (scheme, rest) = address.split_once("://").unwrap_or_else(|| panic!("{URL} must be a URL"));
    let authority = rest.split('/').next().unwrap_or_default();
    let question = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{authority}/{database}{question}{parameters}")
}

/// A command of PostgreSQL's, run as an ordinary user: PostgreSQL refuses to run as root.
fn unprivileged(program: &str) -> Command {
    // PATH may have links to some of the programs; all are where those lead to.
    let beside = binaries().join("postgres").canonicalize().expect("a program that was found");
    let mut command = Command::new(beside.with_file_name(program));
    if let Some(user) = user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    // The directory of the tests may be closed to that user.
    command.current_dir("/").env_remove("PGDATA").env("LC_ALL", "C");
    command
}

/// The user that must own the data, when it is not that of this process.
fn owner() -> Option<u32> {
    user().map(|user| user.uid.as_raw())
}

fn user() -> Option<User> {
    if !Uid::effective().is_root() {
        return None;
    }
    let named = |name| User::from_name(name).ok().flatten();
    Some(
        named("postgres")
            .or_else(|| named("nobody"))
            .expect("a user postgres or nobody to run PostgreSQL as"),
    )
}

/// The directory of PostgreSQL's programs: one in PATH, or where Debian keeps the newest version.
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let complete = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let in_path = std::env::split_paths(&path).find(complete);
    in_path.or_else(|| newest(Path::new("/usr/lib/postgresql")).filter(complete)).unwrap_or_else(|| {
        panic!(
            "no PostgreSQL in PATH or /usr/lib/postgresql: apt install postgresql, or name a server in {URL}"
        )
    })
}

fn newest(versions: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(versions).ok()?.flatten();
    let numbered =
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    numbered.max().map(|(_, dir)| dir.join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_all_but_its_database() {
        assert_eq!(
            in_database("postgresql://u:p@h:5/a?sslmode=disable", "b"),
            "postgresql://u:p@h:5/b?sslmode=disable"
        );
        assert_eq!(in_database("postgresql:///a?host=/run", "b"), "postgresql:///b?host=/run");
        assert_eq!(in_database("postgres://h", "b"), "postgres://h/b");
    }
}
