//! Directories, and the servers in them, that do not outlive this process, however it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use nix::mount::{MsFlags, mount};

/// Waits until its standard input closes (the kernel does that, even after kill -9), ends every server that left a pid
/// file in the directory, unmounts what is mounted in it, and removes the directory.
const KEEPER: &str = r#"
cat >/dev/null
for pid in $(find "$1" -name '*.pid' -exec head -n 1 {} ';'); do
    kill -INT "$pid" && for n in $(seq 100); do kill -0 "$pid" || break; sleep 0.1; done
    kill -KILL "$pid"
done 2>/dev/null
awk -v within="$1/" 'index($2, within) == 1 { print $2 }' /proc/self/mounts | xargs -r umount
rm -rf "$1"
"#;

/// A directory that every user may enter, removed when dropped or when this process ends.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    keeper: Child,
}

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let dir = tempfile::Builder::new().prefix(&format!("observatory-{name}-")).tempdir();
        let path = dir.expect("a temporary directory").keep();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("chmod of our own directory");
        let keeper = keeper(KEEPER, &[&path.to_string_lossy()]);
        Self { path, keeper }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A directory within, belonging to the user with this id, if one is given.
    pub(crate) fn subdir(&self, name: &str, owner: Option<u32>) -> PathBuf {
        let path = self.path.join(name);
        std::fs::create_dir(&path).expect("a directory in our own directory");
        std::os::unix::fs::chown(&path, owner, None).expect("root may give directories away");
        path
    }

    /// A directory within that is a disk of its own and holds no more than this. Only root may mount one.
    pub(crate) fn disk(&self, name: &str, bytes: u64) -> nix::Result<PathBuf> {
        let path = self.subdir(name, None);
        let options = format!("size={bytes},mode=755");
        mount(Some("tmpfs"), &path, Some("tmpfs"), MsFlags::empty(), Some(options.as_str()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// Starts a shell that waits for its standard input to close. A Ctrl-C at the terminal does not reach it.
pub(crate) fn keeper(script: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", script, "keeper"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().expect("a shell")
}
