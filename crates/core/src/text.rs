//! Text that PostgreSQL can store.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use bytestring::ByteString;

/// UTF-8 without NUL. Usually a slice of the buffer of its request, which it keeps alive, so that cloning copies no bytes.
///
/// PostgreSQL's `text` can't store U+0000 (SQLSTATE 22021), so U+FFFD takes its place.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(ByteString);

impl Text {
    /// The empty text.
    pub const EMPTY: Self = Self(ByteString::new());

    /// A text of the program, without a copy. It must hold no NUL.
    pub const fn from_static(text: &'static str) -> Self {
        Self(ByteString::from_static(text))
    }

    /// The text in `slice`, mended like [`mend`]. Shares `buffer` unless it had to be mended.
    ///
    /// # Panics
    /// When `slice` lies outside `buffer`, unless it is empty or holds a NUL.
    pub fn from_wire(buffer: &Bytes, slice: &[u8]) -> Self {
        if slice.is_empty() {
            return Self::EMPTY;
        }
        let shared = (!slice.contains(&0)).then(|| ByteString::try_from(buffer.slice_ref(slice)).ok());
        match shared.flatten() {
            Some(text) => Self(text),
            None => Self(ByteString::from(mend(slice).into_owned())),
        }
    }

    /// The same text, mended like [`mend`]: a slice of `buffer` if it lies in it, and a copy otherwise.
    pub fn within(buffer: &Bytes, text: &str) -> Self {
        let (all, part) = (buffer.as_ptr_range(), text.as_bytes().as_ptr_range());
        let is_inside = all.start <= part.start && part.end <= all.end;
        if is_inside { Self::from_wire(buffer, text.as_bytes()) } else { Self::from(text) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The bytes as a text that PostgreSQL can store: U+FFFD replaces each invalid sequence and each NUL.
pub fn mend(bytes: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => Cow::Borrowed(text),
        _ => Cow::Owned(String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")),
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.contains('\0') { Self::from(text.to_owned()) } else { Self(ByteString::from(text)) }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(ByteString::from(if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_text_shares_the_buffer() {
        let buffer = Bytes::from_static(b"GET /chat");
        let text = Text::from_wire(&buffer, &buffer[4..]);
        assert_eq!(&*text, "/chat");
        assert_eq!(text.as_bytes().as_ptr(), buffer[4..].as_ptr());
    }

    #[test]
    fn text_of_the_buffer_shares_it_and_other_text_is_copied() {
        let buffer = Bytes::from_static(b"GET /chat");
        let inside = std::str::from_utf8(&buffer[4..]).unwrap();
        assert_eq!(Text::within(&buffer, inside).as_bytes().as_ptr(), inside.as_ptr());
        let outside = "/chat".to_owned();
        let copy = Text::within(&buffer, &outside);
        assert_eq!(copy.as_str(), outside);
        assert_ne!(copy.as_bytes().as_ptr(), outside.as_ptr());
    }

    #[test]
    fn bad_text_is_mended() {
        let buffer = Bytes::from_static(b"a\0b\xff\xfec");
        assert_eq!(&*Text::from_wire(&buffer, &buffer), "a\u{fffd}b\u{fffd}\u{fffd}c");
        assert_eq!(&*Text::from("x\0".to_owned()), "x\u{fffd}");
    }
}
