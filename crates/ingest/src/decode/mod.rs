//! Decodes OTLP requests into rows, straight from the wire.
//!
//! A strict decoder would lose data that this one keeps: invalid UTF-8 becomes U+FFFD, a value that is nested too deep
//! is cut, and a record that can't be stored is rejected alone and named. Only a request whose outer framing is broken
//! is refused as a whole.

pub(crate) mod census;
pub(crate) mod decoded;
pub(crate) mod decoder;
pub(crate) mod log;
pub(crate) mod metric;
mod nested;
pub(crate) mod notes;
pub(crate) mod place;
pub(crate) mod rejection;
mod resource;
pub(crate) mod trace;
mod value;

pub use census::Census;
pub use decoded::{Decoded, Undecodable};
pub use decoder::Decoder;
pub use notes::Limits;
pub use place::{Levels, Place, Source};
pub use rejection::{DeadLetter, Reason, Rejections};
