//! Tests against a real PostgreSQL, as root or as an ordinary user.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use nix::{sys::signal, sys::signal::Signal, unistd::Pid, unistd::geteuid};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::layout::Layout;
use crate::postmaster::Postmaster;
use crate::{PrivatePostgres, PrivatePostgresConfig, PrivatePostgresError, StartOptions};

/// A temporary place for a data directory. Its drop stops a server that still runs there.
struct Scratch {
    temp: TempDir,
    data_dir: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        Self::named("data")
    }

    fn named(name: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::set_permissions(temp.path(), Permissions::from_mode(0o755)).unwrap();
        let data_dir = temp.path().join(name);
        Self { temp, data_dir }
    }

    fn options(&self) -> StartOptions {
        StartOptions {
            temp_dir: self.temp.path().into(),
            ..StartOptions::from_env(PrivatePostgresConfig::default())
        }
    }

    fn layout(&self) -> Layout {
        Layout::existing(&self.data_dir)
    }

    async fn start(&self) -> PrivatePostgres {
        PrivatePostgres::start(&self.data_dir, self.options()).await.unwrap()
    }

    async fn start_error(&self) -> PrivatePostgresError {
        PrivatePostgres::start(&self.data_dir, self.options()).await.unwrap_err()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(Some(mut left)) = Postmaster::find(&self.layout()) {
            let _ = left.signal(Signal::SIGQUIT);
            let pid = left.pid();
            eventually("the server has stopped", || !alive(pid));
        }
    }
}

