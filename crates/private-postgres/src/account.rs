//! The user that runs PostgreSQL's programs: the daemon's own user, or an ordinary user if the daemon runs as root.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, process::Stdio};

use nix::unistd::{Gid, Uid, User, geteuid};
use tokio::process::Command;

use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::Layout;

/// The users to try, in this order, when root creates a cluster.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user that runs PostgreSQL and owns the cluster.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: Uid,
    /// Group to switch to if the daemon runs as root; `None` if it already runs as this user.
    drop_to: Option<Gid>,
}

impl Account {
    /// The daemon's own user. If that is root: the owner of the cluster, or for a new cluster an ordinary user of this
    /// machine.
    ///
    /// # Errors
    /// [`PrivatePostgresError::NoAccount`] when root finds no such user.
    pub(crate) fn choose(layout: &Layout) -> Result<Self> {
        let uid = geteuid();
        if !uid.is_root() {
            return Ok(Self { name: name_of(uid), uid, drop_to: None });
        }
        // A cluster keeps its owner, since PostgreSQL refuses to run as another user.
        let owner = fs::metadata(&layout.cluster).ok().filter(|cluster| cluster.uid() != 0);
        if let Some(owner) = owner {
            let uid = Uid::from_raw(owner.uid());
            return Ok(Self { name: name_of(uid), uid, drop_to: Some(Gid::from_raw(owner.gid())) });
        }
        let user = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(PrivatePostgresError::NoAccount)?;
        Ok(Self { name: user.name, uid: user.uid, drop_to: Some(user.gid) })
    }

    /// A command that runs `program` as this user in `directory`, in its own process group and with a minimal
    /// environment. So the daemon alone handles Ctrl-C, and the server sees neither `PG*` variables nor the daemon's
    /// secrets.
    pub(crate) fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).process_group(0).env_clear().env("LC_ALL", "C").env("TZ", "UTC");
        for kept in ["PATH", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if let Some(gid) = self.drop_to {
            command.uid(self.uid.as_raw()).gid(gid.as_raw());
        }
        command
    }

    /// Makes this user the owner of `path`, if the daemon runs as root.
    ///
    /// # Errors
    /// [`PrivatePostgresError::Io`] when the owner can't be changed.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        match self.drop_to {
            Some(gid) => std::os::unix::fs::lchown(path, Some(self.uid.as_raw()), Some(gid.as_raw()))
                .map_err(error::io("change the owner of", path)),
            None => Ok(()),
        }
    }

    /// Checks that this user can enter the data directory, by running `program --version` there. Permission bits alone
    /// would miss access lists and mount options.
    ///
    /// # Errors
    /// [`PrivatePostgresError::OutOfReach`] with the outermost directory that this user may not enter,
    /// [`PrivatePostgresError::Io`] when the program can't be run for another reason.
    pub(crate) async fn check_reach(&self, layout: &Layout, program: &Path) -> Result<()> {
        if self.enters(&layout.data_dir, program).await? {
            return Ok(());
        }
        let mut outside_in: Vec<&Path> = layout.data_dir.ancestors().collect();
        outside_in.reverse();
        for directory in outside_in {
            if !self.enters(directory, program).await? {
                return Err(PrivatePostgresError::OutOfReach {
                    user: self.name.clone(),
                    blocking: directory.into(),
                });
            }
        }
        Ok(())
    }

    async fn enters(&self, directory: &Path, program: &Path) -> Result<bool> {
        let mut command = self.command(program, directory);
        match command.arg("--version").stdin(Stdio::null()).output().await {
            Ok(_) => Ok(true),
            Err(denied) if denied.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(other) => Err(error::io("enter", directory)(other)),
        }
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
