//! The unix socket: the only way to connect to the private PostgreSQL.

use std::{
    fs::{self, DirBuilder},
    io::ErrorKind,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::account::Account;
use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::{Layout, NAME, set_mode};

/// Characters of a path that are encoded in the query of a URL: all but letters, digits and `/.-_~`.
const BEYOND_PATHS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Longest path of a socket, in bytes: the size of `sun_path` without its terminating zero.
const LONGEST_SOCKET_PATH: usize = 107;

/// PostgreSQL's name for the socket of port 5432.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

/// The directory for the socket, which is created if it does not exist. This is `run`; if the path of `run` is too
/// long, or has a comma (which clients read as a list of hosts), it is a short one in `temp_dir` with a name derived
/// from the data directory. A process that can enter it is superuser of the database, so only `account` may own it.
///
/// # Errors
/// [`PrivatePostgresError::ForeignSocketDirectory`] when it belongs to another user; [`PrivatePostgresError::Io`] when
/// it can't be created.
pub(crate) fn directory(layout: &Layout, account: &Account, temp_dir: &Path) -> Result<PathBuf> {
    let socket = layout.run_dir.join(SOCKET);
    let socket = socket.as_os_str().as_encoded_bytes();
    let fits = socket.len() <= LONGEST_SOCKET_PATH && !socket.contains(&b',');
    let key = fnv1a(layout.data_dir.as_os_str().as_encoded_bytes());
    let path = if fits { layout.run_dir.clone() } else { temp_dir.join(format!("observatory-{key:016x}")) };
    prepare(&path, account)?;
    Ok(path)
}

/// Creates the directory of a socket if it does not exist, and lets only `account` enter it.
///
/// # Errors
/// Those of [`directory`].
pub(crate) fn prepare(path: &Path, account: &Account) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.own(path)?,
        Err(exists) if exists.kind() == ErrorKind::AlreadyExists => {}
        Err(refused) => return Err(error::io("create", path)(refused)),
    }
    // In a shared temporary directory another user may have created it, also as a symbolic link.
    let found = fs::symlink_metadata(path).map_err(error::io("read", path))?;
    if !found.is_dir() || found.uid() != account.uid.as_raw() {
        return Err(PrivatePostgresError::ForeignSocketDirectory {
            path: path.into(),
            user: account.name.clone(),
        });
    }
    set_mode(path, 0o700)
}

/// The URL of the database behind the socket in `socket_dir`.
pub(crate) fn url(socket_dir: &Path) -> String {
    let host = percent_encode(socket_dir.as_os_str().as_bytes(), BEYOND_PATHS);
    format!("postgresql:///{NAME}?host={host}&user={NAME}")
}

/// A hash that is the same in every build, for the name of a directory.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
