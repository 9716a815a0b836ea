//! One server process.

use std::fmt;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::eventually::eventually_blocking;

/// A server that writes its log to a file. Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    at_the_end: Signal,
}

impl Server {
    /// Starts `command`; what it writes is appended to `log`, save what the caller took for itself. When dropped it gets
    /// the signal `at_the_end`, which must be one that it can't ignore: a child inherits ignored signals, such as SIGQUIT.
    pub(crate) fn start(mut command: Command, log: &Path, at_the_end: Signal) -> Self {
        let file =
            || File::options().create(true).append(true).open(log).expect("a log file in our own directory");
        // A group of its own: a Ctrl-C at the terminal must not end servers before their clients.
        command.stdin(Stdio::null()).stderr(file()).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned(), at_the_end }
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Waits until `ready` holds. Panics with the log when the server ends before.
    pub(crate) fn wait_until<T, E: fmt::Display>(
        &mut self,
        what: &str,
        mut ready: impl FnMut() -> Result<T, E>,
    ) -> T {
        eventually_blocking(what, || {
            if let Some(status) = self.ended() {
                panic!("{what}: ended with {status}\n{}", self.log());
            }
            ready()
        })
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            // The child has not been waited for, so its id can't belong to anyone else.
            kill(self.pid(), signal).expect("a child of ours");
        }
    }

    /// Sends the signal and waits for the end.
    pub(crate) fn stop(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        eventually_blocking("stopping a server", || self.ended().ok_or("it still runs"))
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            kill(self.pid(), self.at_the_end).ok();
            self.child.wait().ok();
        }
    }
}
