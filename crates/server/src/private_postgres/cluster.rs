//! The data directory: what lies where, who holds it, and the making of a cluster in it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::unistd::geteuid;
use tokio::io::AsyncWriteExt;

use super::{NAME, PrivatePostgresError, Result, account::Account, binaries, binaries::Binaries, error};

/// Room for the terminating zero of `sun_path` taken off.
const LONGEST_SOCKET_PATH: usize = 107;

/// PostgreSQL's name for the socket of port 5432.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";

/// A log longer than this is put aside (as `postgres.log.1`) before the next start.
const LOG_BYTES: u64 = 16 << 20;

/// How much of the log an error message shows.
const LOG_TAIL_LINES: usize = 15;
const LOG_TAIL_BYTES: u64 = 8 << 10;

/// Where things are in a data directory.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) data_dir: PathBuf,
    pub(super) cluster: PathBuf,
    pub(super) conf_file: PathBuf,
    pub(super) log_file: PathBuf,
    run_dir: PathBuf,
    lock_file: PathBuf,
}

impl Layout {
    /// The layout of `data_dir` as it stands.
    pub(super) fn existing(data_dir: &Path) -> Self {
        let data_dir = fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.into());
        Self {
            cluster: data_dir.join("postgres"),
            conf_file: data_dir.join("postgres.conf"),
            log_file: data_dir.join("postgres.log"),
            run_dir: data_dir.join("run"),
            lock_file: data_dir.join("lock"),
            data_dir,
        }
    }

    /// The same, after creating `data_dir` where it does not exist.
    pub(super) fn create(data_dir: &Path) -> Result<Self> {
        if !data_dir.is_dir() {
            DirBuilder::new().recursive(true).create(data_dir).map_err(error::io("create", data_dir))?;
            // Under root the server's user must pass through to its own directories, but need not look around.
            let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
            set_mode(data_dir, mode)?;
        }
        Ok(Self::existing(data_dir))
    }

    /// Takes the data directory for this process alone.
    pub(super) fn lock(&self) -> Result<Lock> {
        let failed = error::io("open", &self.lock_file);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let mut file = options.open(&self.lock_file).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // A number that cannot be read is only left out of the message.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim().parse().ok();
                return Err(PrivatePostgresError::InUse { data_dir: self.data_dir.clone(), holder });
            }
            Err(TryLockError::Error(refused)) => return Err(error::io("lock", &self.lock_file)(refused)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(&failed)?;
        Ok(Lock(file))
    }

    /// The major version that made the cluster, if there is one.
    pub(super) fn cluster_version(&self) -> Result<Option<u32>> {
        let path = self.cluster.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(binaries::major(&version))),
            Err(absent) if absent.kind() == ErrorKind::NotFound => Ok(None),
            Err(refused) => Err(error::io("read", &path)(refused)),
        }
    }

    /// The directory for the socket: `run`, or a short one in `temp_dir` that is always the same for this data
    /// directory where the path is too long, or has a comma, which clients take for a list of hosts. Whoever enters it is the database's superuser, so it must be `account`'s alone.
    pub(super) fn socket_dir(&self, account: &Account, temp_dir: &Path) -> Result<PathBuf> {
        let socket = self.run_dir.join(SOCKET);
        let socket = socket.as_os_str().as_encoded_bytes();
        let fits = socket.len() <= LONGEST_SOCKET_PATH && !socket.contains(&b',');
        let key = fnv1a(self.data_dir.as_os_str().as_encoded_bytes());
        let path = if fits { self.run_dir.clone() } else { temp_dir.join(format!("observatory-{key:016x}")) };
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => account.own(&path)?,
            Err(exists) if exists.kind() == ErrorKind::AlreadyExists => {}
            Err(refused) => return Err(error::io("create", &path)(refused)),
        }
        // Anyone may have made it in a shared temporary directory, as a link too.
        let found = fs::symlink_metadata(&path).map_err(error::io("read", &path))?;
        if !found.is_dir() || found.uid() != account.uid.as_raw() {
            return Err(PrivatePostgresError::ForeignSocketDirectory { path, user: account.name.clone() });
        }
        set_mode(&path, 0o700)?;
        Ok(path)
    }

    /// The log, to append to.
    pub(super) fn open_log(&self) -> Result<File> {
        if fs::metadata(&self.log_file).is_ok_and(|log| log.len() > LOG_BYTES) {
            let aside = self.log_file.with_extension("log.1");
            fs::rename(&self.log_file, &aside).map_err(error::io("rename", &self.log_file))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        options.open(&self.log_file).map_err(error::io("open", &self.log_file))
    }

    /// The last lines of the log, of those after the byte `from`.
    pub(super) fn log_tail(&self, from: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut log = File::open(&self.log_file)?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(from.max(length.saturating_sub(LOG_TAIL_BYTES))))?;
            let mut tail = Vec::new();
            log.read_to_end(&mut tail)?;
            Ok(tail)
        };
        let tail = read().unwrap_or_default();
        let tail = String::from_utf8_lossy(&tail);
        let lines: Vec<&str> = tail.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

