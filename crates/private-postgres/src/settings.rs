//! Writes the configuration of the server: durable, and suited to steady ingest on a machine that has other work too.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::{self, Result};
use crate::layout::Layout;

/// Bounds of `shared_buffers`, which is otherwise an eighth of memory; the rest serves better as file cache.
const SHARED_BUFFERS_MB: std::ops::RangeInclusive<u64> = 128..=1024;

/// Writes the configuration file, so that the settings of this program apply and not those of an older one.
///
/// # Errors
/// [`Io`](crate::PrivatePostgresError::Io) when the file can't be written or `postgres` can't be run.
pub(crate) async fn write(layout: &Layout, account: &Account, binaries: &Binaries) -> Result<()> {
    let text = render(memory_mb(), supports_lz4(layout, account, binaries).await?);
    let failed = error::io("write", &layout.conf_file);
    let unfinished = layout.conf_file.with_extension("conf.unfinished");
    match fs::remove_file(&unfinished) {
        Err(refused) if refused.kind() != ErrorKind::NotFound => return Err(failed(refused)),
        _ => {}
    }
    // The daemon owns the file. Its mode is set explicitly so that the user of the server can read it with any umask.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&unfinished).map_err(&failed)?;
    file.write_all(text.as_bytes()).map_err(&failed)?;
    file.set_permissions(fs::Permissions::from_mode(0o644)).map_err(&failed)?;
    fs::rename(&unfinished, &layout.conf_file).map_err(&failed)
}

fn render(memory_mb: u64, lz4: bool) -> String {
    let shared_buffers = (memory_mb / 8).clamp(*SHARED_BUFFERS_MB.start(), *SHARED_BUFFERS_MB.end());
    let (wal_compression, toast_compression) = if lz4 { ("lz4", "lz4") } else { ("off", "pglz") };
    format!(
        "\
# Written by observatory at every start, so edits here are lost.
# To change a setting use ALTER SYSTEM, which overrides this file.
include 'postgres/postgresql.conf'

# An acknowledged export survives a power cut.
fsync = on
full_page_writes = on
synchronous_commit = on

# Ingest writes mostly log. lz4 compresses its page images at little cost; pglz would cost too much.
wal_compression = {wal_compression}
# The log of a batch fits into memory, so that only its commit waits for the disk.
wal_buffers = 16MB
# The first change of a page after a checkpoint writes the whole page to the log, so checkpoints are rare.
max_wal_size = 4GB
checkpoint_timeout = 15min

# An eighth of memory: the machine has other work, and the rest serves as file cache.
shared_buffers = {shared_buffers}MB
# For the pools of one daemon, the command line and psql.
max_connections = 64
# A query over many days locks each day's partition and its indexes.
max_locks_per_transaction = 256
# Queries are short: compiling them takes longer than it saves.
jit = off
# Prompts and attributes are long texts: lz4 compresses them several times faster than pglz.
default_toast_compression = {toast_compression}

# Partitions only grow. Vacuum them seldom enough to be worth a pass, and often enough for index-only scans.
# Keep the statistics of the newest day fresh, since every query reads it.
autovacuum_vacuum_insert_threshold = 100000
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.05

# Days begin at midnight UTC in every place.
timezone = 'UTC'
log_timezone = 'UTC'
# Details and contexts of errors quote rows, and rows hold prompts.
log_error_verbosity = terse
"
    )
}

/// Whether this build of PostgreSQL supports lz4, which is an option of its build.
async fn supports_lz4(layout: &Layout, account: &Account, binaries: &Binaries) -> Result<bool> {
    let mut command = account.command(&binaries.postgres, &layout.data_dir);
    command.arg("-D").arg(&layout.cluster).args([
        "-c",
        "wal_compression=lz4",
        "-c",
        "default_toast_compression=lz4",
    ]);
    command.args(["-C", "wal_compression"]).stdin(Stdio::null());
    let output = command.output().await.map_err(error::io("run", &binaries.postgres))?;
    Ok(output.status.success())
}

/// Memory of this machine or container, in MiB; 0 if unknown.
fn memory_mb() -> u64 {
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    let limit_mb = limit.trim().parse().map_or(u64::MAX, |bytes: u64| bytes >> 20);
    let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total_kb = machine
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    total_kb.map_or(0, |kb: u64| kb >> 10).min(limit_mb)
}

/// `name=value`, for the option `-c` of the server.
pub(crate) fn assignment(name: &str, value: &OsStr) -> OsString {
    let mut assignment = OsString::from(name);
    assignment.push("=");
    assignment.push(value);
    assignment
}

/// A path as one item of a list setting, quoted so that its commas and spaces do not separate items.
pub(crate) fn list_item(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut quoted = vec![b'"'];
    for &byte in path.as_os_str().as_bytes() {
        quoted.extend(std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_buffers_follow_memory_within_bounds() {
        for (memory_mb, expected) in [(0, 128), (512, 128), (4096, 512), (65536, 1024)] {
            let line = format!("\nshared_buffers = {expected}MB\n");
            assert!(render(memory_mb, true).contains(&line), "{memory_mb} MB of memory");
        }
    }

    #[test]
    fn compression_falls_back_without_lz4() {
        assert!(render(0, true).contains("\nwal_compression = lz4\n"));
        let without = render(0, false);
        assert!(without.contains("\nwal_compression = off\n") && without.contains("_compression = pglz\n"));
    }

    #[test]
    fn the_memory_of_this_machine_is_known() {
        assert!(memory_mb() > 0);
    }

    #[test]
    fn paths_are_quoted_as_list_items() {
        assert_eq!(list_item(Path::new("/a, \"b\"")), "\"/a, \"\"b\"\"\"");
    }
}
