//! What all questions have in common: who asks, about which time, and which page.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::repositories::TimeRange;

use crate::config::QueryConfig;
use crate::error::{Error, Invalid};
use crate::kind::Kind;
use crate::token::{Fingerprint, PageToken, Position};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The project that is asked about. Nothing else in a question names one.
    pub project: ProjectId,
    /// How long the caller waits; `None` when it did not say.
    pub patience: Option<Duration>,
}

impl Caller {
    /// A caller from this project who did not say how long it waits.
    pub fn of(project: ProjectId) -> Self {
        Self { project, patience: None }
    }

    /// How long the answer to a list may take: as long as the caller waits, but at most `query.timeout_ms`.
    pub(crate) fn patience_within(&self, config: &QueryConfig) -> Duration {
        let most = Duration::from_millis(config.timeout_ms);
        self.patience.map_or(most, |patience| patience.min(most))
    }
}

/// A span of time as a caller gives it: `start` belongs to it, `end` does not. An end that is not given has the default
/// of the configuration, relative to now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub start: Option<UnixNanos>,
    /// The first moment after it.
    pub end: Option<UnixNanos>,
}

impl Period {
    /// All of time.
    pub const ALL: Self = Self { start: Some(TimeRange::ALL.start), end: Some(TimeRange::ALL.end) };

    fn range(self, now: UnixNanos, config: &QueryConfig) -> Result<TimeRange, Invalid> {
        if let Self { start: Some(start), end: Some(end) } = self
            && end < start
        {
            return Err(Invalid::EndBeforeStart);
        }
        let nanos = |seconds: u64| seconds.saturating_mul(NANOS_PER_SECOND);
        Ok(TimeRange {
            start: self.start.unwrap_or(UnixNanos(now.0.saturating_sub(nanos(config.default_range_s)))),
            end: self.end.unwrap_or(UnixNanos(now.0.saturating_add(nanos(config.default_ahead_s)))),
        })
    }
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// How many rows it may hold.
    pub size: PageSize,
    /// Where it begins: the token that the page before gave. `None` asks for the first page.
    pub token: Option<PageToken>,
}

/// How many rows a page may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageSize(Option<NonZeroU32>);

impl From<u32> for PageSize {
    /// A page of at most this many rows; 0 leaves it to the configuration.
    fn from(rows: u32) -> Self {
        Self(NonZeroU32::new(rows))
    }
}

impl PageSize {
    /// The number of rows: never more than the configuration allows.
    fn rows(self, config: &QueryConfig) -> usize {
        let most = usize::from(config.max_page_size);
        let asked = |rows: NonZeroU32| usize::try_from(rows.get()).unwrap_or(most);
        self.0.map_or(config.default_page_size.into(), asked).min(most)
    }
}

/// One page of the answer to a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What the page holds.
    pub content: T,
    /// How many rows these are.
    pub rows: usize,
    /// The token of the next page; `None` when this is the last one.
    pub next: Option<PageToken>,
}

/// A question whose answer comes in pages.
pub(crate) trait List {
    /// What a place in this list is.
    type Cursor: Position;

    /// Which question it is.
    const KIND: Kind;

    /// Who asks.
    fn caller(&self) -> &Caller;

    /// Which page.
    fn paging(&self) -> &Paging;

    /// The time that it is about; all of it for rows that have none.
    fn period(&self) -> Period;

    /// Enters everything else that decides which rows the list has, always in the same order.
    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint;
}

/// A list opened at the place where its page begins.
#[derive(Debug)]
pub(crate) struct Opened<C> {
    /// The range of time, which stays the same from page to page.
    pub(crate) range: TimeRange,
    /// The last row of the page before.
    pub(crate) after: Option<C>,
    /// Most rows of the page.
    pub(crate) limit: usize,
    fingerprint: Fingerprint,
}

/// Checks what is common to all lists, and opens the token of the page.
pub(crate) fn open<L: List>(question: &L, config: &QueryConfig) -> Result<Opened<L::Cursor>, Error> {
    let Paging { size, token } = question.paging();
    let period = question.period();
    let fingerprint = Fingerprint::of(L::KIND, question.caller().project)
        .field(period.start.map(|time| time.0.to_le_bytes()))
        .field(period.end.map(|time| time.0.to_le_bytes()));
    let fingerprint = question.filters(fingerprint);
    let (range, after) = match token {
        Some(token) => {
            let (range, after) = fingerprint.open(token).ok_or(Invalid::ForeignToken)?;
            (range, Some(after))
        }
        None => (period.range(SystemTime::now().into(), config)?, None),
    };
    Ok(Opened { range, after, limit: size.rows(config), fingerprint })
}

impl<C: Position> Opened<C> {
    /// The answer: a page of `rows` rows, and where the next one begins.
    pub(crate) fn page<T>(self, content: T, rows: usize, next: Option<C>) -> Page<T> {
        let next = next.map(|next| self.fingerprint.token(&(self.range, next)));
        Page { content, rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixNanos = UnixNanos(1_800_000_000 * NANOS_PER_SECOND);

    fn ends(start: Option<u64>, end: Option<u64>) -> Result<(u64, u64), Invalid> {
        let period = Period { start: start.map(UnixNanos), end: end.map(UnixNanos) };
        period.range(NOW, &QueryConfig::default()).map(|range| (range.start.0, range.end.0))
    }

    #[test]
    fn each_end_has_its_own_default() {
        let (day, hour) = (86_400 * NANOS_PER_SECOND, 3_600 * NANOS_PER_SECOND);
        assert_eq!(ends(None, None), Ok((NOW.0 - day, NOW.0 + hour)));
        assert_eq!(ends(Some(7), None), Ok((7, NOW.0 + hour)));
        assert_eq!(ends(None, Some(5)), Ok((NOW.0 - day, 5)));
        assert_eq!(ends(Some(5), Some(5)), Ok((5, 5)));
        assert_eq!(ends(Some(6), Some(5)), Err(Invalid::EndBeforeStart));
    }

    #[test]
    fn page_sizes_have_a_default_and_a_limit() {
        let config = QueryConfig::default();
        let rows = |size: u32| PageSize::from(size).rows(&config);
        assert_eq!((rows(0), rows(7), rows(u32::MAX)), (100, 7, 1_000));
    }
}
