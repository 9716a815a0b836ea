//! The rejected records of a request, and what was changed in others.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use llm_observatory_storage::writers::UNSTORABLE;

use crate::wire::Malformed;

/// Most rejected records that an answer names; it counts the rest.
const EXAMPLES: usize = 5;

/// Why a record can never be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The bytes of the record are not protobuf.
    Malformed(MalformedRecord),
    /// The trace id is not 16 bytes, or all zero.
    TraceId,
    /// The span id is not 8 bytes, or all zero.
    SpanId,
    /// A data point has no time.
    NoTime,
    /// A data point has neither a value nor the flag `NO_RECORDED_VALUE`.
    NoValue,
    /// The bucket counts and bounds of a histogram don't fit each other.
    Buckets,
    /// The day of the record is declined: its table has `storage.partitions.max_days` partitions already.
    PartitionLimit,
    /// PostgreSQL does not take the record.
    Unstorable,
    /// The record has more elements than `ingest.max_record_elements`.
    Elements,
}

/// The framing error of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedRecord(pub Malformed);

impl PartialOrd for MalformedRecord {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MalformedRecord {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0 as u8).cmp(&(other.0 as u8))
    }
}

impl std::hash::Hash for MalformedRecord {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.0 as u8).hash(state);
    }
}

impl From<Malformed> for Reason {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TooManyElements => Self::Elements,
            malformed => Self::Malformed(MalformedRecord(malformed)),
        }
    }
}

impl Reason {
    /// The name of the reason: a label of metrics, and a column of `ingest_rejections`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::NoTime => "no_time",
            Self::NoValue => "no_value",
            Self::Buckets => "buckets",
            Self::PartitionLimit => "partition_limit",
            Self::Unstorable => UNSTORABLE,
            Self::Elements => "elements",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => write!(f, "{}", malformed.0),
            Self::TraceId => f.write_str("trace_id must be 16 bytes and not all zero"),
            Self::SpanId => f.write_str("span_id must be 8 bytes and not all zero"),
            Self::NoTime => f.write_str("a data point needs time_unix_nano"),
            Self::NoValue => f.write_str("a data point needs a value, or the flag NO_RECORDED_VALUE"),
            Self::Buckets => {
                f.write_str("bucket_counts must be one longer than explicit_bounds, or both empty")
            }
            Self::PartitionLimit => {
                f.write_str("its day would need one more partition than storage.partitions.max_days allows")
            }
            Self::Unstorable => f.write_str("PostgreSQL does not take it"),
            Self::Elements => write!(f, "{}", Malformed::TooManyElements),
        }
    }
}

/// A rejected record that is kept in `ingest_rejections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in its request, as [`Place::named`](super::Place::named) writes it.
    pub place: String,
    /// Why it can't be stored.
    pub reason: Reason,
    /// Its bytes in the request.
    pub record: Bytes,
}

/// The rejected records of one request, and counts of what was changed in others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejections {
    counts: BTreeMap<Reason, u64>,
    letters: Vec<DeadLetter>,
    kept: usize,
    /// Texts that held invalid UTF-8 or NUL, which became U+FFFD.
    pub mended_texts: u64,
    /// Attribute values that were nested too deep, and were cut.
    pub cut_values: u64,
    /// Metrics without any kind of data, of which nothing is stored.
    pub empty_metrics: u64,
}

impl Rejections {
    /// No rejected record yet. The first `kept` will be kept as dead letters.
    pub(crate) fn keeping(kept: usize) -> Self {
        Self { kept, ..Self::default() }
    }

    /// Counts one rejected record. `letter` returns its place and its bytes, and is called if the record is kept or
    /// named.
    pub(crate) fn reject(&mut self, reason: Reason, letter: impl FnOnce() -> (String, Bytes)) {
        if self.letters.len() < self.kept.max(EXAMPLES) {
            let (place, record) = letter();
            self.letters.push(DeadLetter { place, reason, record });
        }
        *self.counts.entry(reason).or_default() += 1;
    }

    /// Counts rejected records without keeping them.
    pub(crate) fn reject_unnamed(&mut self, reason: Reason, records: u64) {
        if records > 0 {
            *self.counts.entry(reason).or_default() += records;
        }
    }

    /// The rejected records that are kept: the first ones, at most [`Limits::kept_rejections`](super::Limits).
    pub fn letters(&self) -> &[DeadLetter] {
        &self.letters[..self.letters.len().min(self.kept)]
    }

    /// The number of rejected records.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The number of rejected records for each reason.
    pub fn by_reason(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.counts.iter().map(|(reason, count)| (*reason, *count))
    }

    /// The text for the client: names the first rejected records and their reasons, and counts the others and what was
    /// changed. Empty if nothing was rejected or changed.
    pub fn message(&self) -> String {
        let mut parts: Vec<String> = self
            .letters
            .iter()
            .take(EXAMPLES)
            .map(|letter| format!("{}: {}", letter.place, letter.reason))
            .collect();
        let unnamed = self.count() - parts.len() as u64;
        if unnamed > 0 && parts.is_empty() {
            parts.push(format!(
                "{unnamed} records can never be stored; the table ingest_rejections names them"
            ));
        } else if unnamed > 0 {
            parts.push(format!("and {unnamed} more"));
        }
        let changes = [
            (self.mended_texts, "texts held invalid UTF-8 or NUL, which became U+FFFD"),
            (self.cut_values, "attribute values were nested too deep and were cut"),
            (self.empty_metrics, "metrics carried no data"),
        ];
        parts.extend(
            changes.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")),
        );
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_named_and_the_rest_counted() {
        let mut rejections = Rejections::default();
        (0..7).for_each(|n| rejections.reject(Reason::SpanId, || (format!("spans[{n}]"), Bytes::new())));
        rejections.mended_texts = 2;
        assert_eq!(rejections.count(), 7);
        let message = rejections.message();
        assert!(
            message.starts_with("spans[0]: span_id must be 8 bytes and not all zero; spans[1]"),
            "{message}"
        );
        assert!(
            message.ends_with("and 2 more; 2 texts held invalid UTF-8 or NUL, which became U+FFFD"),
            "{message}"
        );
    }
}
