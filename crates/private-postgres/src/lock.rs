//! The lock that gives a data directory to one daemon.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
};

use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::Layout;

/// The exclusive right to a data directory. Dropping it unlocks the file and does not only close it: a process that is
/// just being spawned may hold a copy of the descriptor for a moment longer.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Takes the data directory for this process.
    ///
    /// # Errors
    /// [`PrivatePostgresError::InUse`] when another process has it; [`PrivatePostgresError::Io`] when the lock file
    /// can't be written.
    pub(crate) fn take(layout: &Layout) -> Result<Self> {
        let failed = error::io("open", &layout.lock_file);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let mut file = options.open(&layout.lock_file).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // If the id can't be read, the message leaves it out.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim().parse().ok();
                return Err(PrivatePostgresError::InUse { data_dir: layout.data_dir.clone(), holder });
            }
            Err(TryLockError::Error(refused)) => return Err(error::io("lock", &layout.lock_file)(refused)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(&failed)?;
        Ok(Self(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If this fails, closing the file unlocks it too.
        let _ = self.0.unlock();
    }
}
