//! Faults: processes are killed, connections are cut, answers get lost, and requests come again in other shapes. An oracle
//! outside of the daemon knows what was issued and what was acknowledged; afterwards everything acknowledged is in
//! PostgreSQL, once, intact, and nothing else is. Disks are full, loads too high, records wrong and clients hostile: the
//! daemon stays within its bounds, and everybody else is served.
//!
//! Each test has a short form, which `make test` runs, and a full one, which `make test-faults` runs: see [`run`].

#![expect(clippy::unwrap_used, reason = "a test: what fails here should panic, in helpers too")]

mod run;

mod caller;
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
mod lost_answers;
mod mistakes;
mod overload;
mod poison;
mod postgres_killed;
mod rebatched;
mod repeated;
mod severed;
mod stopped;
mod vanished;
