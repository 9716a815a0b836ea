//! Fields as they stand on the wire, whether or not they make sense.

pub(super) use harness::raw::field;
use prost::encoding::{WireType, encode_key, encode_varint};

pub(super) fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut field = key(number, WireType::Varint);
    encode_varint(value, &mut field);
    field
}

pub(super) fn fixed64(number: u32, value: u64) -> Vec<u8> {
    [key(number, WireType::SixtyFourBit), value.to_le_bytes().to_vec()].concat()
}

pub(super) fn double(number: u32, value: f64) -> Vec<u8> {
    fixed64(number, value.to_bits())
}

/// A group, which only unknown fields can be.
pub(super) fn group(number: u32, content: &[u8]) -> Vec<u8> {
    [key(number, WireType::StartGroup), content.to_vec(), key(number, WireType::EndGroup)].concat()
}

fn key(number: u32, wire_type: WireType) -> Vec<u8> {
    let mut key = Vec::new();
    encode_key(number, wire_type, &mut key);
    key
}
