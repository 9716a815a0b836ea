//! Runs commands of the built binaries to their end.

use std::net::TcpListener;

pub(crate) use harness::command::{ALLOW_UNSAFE, Finished, finish, finish_of, observatory, program, run};

/// An address on which no process listens.
pub(crate) fn closed_port() -> String {
    // Released when the listener is dropped, and not given out again soon.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
