//! A process as the kernel sees it: its memory, and the CPU time that it took.

use std::fmt;
use std::fs;
use std::time::Duration;

use nix::unistd::Pid;

/// The unit of CPU times in /proc: USER_HZ, which is 100 wherever Linux runs.
const TICK: Duration = Duration::from_millis(10);

/// A running process.
#[derive(Debug, Clone, Copy)]
pub struct Process(Pid);

/// Its memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Bytes that it holds now.
    pub resident: u64,
    /// Bytes that it held at most.
    pub peak: u64,
    /// Bytes that it asked for, touched or not.
    pub reserved: u64,
}

impl Process {
    pub(crate) fn new(pid: Pid) -> Self {
        Self(pid)
    }

    /// Its memory.
    pub fn memory(self) -> Memory {
        let status = self.read("status");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            kib.unwrap_or_else(|| panic!("/proc/{}/status does not tell {name}", self.0)) * 1024
        };
        Memory { resident: of("VmRSS"), peak: of("VmHWM"), reserved: of("VmData") }
    }

    /// The CPU time that it took so far, in user and kernel mode.
    pub fn cpu(self) -> Duration {
        let stat = self.read("stat");
        // The second field is its name in parentheses, which may hold anything.
        let (_, fields) = stat.rsplit_once(')').expect("a process has a name");
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u32 = times.map(|ticks| ticks.parse::<u32>().expect("a number of ticks")).sum();
        TICK * ticks
    }

    /// How many descriptors it has open.
    pub fn descriptors(self) -> usize {
        let path = format!("/proc/{}/fd", self.0);
        fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}: did it end?")).count()
    }

    fn read(self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}: did it end?"))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, peak, reserved } = self;
        write!(f, "resident {}, peak {}, reserved {} MiB", resident >> 20, peak >> 20, reserved >> 20)
    }
}
