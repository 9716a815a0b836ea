//! How long a run is, and the seed of everything that is random in it.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;

/// The environment variable that asks for the full forms, by the word `full`.
const LENGTH: &str = "OBSERVATORY_TEST_FAULTS";

/// The environment variable with the seed of another run.
const SEED: &str = "OBSERVATORY_TEST_SEED";

/// One run of one test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) test: &'static str,
    pub(crate) seed: u64,
    full: bool,
}

impl Run {
    /// Reads the environment, and prints the seed.
    pub(crate) fn of(test: &'static str) -> Self {
        let seed = match std::env::var(SEED) {
            Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("{SEED}={seed}: must be a number")),
            // A new hasher has random keys: four digits of them are enough, and easy to type.
            Err(_) => RandomState::new().hash_one(test) % 10_000,
        };
        let full = std::env::var(LENGTH).is_ok_and(|length| length == "full");
        println!("{test}: {} form, {SEED}={seed}", if full { "full" } else { "short" });
        Self { test, seed, full }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// `short` in the short form, `full` in the full one.
    pub(crate) fn pick<T>(&self, short: T, full: T) -> T {
        if self.full { full } else { short }
    }

    /// Says that it was not run, also when what tests print is not shown, as it is when they succeed.
    pub(crate) fn did_not(&self, why: &str) {
        writeln!(std::io::stderr(), "{}: NOT RUN: {why}", self.test).ok();
    }

    /// Random numbers of this run; those of different streams have nothing in common.
    pub(crate) fn random(&self, stream: u64) -> Random {
        Random::new(&[self.seed, stream])
    }
}

/// SplitMix64: small, and the same for ever, so that a seed means the same run tomorrow.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers that depend on all of `seeds`.
    pub(crate) fn new(seeds: &[u64]) -> Self {
        let mix = |state: u64, seed: &u64| Self(state ^ seed).next();
        Self(seeds.iter().fold(0, mix))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `range`, which is small beside 2^64.
    pub(crate) fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.within(0..all.len() as u64) as usize]
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.within(0..last as u64 + 1) as usize);
        }
    }
}
