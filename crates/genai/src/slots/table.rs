//! A hash table over the keys, which the compiler builds.

use super::keys::{KEYS, SLOT, Slot};

/// Size of the hash table: a power of two, large enough that most places are free.
const PLACES: usize = 2048;

/// The slots, each plus one, at the hash of their key or after it; zero where there is none.
static TABLE: [u16; PLACES] = table();

const fn table() -> [u16; PLACES] {
    let mut table = [0; PLACES];
    let mut slot = 0;
    while slot < KEYS.len() {
        let mut place = place(KEYS[slot].as_bytes());
        while table[place] != 0 {
            place = (place + 1) % PLACES;
        }
        table[place] = slot as u16 + 1;
        slot += 1;
    }
    table
}

/// The place of a key: eight bytes at a time, so that a key costs some nanoseconds whatever its length.
const fn place(key: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = key.len() as u64;
    let mut rest = key;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        hash = (hash ^ u64::from_le_bytes(*chunk)).wrapping_mul(FACTOR);
        hash ^= hash >> 29;
        rest = tail;
    }
    let last = match key.last_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => short(key),
    };
    hash = (hash ^ last).wrapping_mul(FACTOR);
    (hash >> 53) as usize
}

const fn short(key: &[u8]) -> u64 {
    let mut bytes = 0;
    let mut at = 0;
    while at < key.len() {
        bytes = bytes << 8 | key[at] as u64;
        at += 1;
    }
    bytes
}

impl Slot {
    /// The slot of this key, if readings look at it.
    pub(crate) fn of(key: &str) -> Option<Self> {
        let mut place = place(key.as_bytes());
        loop {
            let slot = usize::from(TABLE[place]).checked_sub(1)?;
            if KEYS[slot] == key {
                return (!key.is_empty()).then_some(SLOT[slot]);
            }
            place = (place + 1) % PLACES;
        }
    }

    /// Whether only LLM dialects use the key.
    pub(crate) fn marks_llm(self) -> bool {
        (self as u16) < Self::FirstShared as u16
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_leads_to_its_slot() {
        for (slot, key) in SLOT.iter().zip(KEYS).filter(|(_, key)| !key.is_empty()) {
            assert_eq!(Slot::of(key), Some(*slot), "{key}");
        }
        assert_eq!(KEYS.iter().collect::<HashSet<_>>().len(), KEYS.len(), "a key stands twice");
        assert_eq!(Slot::of(""), None);
        assert_eq!(Slot::of("gen_ai.request.models"), None);
    }

    #[test]
    fn the_table_is_sparse_enough() {
        let ordinary = ["http.request.method", "url.full", "db.statement", "net.peer.ip", "server.address"];
        for key in KEYS.iter().chain(&ordinary) {
            let start = place(key.as_bytes());
            let steps = (0..).find(|step| TABLE[(start + step) % PLACES] == 0).unwrap();
            assert!(steps < 12, "{key} takes {steps} steps");
        }
    }
}
