//! A server and its standby.

use std::fs;

use super::{Postgres, unprivileged};

impl Postgres {
    /// Becomes a standby of `primary` and runs. What it was before, and its data, are gone.
    pub fn follow(&mut self, primary: &Self) {
        self.stop();
        for entry in fs::read_dir(&self.data).expect("a directory of ours").flatten() {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
                .expect("a file of ours");
        }
        let mut copy = unprivileged("pg_basebackup");
        copy.args(["--username=postgres", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        copy.arg("--host").arg(&primary.data).arg("--pgdata").arg(&self.data);
        let output = copy.output().expect("pg_basebackup starts");
        assert!(output.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&output.stderr));
        // The primary's socket lies among its data.
        fs::remove_file(self.socket().with_extension("5432.lock")).expect("a lock that was copied");
        self.resume();
    }

    /// The address of a database that either of two servers has, as libpq's keywords and values.
    pub fn address_of_both(first: &Self, second: &Self, database: &str) -> String {
        format!("host={},{} user=postgres dbname={database}", first.data.display(), second.data.display())
    }
}
