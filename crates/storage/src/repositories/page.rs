//! Pages of a list: time ranges, limits, and the cursor of the next page.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_observatory_core::time::UnixNanos;

/// Most rows of one page; a filter with a higher limit gets this one.
pub const MAX_ROWS: usize = 10_000;

/// Rows of a page by default.
pub(super) const DEFAULT_ROWS: usize = 100;

/// A range of time that includes `start` and excludes `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// First moment of the range.
    pub start: UnixNanos,
    /// First moment after the range. `u64::MAX` means that the range has no end.
    pub end: UnixNanos,
}

impl TimeRange {
    /// All of time. A list over it may read every partition.
    pub const ALL: Self = Self { start: UnixNanos(0), end: UnixNanos(u64::MAX) };

    /// Whether the range ends after `time`.
    pub(super) fn ends_after(&self, time: UnixNanos) -> bool {
        self.end == Self::ALL.end || time < self.end
    }

    /// The nanoseconds beyond the whole microseconds of `end`. For a range without an end 1,000, which no row has, so
    /// that the range includes rows of the last moment.
    pub(super) fn end_nanos(&self) -> i16 {
        if self.end == Self::ALL.end { 1_000 } else { self.end.sub_micros() }
    }
}

impl Default for TimeRange {
    fn default() -> Self {
        Self::ALL
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` for the last page.
    pub next: Option<C>,
}

impl<T, C: for<'t> From<&'t T>> Page<T, C> {
    /// A page of `limit` rows. `found` holds one row more if there is a next page.
    pub(super) fn new(found: Vec<T>, limit: usize) -> Self {
        let mut page = Self { items: found, next: None };
        page.truncate(limit);
        page
    }

    /// Keeps the first `length` rows, and sets the cursor so that the next page starts with the removed rows. `length`
    /// is at least 1.
    pub fn truncate(&mut self, length: usize) {
        if length < self.items.len() {
            self.items.truncate(length);
            self.next = self.items.last().map(C::from);
        }
    }
}

/// The limit of a page, clamped to 1..=[`MAX_ROWS`], and the rows to ask for: one more, which tells whether there is a
/// next page.
pub(super) fn limits(limit: usize) -> (usize, i64) {
    let limit = limit.clamp(1, MAX_ROWS);
    (limit, limit as i64 + 1)
}

/// A time as a parameter, in whole microseconds.
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
    fn the_next_page_starts_after_the_last_row() {
        let page: Page<u32, Last> = Page::new(vec![5, 4, 3], 2);
        assert_eq!(page, Page { items: vec![5, 4], next: Some(Last(4)) });
        let mut last: Page<u32, Last> = Page::new(vec![5, 4], 2);
        assert_eq!(last.next, None);
        last.truncate(1);
        assert_eq!(last, Page { items: vec![5], next: Some(Last(5)) });
    }
}
