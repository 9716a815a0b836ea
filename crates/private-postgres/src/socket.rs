//! The unix socket: the only way into the private PostgreSQL.

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

/// What a path in a URL's query may not hold as it is: all but letters, digits and `/.-_~`.
const BEYOND_PATHS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Room for the terminating zero of `sun_path` taken off.
const LONGEST_SOCKET_PATH: usize = 107;

/// PostgreSQL's name for the socket of port 5432.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

/// The directory for the socket, made where it does not exist: `run`, or a short one in `temp_dir` whose name depends on
/// the data directory alone, where the path of `run` is too long or has a comma, which clients take for a list of hosts.
/// Whoever enters it is the database's superuser, so it must belong to `account` alone.
///
/// # Errors
/// [`PrivatePostgresError::ForeignSocketDirectory`] when it belongs to another user; [`PrivatePostgresError::Io`].
pub(crate) fn directory(layout: &Layout, account: &Account, temp_dir: &Path) -> Result<PathBuf> {
    let socket = layout.run_dir.join(SOCKET);
    let socket = socket.as_os_str().as_encoded_bytes();
    let fits = socket.len() <= LONGEST_SOCKET_PATH && !socket.contains(&b',');
    let key = fnv1a(layout.data_dir.as_os_str().as_encoded_bytes());
    let path = if fits { layout.run_dir.clone() } else { temp_dir.join(format!("observatory-{key:016x}")) };
    prepare(&path, account)?;
    Ok(path)
}

/// Makes the directory of a socket where it does not exist, and sees to it that only `account` may enter it.
///
/// # Errors
/// As [`directory`].
pub(crate) fn prepare(path: &Path, account: &Account) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.own(path)?,
        Err(exists) if exists.kind() == ErrorKind::AlreadyExists => {}
        Err(refused) => return Err(error::io("create", path)(refused)),
    }
    // Anyone may have made it in a shared temporary directory, as a link too.
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

/// A hash that is the same in every build, as the name of a directory must be.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
