//! Damage to encoded requests, as by a broken network or a hostile client.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    /// A slice is written again at another place.
    Repeat(Index, Index, Index),
    /// A byte that may be a length becomes a little longer or shorter.
    Lengthen(Index, i8),
}

/// A few of them.
pub(crate) fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<Index>;
    let damage = prop_oneof![
        (at(), 1..=u8::MAX).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        at().prop_map(Damage::Cut),
        (at(), vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), at(), at()).prop_map(|(from, to, at)| Damage::Repeat(from, to, at)),
        (at(), -4..=4_i8).prop_map(|(at, by)| Damage::Lengthen(at, by)),
    ];
    vec(damage, 1..4)
}

/// The bytes after all `damages`.
pub(crate) fn apply(damages: &[Damage], bytes: Vec<u8>) -> Vec<u8> {
    damages.iter().fold(bytes, |bytes, damage| damage.apply(bytes))
}

impl Damage {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        let place = |index: &Index| index.index(bytes.len());
        match self {
            Self::Flip(at, bits) => {
                let at = place(at);
                bytes[at] ^= bits;
            }
            Self::Cut(at) => bytes.truncate(place(at)),
            Self::Insert(at, inserted) => {
                let at = place(at);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Repeat(from, to, at) => {
                let (from, to, at) = (place(from), place(to), place(at));
                let slice = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(at..at, slice);
            }
            Self::Lengthen(at, by) => {
                let at = place(at);
                bytes[at] = bytes[at].saturating_add_signed(*by);
            }
        }
        bytes
    }
}
