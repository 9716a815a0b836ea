//! Faults: tests kill processes, cut connections, lose answers, and send requests again in other shapes. An oracle outside
//! of the daemon knows which records clients issued and the daemon acknowledged; afterwards PostgreSQL holds everything
//! acknowledged, once and intact, and nothing else. Under full disks, overload, poisoned records and hostile clients, the
//! daemon keeps to its limits and serves all other clients.
//!
//! Each test has a short form, which `make test` runs, and a full one, which `make test-faults` runs: see [`run`].

#![expect(clippy::unwrap_used, reason = "a test: what fails here should panic, in helpers too")]

mod run;

mod caller;
mod calls;
mod codec;
mod exporter;
mod lossy;
mod oracle;
mod proxy;
mod records;

mod daemon_killed;
mod disk;
mod failover;
mod hostile;
mod llm;
mod lost_answers;
mod mistakes;
mod overload;
mod poison;
mod postgres_killed;
mod rebatched;
mod repeated;
mod reprice;
mod severed;
mod stopped;
mod vanished;
