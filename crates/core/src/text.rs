//! Text that PostgreSQL can store.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// UTF-8 without NUL. Usually a slice of the buffer of its request, which it keeps alive, so that cloning copies no bytes.
///
/// PostgreSQL's `text` can't store U+0000 (SQLSTATE 22021), so U+FFFD takes its place.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Bytes);

impl Text {
    /// The empty text.
    pub const EMPTY: Self = Self(Bytes::new());

    /// A text of the program, without a copy. It must hold no NUL.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The text in `slice`, mended like [`mend`]. Shares `buffer` unless it had to be mended.
    ///
    /// # Panics
    /// When `slice` lies outside `buffer`, unless it is empty or had to be mended.
    pub fn from_wire(buffer: &Bytes, slice: &[u8]) -> Self {
        match mend(slice) {
            Cow::Borrowed("") => Self::EMPTY,
            Cow::Borrowed(text) => Self(buffer.slice_ref(text.as_bytes())),
            Cow::Owned(text) => Self(Bytes::from(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Every constructor checks for UTF-8. The second check is cheap, and std has no safe conversion without one.
        simdutf8::basic::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
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
        Self(match mend(text.as_bytes()) {
            Cow::Borrowed(text) => Bytes::copy_from_slice(text.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        })
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.contains('\0') { Self::from(text.as_str()) } else { Self(Bytes::from(text)) }
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
    fn bad_text_is_mended() {
        let buffer = Bytes::from_static(b"a\0b\xff\xfec");
        assert_eq!(&*Text::from_wire(&buffer, &buffer), "a\u{fffd}b\u{fffd}\u{fffd}c");
        assert_eq!(&*Text::from("x\0".to_owned()), "x\u{fffd}");
    }
}
