//! A hard limit to the memory of a daemon: past it the kernel ends the process, as it ends a container.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::scratch::keeper;

/// Removes the group when standard input closes and its last process is gone.
const REMOVE: &str = r#"
cat >/dev/null
for n in $(seq 100); do rmdir "$1" && break; sleep 0.1; done
"#;

/// A limit for the processes that begin with its [prelude](Self::prelude).
#[derive(Debug)]
pub struct MemoryLimit {
    bytes: u64,
    group: Option<Group>,
}

/// A control group, removed when dropped or when this process ends.
#[derive(Debug)]
struct Group {
    path: PathBuf,
    version: Version,
    keeper: Child,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl MemoryLimit {
    /// A limit by a control group where we may make one, else by RLIMIT_DATA.
    pub fn new(bytes: u64) -> Self {
        let versions = [Version::One, Version::Two];
        Self { bytes, group: versions.into_iter().find_map(|version| Group::new(version, bytes).ok()) }
    }

    /// The shell lines that put a process under the limit; see [`Options::prelude`](crate::daemon::Options::prelude).
    pub fn prelude(&self) -> String {
        match &self.group {
            Some(group) => format!("echo $$ >{}/cgroup.procs || exit 1", group.path.display()),
            None => format!("ulimit -d {} || exit 1", self.bytes / 1024),
        }
    }

    /// How many processes the kernel ended because of it. RLIMIT_DATA ends none: it lets allocations fail.
    pub fn kills(&self) -> u64 {
        let Some(group) = &self.group else { return 0 };
        let file = match group.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let text = fs::read_to_string(group.path.join(file)).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok()).unwrap_or(0)
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let means = match self.group.as_ref().map(|group| group.version) {
            Some(Version::One) => "a control group (version 1)",
            Some(Version::Two) => "a control group (version 2)",
            None => "RLIMIT_DATA, since no control group could be made",
        };
        write!(f, "{} MiB by {means}", self.bytes >> 20)
    }
}

impl Group {
    fn new(version: Version, bytes: u64) -> io::Result<Self> {
        let root = match version {
            Version::One => Path::new("/sys/fs/cgroup/memory"),
            Version::Two => Path::new("/sys/fs/cgroup"),
        };
        let file = match version {
            Version::One => "memory.limit_in_bytes",
            Version::Two => "memory.max",
        };
        let path = root.join(format!("observatory-test-{}", std::process::id()));
        fs::create_dir(&path)?;
        let keeper = keeper(REMOVE, &[&path.to_string_lossy()]);
        // From here on it is removed when something fails.
        let group = Self { path, version, keeper };
        fs::OpenOptions::new().write(true).open(group.path.join(file))?;
        fs::write(group.path.join(file), bytes.to_string())?;
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}
