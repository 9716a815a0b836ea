//! Attribute lists in columns of jsonb: those of dictionary rows.

use llm_observatory_core::attributes::Attribute;

use super::Attributes;
use super::layout::{EXACT, of_jsonb};
use crate::models::arena::Arena;
use crate::models::json::{Kept, write_string, write_value};

impl Attributes {
    /// The columns for `attributes`, where the JSON is jsonb.
    pub fn jsonb(attributes: &[Attribute<'_>]) -> Self {
        if attributes.is_empty() {
            return Self::default();
        }
        let mut arena = Arena::default();
        if attributes.iter().any(|attribute| attribute.key.contains('\0')) {
            return jsonb_beside(attributes, &mut arena);
        }
        let order = in_jsonb_order(attributes);
        let (json, places) = arena.column(|out| write_object(attributes, &order, out));
        Self { json, layout: of_jsonb(attributes, &places, &mut arena) }
    }
}

/// For lists with NUL in a key. The JSON shows such a key as another one, which may sort elsewhere or be a duplicate. So the
/// layout keeps the whole list exactly, and the JSON is for people only.
fn jsonb_beside(attributes: &[Attribute<'_>], arena: &mut Arena) -> Attributes {
    let shown = |attribute: &Attribute<'_>| attribute.key.replace('\0', "\u{fffd}");
    let shown: Vec<_> = attributes
        .iter()
        .map(|attribute| Attribute::new(shown(attribute), attribute.value.clone()))
        .collect();
    let Attributes { json, .. } = Attributes::jsonb(&shown);
    Attributes { json, layout: of_jsonb(attributes, &vec![EXACT; attributes.len()], arena) }
}

/// The places of the attributes in jsonb's order of their keys. Equal keys keep the order of the list.
fn in_jsonb_order(attributes: &[Attribute<'_>]) -> Vec<usize> {
    // The length and the first eight bytes decide nearly every comparison.
    let rank = |(place, attribute): (usize, &Attribute<'_>)| {
        let key = attribute.key.as_bytes();
        let mut start = [0; 8];
        let known = key.len().min(8);
        start[..known].copy_from_slice(&key[..known]);
        (key.len(), u64::from_be_bytes(start), place)
    };
    let mut ranked: Vec<_> = attributes.iter().enumerate().map(rank).collect();
    ranked.sort_unstable_by(|a, b| {
        let keys = || attributes[a.2].key.as_bytes().cmp(attributes[b.2].key.as_bytes());
        (a.0, a.1).cmp(&(b.0, b.1)).then_with(keys).then(a.2.cmp(&b.2))
    });
    ranked.into_iter().map(|(_, _, place)| place).collect()
}

/// Writes the attributes as a JSON object. Returns the place of each among the keys, or [`EXACT`] for one that JSON
/// can't hold.
fn write_object(attributes: &[Attribute<'_>], order: &[usize], out: &mut Vec<u8>) -> Vec<u8> {
    let mut places = vec![EXACT; attributes.len()];
    let mut place = 0_usize;
    out.push(b'{');
    for (n, &index) in order.iter().enumerate() {
        let key = &attributes[index].key;
        let same = |other: Option<&usize>| other.is_some_and(|other| attributes[*other].key == *key);
        if same(order.get(n + 1)) {
            continue; // write only the last of several equal keys, as jsonb keeps it
        }
        let first_of_its_key = n == 0 || !same(order.get(n - 1));
        if place > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        let kept = write_value(&attributes[index].value, out);
        if kept == Kept::AsJsonb && first_of_its_key && place < usize::from(EXACT) {
            places[index] = place as u8;
        }
        place += 1;
    }
    out.push(b'}');
    places
}
