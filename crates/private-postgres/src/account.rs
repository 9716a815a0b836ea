//! As whom PostgreSQL's programs run: as ourselves, or as someone ordinary when we are root.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, process::Stdio};

use nix::unistd::{Gid, Uid, User, geteuid};
use tokio::process::Command;

use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::Layout;

/// In this order, when root starts a first cluster.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user that runs PostgreSQL and owns the cluster.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: Uid,
    /// Set when we are root and must change users.
    drop_to: Option<Gid>,
}

impl Account {
    /// Ourselves; under root the owner of the cluster, and for a first cluster an ordinary user of this machine.
    ///
    /// # Errors
    /// [`PrivatePostgresError::NoAccount`] when root finds no such user.
    pub(crate) fn choose(layout: &Layout) -> Result<Self> {
        let uid = geteuid();
        if !uid.is_root() {
            return Ok(Self { name: name_of(uid), uid, drop_to: None });
        }
        // A cluster keeps its owner: PostgreSQL refuses any other, and an ordinary user's stays that user's.
        let owner = fs::metadata(&layout.cluster).ok().filter(|cluster| cluster.uid() != 0);
        if let Some(owner) = owner {
            let uid = Uid::from_raw(owner.uid());
            return Ok(Self { name: name_of(uid), uid, drop_to: Some(Gid::from_raw(owner.gid())) });
        }
        let user = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(PrivatePostgresError::NoAccount)?;
        Ok(Self { name: user.name, uid: user.uid, drop_to: Some(user.gid) })
    }

    /// A command that runs `program` as this user from `directory`, deaf to the terminal and to our environment:
    /// Ctrl-C is the daemon's to handle, and `PG*` variables and secrets are not meant for a private server.
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

    /// Gives `path` to this user, when that is not ourselves.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        match self.drop_to {
            Some(gid) => std::os::unix::fs::lchown(path, Some(self.uid.as_raw()), Some(gid.as_raw()))
                .map_err(error::io("change the owner of", path)),
            None => Ok(()),
        }
    }

    /// Checks that this user can enter the data directory, by running `program` (any that knows `--version`) there: no
    /// reading of modes knows about access lists and read-only mounts.
    ///
    /// # Errors
    /// [`PrivatePostgresError::OutOfReach`] names the outermost directory that shuts this user out.
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
