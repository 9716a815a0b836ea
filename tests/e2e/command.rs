//! Runs commands of the built binaries to their end.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use harness::daemon::binary;
use harness::eventually::deadline;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The exit code and the output of a command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// The command must have ended with `code`, and said all of this.
    pub(crate) fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            let said = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(said, "{word:?} is not in {self:#?}");
        }
    }
}

/// The PostgreSQL that tests share may lose everything in a crash.
pub(crate) const ALLOW_UNSAFE: (&str, &str) =
    ("OBSERVATORY_STORAGE__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");

/// `observatory` with these arguments, and no more than `environment` in its environment.
pub(crate) fn observatory(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    program(&binary(), arguments, environment)
}

/// The same for another program.
pub(crate) fn program(path: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env(ALLOW_UNSAFE.0, ALLOW_UNSAFE.1)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs `observatory` to its end.
pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    finish(observatory(arguments, environment)).await
}

/// Runs the command to its end.
pub(crate) async fn finish(mut command: Command) -> Finished {
    finish_of(command.spawn().unwrap()).await
}

/// Waits for the end of a command that was started.
pub(crate) async fn finish_of(child: Child) -> Finished {
    let output = child.wait_with_output();
    let output = timeout(deadline(), output).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// An address on which no process listens.
pub(crate) fn closed_port() -> String {
    // Released when the listener is dropped, and not given out again soon.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