/// Checks the condition until it holds, for at most 30 seconds.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline || std::thread::panicking(), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the process exists and is no zombie.
fn alive(pid: i32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

fn sql(url: &str, statement: &str) -> String {
    let dirs = StartOptions::from_env(PrivatePostgresConfig::default()).search_dirs;
    let psql = dirs.iter().map(|dir| dir.join("psql")).find(|psql| psql.is_file()).unwrap();
    let arguments = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement];
    let output = Command::new(psql).args(arguments).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn data_survives_stop_and_start() {
    let scratch = Scratch::new();
    let first = scratch.start().await;
    let pid = first.postmaster.pid();
    sql(&first.url(), "CREATE TABLE kept AS SELECT 'ü' AS word");
    first.stop().await.unwrap();
    assert!(!alive(pid));
    assert_eq!(PrivatePostgres::attach(&scratch.data_dir).await.unwrap(), None);

    let second = scratch.start().await;
    assert_ne!(second.postmaster.pid(), pid);
    assert_eq!(sql(&second.url(), "SELECT word FROM kept"), "ü");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_new_cluster_is_private_and_durable() {
    let scratch = Scratch::new();
    let server = scratch.start().await;
    let url = server.url();
    let data_dir = scratch.data_dir.display();
    assert_eq!(url, format!("postgresql:///observatory?host={data_dir}/run&user=observatory"));
    for (setting, expected) in [
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("max_connections", "64"),
        ("max_wal_size", "4GB"),
    ] {
        assert_eq!(sql(&url, &format!("SHOW {setting}")), expected, "{setting}");
    }
    let collation = "SELECT datcollate FROM pg_database WHERE datname = 'observatory'";
    assert_eq!(sql(&url, collation), "C");
    let refused = "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL";
    assert_eq!(sql(&url, refused), "0");
    let Layout { cluster, .. } = scratch.layout();
    for directory in [cluster, scratch.data_dir.join("run")] {
        let found = fs::metadata(directory).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o700);
        assert_ne!(found.uid(), 0, "PostgreSQL does not run as root");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_left_behind_is_adopted() {
    let scratch = Scratch::new();
    let first = scratch.start().await;
    let (pid, url) = (first.postmaster.pid(), first.url());
    drop(first); // as after kill -9 of the daemon: the lock is released, the server keeps running
    assert_eq!(PrivatePostgres::attach(&scratch.data_dir).await.unwrap(), Some(url.clone()));

    let second = scratch.start().await;
    assert_eq!((second.postmaster.pid(), second.url()), (pid, url));
    second.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_start_waits_for_a_server_that_is_shutting_down() {
    let scratch = Scratch::new();
    let mut first = scratch.start().await;
    let pid = first.postmaster.pid();
    first.postmaster.signal(Signal::SIGINT).unwrap();
    drop(first);

    let second = scratch.start().await;
    // The second is the first one, adopted while it still answered, or a new one. In both cases the first server ends.
    eventually("the first server ends", || !alive(pid));
    second.stop().await.unwrap();
    scratch.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn one_data_directory_has_one_daemon() {
    let scratch = Scratch::new();
    let server = scratch.start().await;
    let error = scratch.start_error().await;
    let own = std::process::id();
    assert!(
        matches!(&error, PrivatePostgresError::InUse { holder: Some(pid), .. } if pid.cast_unsigned() == own),
        "{error:?}"
    );
    assert!(error.to_string().contains("DATABASE_URL"), "{error}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_start_after_an_interrupted_creation_creates_the_cluster() {
    let scratch = Scratch::new();
    let (data_dir, options) = (scratch.data_dir.clone(), scratch.options());
    let start = tokio::spawn(async move { PrivatePostgres::start(&data_dir, options).await });
    let data_dir = scratch.data_dir.clone();
    let at_work = move || eventually("initdb is at work", || has_unfinished(&data_dir));
    tokio::task::spawn_blocking(at_work).await.unwrap();
    start.abort(); // kills initdb
    assert!(start.await.is_err_and(|ended| ended.is_cancelled()));
    let cluster = scratch.layout().cluster;
    assert!(has_unfinished(&scratch.data_dir) && !cluster.exists(), "nothing was interrupted");

    let server = scratch.start().await;
    assert_eq!(sql(&server.url(), "SELECT 1"), "1");
    assert!(!has_unfinished(&scratch.data_dir));
    server.stop().await.unwrap();
}

fn has_unfinished(data_dir: &Path) -> bool {
    let entries = fs::read_dir(data_dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path != data_dir.join("postgres") && path.join("base").is_dir())
}

#[tokio::test]
async fn an_error_names_the_directory_that_the_server_may_not_enter() {
    let scratch = Scratch::named("closed/data");
    let closed = scratch.temp.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let mode = if geteuid().is_root() { 0o700 } else { 0o000 };
    fs::set_permissions(&closed, Permissions::from_mode(mode)).unwrap();
    let error = scratch.start_error().await;
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    match &error {
        PrivatePostgresError::OutOfReach { blocking, .. } if geteuid().is_root() => {
            assert_eq!(blocking, &closed)
        }
        PrivatePostgresError::Io { path, .. } if !geteuid().is_root() => assert!(path.starts_with(&closed)),
        other => panic!("{other:?}"),
    }
    assert!(error.to_string().contains("--data-dir"), "{error}");
}

#[tokio::test]
async fn a_pid_file_with_the_id_of_another_process_does_not_prevent_a_start() {
    let scratch = Scratch::new();
    scratch.start().await.stop().await.unwrap();
    let layout = scratch.layout();
    let account = Account::choose(&layout).unwrap();
    let mut stranger = account.command(Path::new("/bin/sleep"), Path::new("/")).arg("600").spawn().unwrap();
    let (pid, run) = (stranger.id().unwrap(), scratch.data_dir.join("run"));
    let text = format!(
        "{pid}\n{}\n1700000000\n5432\n{}\n\n  1 1\nready   \n",
        layout.cluster.display(),
        run.display()
    );
    for path in [layout.cluster.join("postmaster.pid"), run.join(".s.PGSQL.5432.lock")] {
        fs::write(&path, &text).unwrap();
        account.own(&path).unwrap();
    }
    assert_eq!(PrivatePostgres::attach(&scratch.data_dir).await.unwrap(), None);
    let server = scratch.start().await;
    assert_ne!(server.postmaster.pid().cast_unsigned(), pid);
    server.stop().await.unwrap();
    stranger.kill().await.unwrap();
}

#[tokio::test]
async fn data_survives_a_crash_and_an_immediate_stop() {
    let scratch = Scratch::new();
    let mut first = scratch.start().await;
    sql(&first.url(), "CREATE TABLE kept AS SELECT 7 AS number");
    signal::kill(Pid::from_raw(first.postmaster.pid()), Signal::SIGKILL).unwrap();
    assert!(first.postmaster.gone_within(Duration::from_secs(30)).await.unwrap());
    drop(first);

    let config = PrivatePostgresConfig { stop_within_s: 0, ..PrivatePostgresConfig::default() };
    let hurried = StartOptions { config, ..scratch.options() };
    let second = PrivatePostgres::start(&scratch.data_dir, hurried).await.unwrap();
    sql(&second.url(), "UPDATE kept SET number = number + 1");
    second.stop().await.unwrap();

    let third = scratch.start().await;
    assert_eq!(sql(&third.url(), "SELECT number FROM kept"), "8");
    third.stop().await.unwrap();
}

#[tokio::test]
async fn the_url_encodes_unusual_paths() {
    let odd = Scratch::named("a \"b\" 100% é");
    let server = odd.start().await;
    assert!(server.url().contains("/a%20%22b%22%20100%25%20%C3%A9/run&"), "{}", server.url());
    assert_eq!(sql(&server.url(), "SELECT 1"), "1");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_socket_with_a_path_too_long_moves_to_the_temporary_directory() {
    for name in ["long/".repeat(30).as_str(), "one, two"] {
        let scratch = Scratch::named(name);
        let server = scratch.start().await;
        let socket_dir = format!("host={}/observatory-", scratch.temp.path().display());
        assert!(server.url().contains(&socket_dir), "{}", server.url());
        assert_eq!(PrivatePostgres::attach(&scratch.data_dir).await.unwrap(), Some(server.url()));
        assert_eq!(sql(&server.url(), "SELECT 1"), "1");
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn unsuitable_versions_are_errors() {
    let scratch = Scratch::new();
    let nothing = StartOptions { search_dirs: vec![], ..scratch.options() };
    let error = PrivatePostgres::start(&scratch.data_dir, nothing).await.unwrap_err();
    assert!(matches!(error, PrivatePostgresError::NotInstalled), "{error:?}");
    assert!(error.to_string().contains("apt-get install postgresql"), "{error}");

    let old = scratch.temp.path().join("old");
    fs::create_dir(&old).unwrap();
    for name in ["initdb", "postgres"] {
        fs::write(old.join(name), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n").unwrap();
        fs::set_permissions(old.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    let only_old = StartOptions { search_dirs: vec![old], ..scratch.options() };
    let error = PrivatePostgres::start(&scratch.data_dir, only_old).await.unwrap_err();
    assert!(matches!(&error, PrivatePostgresError::TooOld { found } if found == "14.9"), "{error:?}");

    let cluster = scratch.layout().cluster;
    fs::create_dir(&cluster).unwrap();
    fs::write(cluster.join("PG_VERSION"), "99\n").unwrap();
    let error = scratch.start_error().await;
    assert!(matches!(error, PrivatePostgresError::OtherVersion { needed: 99, .. }), "{error:?}");
}

#[tokio::test]
async fn the_error_of_a_failed_start_shows_the_log() {
    let scratch = Scratch::new();
    scratch.start().await.stop().await.unwrap();
    fs::write(scratch.layout().cluster.join("postgresql.auto.conf"), "no_such_setting = 1\n").unwrap();
    let error = scratch.start_error().await;
    let PrivatePostgresError::ExitedAtStart { log_tail, .. } = &error else { panic!("{error:?}") };
    assert!(log_tail.contains("no_such_setting") && !log_tail.contains("ready to accept"), "{log_tail}");
}

/// A server that a task keeps running until [`Self::give_back`].
struct Kept {
    url: String,
    trouble: tokio::sync::watch::Receiver<Option<String>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<PrivatePostgres>,
}

impl Kept {
    fn new(server: PrivatePostgres) -> Self {
        let (url, trouble, stop) = (server.url(), server.trouble(), CancellationToken::new());
        let task = tokio::spawn(server.keep(stop.clone()));
        Self { url, trouble, stop, task }
    }

    /// Kills the server, and waits until it runs again. Returns the reported cause.
    async fn crash(&mut self, pid: i32) -> String {
        signal::kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        let deadline = Duration::from_secs(30);
        let down = self.trouble.wait_for(Option::is_some);
        let cause = tokio::time::timeout(deadline, down).await.unwrap().unwrap().clone().unwrap();
        let up = self.trouble.wait_for(Option::is_none);
        tokio::time::timeout(deadline, up).await.unwrap().unwrap();
        cause
    }

    async fn give_back(self) -> PrivatePostgres {
        self.stop.cancel();
        self.task.await.unwrap()
    }
}

#[tokio::test]
async fn a_server_that_dies_is_restarted_at_the_same_address() {
    let scratch = Scratch::new();
    let server = scratch.start().await;
    sql(&server.url(), "CREATE TABLE kept AS SELECT 7 AS number");
    let first = server.postmaster.pid();
    let mut kept = Kept::new(server);
    let cause = kept.crash(first).await;
    assert!(cause.contains("signal: 9"), "{cause}");
    assert_eq!(sql(&kept.url, "SELECT number FROM kept"), "7");

    // An adopted server, which is no child process, is restarted too.
    let second = kept.give_back().await;
    let pid = second.postmaster.pid();
    assert_ne!(pid, first);
    drop(second);
    let mut kept = Kept::new(scratch.start().await);
    kept.crash(pid).await;
    assert_eq!(sql(&kept.url, "SELECT number FROM kept"), "7");
    let third = kept.give_back().await;
    let pid = third.postmaster.pid();
    third.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_server_that_dies_while_the_daemon_stops_is_not_restarted() {
    let scratch = Scratch::new();
    let kept = Kept::new(scratch.start().await);
    let server = kept.give_back().await;
    signal::kill(Pid::from_raw(server.postmaster.pid()), Signal::SIGKILL).unwrap();
    server.stop().await.unwrap();
    assert_eq!(PrivatePostgres::attach(&scratch.data_dir).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_is_being_restarted_is_stopped_too() {
    let scratch = Scratch::new();
    let mut server = scratch.start().await;
    signal::kill(Pid::from_raw(server.postmaster.pid()), Signal::SIGKILL).unwrap();
    server.postmaster.ended().await;
    let first = server.postmaster.pid();
    // Drop the restart as soon as the new server exists. A server that finds processes of the old one ends; then try again.
    let layout = scratch.layout();
    while server.postmaster.pid() == first {
        tokio::select! {
            _ = server.restart() => {}
            () = async { while Postmaster::find(&layout).unwrap().is_none() { tokio::task::yield_now().await } } => {}
        }
    }
    let pid = server.postmaster.pid();
    server.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_restart_does_not_replace_a_missing_cluster() {
    let scratch = Scratch::new();
    let mut server = scratch.start().await;
    signal::kill(Pid::from_raw(server.postmaster.pid()), Signal::SIGKILL).unwrap();
    server.postmaster.ended().await;
    fs::rename(scratch.layout().cluster, scratch.data_dir.join("aside")).unwrap();
    assert!(server.restart().await.is_err());
    assert!(!scratch.layout().cluster.exists());
}
