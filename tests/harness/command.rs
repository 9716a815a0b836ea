//! Commands of the built binary.

use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::daemon::binary;
use crate::eventually::deadline;

/// The exit code and the output of a command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// The command must have ended with `code`, and said all of this.
    pub fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            let said = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(said, "{word:?} is not in {self:#?}");
        }
    }
}

/// The PostgreSQL that tests share may lose everything in a crash.
pub const ALLOW_UNSAFE: (&str, &str) = ("OBSERVATORY_STORAGE__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");

/// `observatory` with these arguments, and no more than `environment` in its environment.
pub fn observatory(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    program(&binary(), arguments, environment)
}

/// The same for another program.
pub fn program(path: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
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
pub async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    finish(observatory(arguments, environment)).await
}

/// Runs the command to its end.
pub async fn finish(mut command: Command) -> Finished {
    finish_of(command.spawn().expect("a program that was found")).await
}

/// Waits for the end of a command that was started.
pub async fn finish_of(child: Child) -> Finished {
    let output = child.wait_with_output();
    let output = timeout(deadline(), output).await.expect("it ends in time").expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
