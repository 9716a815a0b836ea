//! Reads the protobuf fields of a message one after the other, borrowed from the request.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>. Framing is checked as strictly as prost checks it.
//! Texts and depth, where prost would be too strict, are left to the callers.

/// Why bytes are not protobuf of the expected shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end within a field.
    #[error("the message ends within a field")]
    Truncated,
    /// A varint does not end, or does not fit 64 bits.
    #[error("a varint is longer than 64 bits")]
    Varint,
    /// A tag has field number 0, is too large, or names no wire type.
    #[error("a field has an impossible tag")]
    Tag,
    /// A known field has another wire type than its definition.
    #[error("a field has another wire type than OTLP defines")]
    WireType,
    /// A record has more elements than `ingest.max_record_elements`.
    #[error(
        "it has more attributes, events, links, buckets and nested values than ingest.max_record_elements allows"
    )]
    TooManyElements,
}

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Field<'a> {
    /// Its number.
    pub(crate) number: u32,
    payload: Payload<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Group,
    Fixed32(u32),
}

/// The fields of one message, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// Deepest nesting of groups that is skipped; deeper ones are malformed. OTLP has no groups, so they are unknown
/// fields.
const MAX_GROUP_DEPTH: u32 = 100;

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        // Tags and most lengths are one byte.
        if let [byte @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for (n, byte) in self.rest.iter().enumerate().take(10) {
            // The tenth byte holds the 64th bit, and nothing more.
            if n == 9 && *byte > 1 {
                return Err(Malformed::Varint);
            }
            value |= u64::from(byte & 0x7f) << (7 * n);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[n + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() >= 10 { Malformed::Varint } else { Malformed::Truncated })
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Reads the number and wire type of the next field.
    fn tag(&mut self) -> Result<(u32, u64), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed::Tag)?;
        match tag >> 3 {
            0 => Err(Malformed::Tag),
            number => Ok((number, u64::from(tag & 7))),
        }
    }

    #[inline]
    fn payload(&mut self, number: u32, wire_type: u64, depth: u32) -> Result<Payload<'a>, Malformed> {
        Ok(match wire_type {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed::Truncated)?;
                Payload::Bytes(self.take(length)?)
            }
            3 => self.skip_group(number, depth)?,
            5 => Payload::Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => return Err(Malformed::Tag),
        })
    }

    fn skip_group(&mut self, group: u32, depth: u32) -> Result<Payload<'a>, Malformed> {
        if depth >= MAX_GROUP_DEPTH {
            return Err(Malformed::Tag);
        }
        loop {
            match self.tag()? {
                (number, 4) if number == group => return Ok(Payload::Group),
                (number, wire_type) => {
                    self.payload(number, wire_type, depth + 1)?;
                }
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.tag().and_then(|(number, wire_type)| {
            let payload = self.payload(number, wire_type, 0)?;
            Ok(Field { number, payload })
        });
        if field.is_err() {
            self.rest = &[]; // a broken field does not say where the next one begins
        }
        Some(field)
    }
}

impl<'a> Field<'a> {
    /// The bytes of a `string`, a `bytes` field or a nested message.
    pub(crate) fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::WireType),
        }
    }

    /// `int64`, `uint64`, `bool` or an enum.
    pub(crate) fn varint(&self) -> Result<u64, Malformed> {
        match self.payload {
            Payload::Varint(value) => Ok(value),
            _ => Err(Malformed::WireType),
        }
    }

    /// `uint32`: the low 32 bits, as protobuf defines it.
    pub(crate) fn u32(&self) -> Result<u32, Malformed> {
        Ok(self.varint()? as u32)
    }

    /// `int32` or an enum: the low 32 bits, as protobuf defines it.
    pub(crate) fn i32(&self) -> Result<i32, Malformed> {
        Ok(self.u32()?.cast_signed())
    }

    /// `sint32`, zigzag.
    pub(crate) fn sint32(&self) -> Result<i32, Malformed> {
        let zigzag = self.u32()?;
        Ok((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }

    /// `fixed64`.
    pub(crate) fn fixed64(&self) -> Result<u64, Malformed> {
        match self.payload {
            Payload::Fixed64(value) => Ok(value),
            _ => Err(Malformed::WireType),
        }
    }

    /// `fixed32`.
    pub(crate) fn fixed32(&self) -> Result<u32, Malformed> {
        match self.payload {
            Payload::Fixed32(value) => Ok(value),
            _ => Err(Malformed::WireType),
        }
    }

    /// `double`.
    pub(crate) fn double(&self) -> Result<f64, Malformed> {
        Ok(f64::from_bits(self.fixed64()?))
    }

    /// The most values that a repeated number can hold: one for each byte.
    pub(crate) fn most_values(&self) -> usize {
        match self.payload {
            Payload::Bytes(packed) => packed.len(),
            _ => 1,
        }
    }

    /// Adds the values of a `repeated fixed64` or `repeated double`, packed or not.
    pub(crate) fn repeated_fixed64(&self, values: &mut Vec<u64>) -> Result<(), Malformed> {
        if let Payload::Bytes(packed) = self.payload {
            let (chunks, rest) = packed.as_chunks::<8>();
            values.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
            return if rest.is_empty() { Ok(()) } else { Err(Malformed::Truncated) };
        }
        values.push(self.fixed64()?);
        Ok(())
    }

    /// Adds the values of a `repeated uint64`, packed or not.
    pub(crate) fn repeated_varint(&self, values: &mut Vec<u64>) -> Result<(), Malformed> {
        if let Payload::Bytes(packed) = self.payload {
            let mut packed = Fields::of(packed);
            while !packed.rest.is_empty() {
                values.push(packed.varint()?);
            }
            return Ok(());
        }
        values.push(self.varint()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &[u8]) -> Result<Vec<Field<'_>>, Malformed> {
        Fields::of(message).collect()
    }

    #[test]
    fn every_wire_type_is_read() {
        let message = [
            &[0x08, 0x96, 0x01][..],               // 1: varint 150
            &[0x11, 1, 0, 0, 0, 0, 0, 0, 0],       // 2: fixed64 1
            &[0x1a, 0x02, b'h', b'i'],             // 3: bytes
            &[0x23, 0x08, 0x01, 0x2b, 0x2c, 0x24], // 4: group holding a varint and another group
            &[0x2d, 2, 0, 0, 0],                   // 5: fixed32 2
        ]
        .concat();
        let fields = fields(&message).unwrap();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(fields[0].varint(), Ok(150));
        assert_eq!(fields[1].fixed64(), Ok(1));
        assert_eq!(fields[2].bytes(), Ok(&b"hi"[..]));
        assert_eq!(fields[4].fixed32(), Ok(2));
        assert_eq!(fields[0].bytes(), Err(Malformed::WireType));
    }

    #[test]
    fn broken_framing_is_an_error() {
        assert_eq!(fields(&[0x0a, 5, b'x']), Err(Malformed::Truncated));
        assert_eq!(fields(&[0x08, 0x80]), Err(Malformed::Truncated));
        assert_eq!(fields(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]), Err(Malformed::Varint));
        assert_eq!(fields(&[0x00, 0x01]), Err(Malformed::Tag));
        assert_eq!(fields(&[0x0e, 0x01]), Err(Malformed::Tag));
        assert_eq!(fields(&[0x23, 0x2c]), Err(Malformed::Tag), "a group that ends as another");
    }

    #[test]
    fn zigzag_goes_both_ways() {
        let read = |byte| fields(&[0x08, byte]).unwrap()[0].sint32().unwrap();
        assert_eq!([read(0), read(1), read(2), read(3)], [0, -1, 1, -2]);
    }
}
