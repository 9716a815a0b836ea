//! Pages: a time range, a limit, and where to go on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_observatory_core::time::UnixNanos;

/// Most rows that one page holds, whatever its filter says.
pub const MAX_ROWS: usize = 10_000;

/// Rows of a page when its filter does not say.
pub(super) const DEFAULT_ROWS: usize = 100;

/// A span of time: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment.
    pub start: UnixNanos,
    /// The first moment after it; the last moment that OTLP can tell means that there is no end.
    pub end: UnixNanos,
}

impl TimeRange {
    /// All of time. A list over it looks into every partition.
    pub const ALL: Self = Self { start: UnixNanos(0), end: UnixNanos(u64::MAX) };

    /// Whether the range goes on beyond `time`.
    pub(super) fn ends_after(&self, time: UnixNanos) -> bool {
        self.end == Self::ALL.end || time < self.end
    }

    /// The nanoseconds beside the microseconds of `end`. Without an end they are beyond all that a row can have, so that
    /// rows of the last moment are within.
    pub(super) fn end_nanos(&self) -> i16 {
        if self.end == Self::ALL.end { 1_000 } else { self.end.sub_micros() }
    }
}

impl Default for TimeRange {
    fn default() -> Self {
        Self::ALL
    }
}

/// Some rows of a list, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` when this is the last one.
    pub next: Option<C>,
}

impl<T, C: for<'t> From<&'t T>> Page<T, C> {
    /// The page of `limit` rows out of those that were found when one more was asked for.
    pub(super) fn new(found: Vec<T>, limit: usize) -> Self {
        let mut page = Self { items: found, next: None };
        page.truncate(limit);
        page
    }

    /// Keeps the first `length` rows; what is cut off begins the next page.
    pub fn truncate(&mut self, length: usize) {
        if length < self.items.len() {
            self.items.truncate(length);
            self.next = self.items.last().map(C::from);
        }
    }
}

/// How many rows a page holds at most, and how many to ask for in order to know whether there is another page.
pub(super) fn limits(limit: usize) -> (usize, i64) {
    let limit = limit.clamp(1, MAX_ROWS);
    (limit, limit as i64 + 1)
}

/// The microseconds of a time as a parameter.
pub(super) fn timestamp(time: UnixNanos) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(time.0 / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Last(u32);

    impl From<&u32> for Last {
        fn from(row: &u32) -> Self {
            Self(*row)
        }
    }

    #[test]
    fn a_page_goes_on_after_its_last_row() {
        let page: Page<u32, Last> = Page::new(vec![5, 4, 3], 2);
        assert_eq!(page, Page { items: vec![5, 4], next: Some(Last(4)) });
        let mut last: Page<u32, Last> = Page::new(vec![5, 4], 2);
        assert_eq!(last.next, None);
        last.truncate(1);
        assert_eq!(last, Page { items: vec![5], next: Some(Last(5)) });
    }
}
