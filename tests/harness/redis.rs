//! A real Redis.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::scratch::Scratch;
use crate::server::Server;

/// A Redis of our own, reached through a unix socket. Stopped and removed when dropped or when this process ends.
#[derive(Debug)]
pub struct Redis {
    // Dropped first: the directory goes when the server is gone.
    server: Option<Server>,
    scratch: Scratch,
}

impl Redis {
    /// A server that answers.
    pub fn start() -> Self {
        let mut redis = Self { server: None, scratch: Scratch::new("redis") };
        redis.resume();
        redis
    }

    /// Starts it again, empty, at the same address.
    pub fn resume(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--dir"]).arg(self.scratch.path());
        command.arg("--unixsocket").arg(self.socket());
        command.arg("--pidfile").arg(self.scratch.path().join("redis.pid")).stdout(Stdio::null());
        let mut server = Server::start(command, &self.scratch.path().join("log"), Signal::SIGKILL);
        let socket = self.socket();
        server.wait_until("Redis starts (install it with: apt install redis-server)", || {
            UnixStream::connect(&socket)
        });
        self.server = Some(server);
    }

    /// Stops it. Nothing that it held is kept.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.stop(Signal::SIGTERM);
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("redis.sock")
    }
}
