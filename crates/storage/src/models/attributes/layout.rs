//! What the JSON of an attribute list does not tell: a *layout*.
//!
//! JSON has no bytes, no NaN and no NUL, so some attributes are kept as OTLP too: the *exact* ones. jsonb keeps neither
//! order nor duplicates either. So there are two forms:
//!
//! * beside a text, which keeps order and duplicates: a zero byte; the number of exact attributes as a protobuf varint; for
//!   each, as a varint, four times the number of others between it and the one before. The two lowest bits are free for
//!   other things that may be said of an attribute;
//! * beside jsonb: the number of attributes as a varint, which is never zero; one byte for each in its original order: its
//!   place among the keys in jsonb's order (by length, then by bytes), or 255 for "take the next exact attribute".
//!
//! Then follow the exact attributes, as an encoded `opentelemetry.proto.common.v1.KeyValueList`.

use bytes::Bytes;
use llm_observatory_core::attributes::Attribute;
use opentelemetry_proto::tonic::common::v1::{KeyValue, KeyValueList};
use prost::Message as _;
use prost::encoding::{decode_varint, encode_varint};

use super::{Inconsistent, to_key_value};
use crate::models::arena::Arena;

/// The byte for "take the next exact attribute".
pub(super) const EXACT: u8 = u8::MAX;
/// The first byte beside a text.
const OF_TEXT: u8 = 0;
/// What is said of an attribute beside a text, in the lowest bits of its entry: that it is exact.
const IS_EXACT: usize = 0;

/// The layout beside a text of which the attributes at these places, in their order, are exact.
pub(super) fn of_text(attributes: &[Attribute<'_>], exact: &[usize], arena: &mut Arena) -> Bytes {
    if exact.is_empty() {
        return Bytes::new();
    }
    let list = exact.iter().map(|place| to_key_value(&attributes[*place])).collect();
    let write = |out: &mut Vec<u8>| {
        out.push(OF_TEXT);
        encode_varint(exact.len() as u64, out);
        let mut next = 0;
        for place in exact {
            encode_varint((((place - next) << 2) | IS_EXACT) as u64, out);
            next = place + 1;
        }
        KeyValueList { values: list }.encode_raw(out);
    };
    arena.column(write).0
}

/// The layout beside jsonb, from the place of each attribute.
pub(super) fn of_jsonb(attributes: &[Attribute<'_>], places: &[u8], arena: &mut Arena) -> Bytes {
    let in_order = places.iter().enumerate().all(|(n, place)| usize::from(*place) == n && *place != EXACT);
    if in_order {
        return Bytes::new();
    }
    let exact = attributes.iter().zip(places).filter(|(_, place)| **place == EXACT);
    let list = exact.map(|(attribute, _)| to_key_value(attribute)).collect();
    let write = |out: &mut Vec<u8>| {
        encode_varint(places.len() as u64, out);
        out.extend_from_slice(places);
        KeyValueList { values: list }.encode_raw(out);
    };
    arena.column(write).0
}

/// The attributes in their order, from those of the JSON and a layout.
///
/// # Errors
/// [`Inconsistent::Otlp`] for a layout that does not decode, [`Inconsistent::Layout`] for one of other attributes.
pub(super) fn arrange(entries: Vec<KeyValue>, layout: &[u8]) -> Result<Vec<KeyValue>, Inconsistent> {
    match layout {
        [] => Ok(entries),
        [OF_TEXT, layout @ ..] => replace(entries, layout),
        layout => reorder(entries, layout),
    }
}

fn replace(mut entries: Vec<KeyValue>, mut layout: &[u8]) -> Result<Vec<KeyValue>, Inconsistent> {
    let count = number(&mut layout)?;
    let mut places = Vec::new();
    let mut next = 0_usize;
    for _ in 0..count {
        let entry = number(&mut layout)?;
        let place = next.checked_add(entry >> 2).ok_or(Inconsistent::Layout)?;
        if entry & 3 != IS_EXACT || place >= entries.len() {
            return Err(Inconsistent::Layout);
        }
        places.push(place);
        next = place + 1;
    }
    let exact = KeyValueList::decode(layout)?.values;
    if exact.len() != places.len() {
        return Err(Inconsistent::Layout);
    }
    places.into_iter().zip(exact).for_each(|(place, exact)| entries[place] = exact);
    Ok(entries)
}

fn reorder(entries: Vec<KeyValue>, mut layout: &[u8]) -> Result<Vec<KeyValue>, Inconsistent> {
    let count = number(&mut layout)?;
    let (places, exact) = layout.split_at_checked(count).ok_or(Inconsistent::Layout)?;
    let mut exact = KeyValueList::decode(exact)?.values.into_iter();
    let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
    places
        .iter()
        .map(|place| match *place {
            EXACT => exact.next(),
            place => entries.get_mut(usize::from(place)).and_then(Option::take),
        })
        .map(|attribute| attribute.ok_or(Inconsistent::Layout))
        .collect()
}

fn number(layout: &mut &[u8]) -> Result<usize, Inconsistent> {
    usize::try_from(decode_varint(layout)?).map_err(|_| Inconsistent::Layout)
}