/// The right to a data directory. Let go by unlocking, not by closing alone: a process that is just being spawned
/// may hold a copy of the descriptor for a moment longer.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file follows, and unlocks too.
        let _ = self.0.unlock();
    }
}

/// Makes a cluster with the database where there is none. It is made beside its place and moved there when
/// complete, so that an interruption at any moment leaves nothing that looks like one.
pub(super) async fn ensure(layout: &Layout, account: &Account, binaries: &Binaries) -> Result<()> {
    if layout.cluster_version()?.is_some() {
        return Ok(());
    }
    remove_unfinished(layout);
    let unfinished = layout.data_dir.join(format!("{UNFINISHED}{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(error::io("create", &unfinished))?;
    account.own(&unfinished)?;
    let made = make(layout, account, binaries, &unfinished).await;
    if made.is_err() {
        remove_unfinished(layout);
    }
    made
}

const UNFINISHED: &str = "postgres.unfinished-";

async fn make(layout: &Layout, account: &Account, binaries: &Binaries, cluster: &Path) -> Result<()> {
    let mut initdb = account.command(&binaries.initdb, &layout.data_dir);
    initdb.arg("-D").arg(cluster).args([
        "--username",
        NAME,
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]);
    initdb.args(["--auth-local=trust", "--auth-host=reject"]);
    run(initdb, "initdb", &binaries.initdb, "").await?;

    let mut single = account.command(&binaries.postgres, &layout.data_dir);
    single.arg("--single").arg("-D").arg(cluster).args(["-c", "exit_on_error=on", "postgres"]);
    run(single, "CREATE DATABASE", &binaries.postgres, &format!("CREATE DATABASE {NAME}\n")).await?;

    fs::rename(cluster, &layout.cluster).map_err(error::io("move the new cluster to", &layout.cluster))?;
    let synced = File::open(&layout.data_dir).and_then(|directory| directory.sync_all());
    synced.map_err(error::io("sync", &layout.data_dir))?;
    tracing::info!(
        postgres.version = %binaries.version,
        postgres.user = %account.name,
        postgres.data_dir = %layout.cluster.display(),
        "private PostgreSQL created"
    );
    Ok(())
}

/// Runs `command` to its end with `input`; what it says goes into the error.
async fn run(
    mut command: tokio::process::Command,
    name: &'static str,
    program: &Path,
    input: &str,
) -> Result<()> {
    let failed = error::io("run", program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(&failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()).await {
            // It ended before it read: its status and words say why.
            Err(broken) if broken.kind() == ErrorKind::BrokenPipe => {}
            written => written.map_err(&failed)?,
        }
    }
    let output = child.wait_with_output().await.map_err(&failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(PrivatePostgresError::Initialise {
        program: name,
        status: output.status,
        output: String::from_utf8_lossy(&said).trim().to_owned(),
    })
}

/// Clears away what interrupted attempts left. Best effort: names differ by process, so a remainder is only waste.
fn remove_unfinished(layout: &Layout) {
    for entry in fs::read_dir(&layout.data_dir).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
            && let Err(refused) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), error = %refused, "cannot remove an unfinished cluster");
        }
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(error::io("change the mode of", path))
}

/// A hash that is the same in every build, as the name of a directory must be.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
