//! The parts that questions share: the caller, the period and the page.

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
    /// The project whose rows the answer holds. Nothing else in a question names a project.
    pub project: ProjectId,
    /// Time that the caller waits for the answer; `None` if it is unknown.
    pub patience: Option<Duration>,
}

impl Caller {
    /// A caller of this project with an unknown patience.
    pub fn of(project: ProjectId) -> Self {
        Self { project, patience: None }
    }

    /// Time limit of the answer to a list: the caller's patience, at most `query.timeout_ms`.
    pub(crate) fn patience_within(&self, config: &QueryConfig) -> Duration {
        let most = Duration::from_millis(config.timeout_ms);
        self.patience.map_or(most, |patience| patience.min(most))
    }
}

/// A period of time that includes `start` and excludes `end`, as a caller states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// First moment of the period. Default: `query.default_range_s` before now.
    pub start: Option<UnixNanos>,
    /// First moment after the period. Default: `query.default_ahead_s` after now.
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

/// Selects a page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// Most rows of the page.
    pub size: PageSize,
    /// The `next` token of the previous page; `None` for the first page.
    pub token: Option<PageToken>,
}

/// Most rows of a page. The default is `query.default_page_size`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageSize(Option<NonZeroU32>);

impl From<u32> for PageSize {
    /// A page of at most `rows` rows; 0 means the default.
    fn from(rows: u32) -> Self {
        Self(NonZeroU32::new(rows))
    }
}

impl PageSize {
    /// The number of rows, at most `query.max_page_size`.
    fn rows(self, config: &QueryConfig) -> usize {
        let most = usize::from(config.max_page_size);
        let asked = |rows: NonZeroU32| usize::try_from(rows.get()).unwrap_or(most);
        self.0.map_or(config.default_page_size.into(), asked).min(most)
    }
}

/// One page of the answer to a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The records of the page.
    pub content: T,
    /// Number of these records.
    pub rows: usize,
    /// The token of the next page; `None` for the last page.
    pub next: Option<PageToken>,
}

/// What all lists are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'q> {
    /// Who asks.
    pub(crate) caller: &'q Caller,
    /// The period of the rows; [`Period::ALL`] for rows without a time.
    pub(crate) period: Period,
    /// The page of the list.
    pub(crate) paging: &'q Paging,
}

/// A question whose answer comes in pages.
pub(crate) trait List {
    /// A place in the list.
    type Cursor: Position;

    /// Kind of the question.
    const KIND: Kind;

    /// What all lists are asked for.
    fn asked(&self) -> Asked<'_>;

    /// Adds all filters to the fingerprint, always in the same order. An implementation names every field of its
    /// question, so that a new filter does not compile until it is here too.
    fn filters(&self, fingerprint: Fingerprint) -> Fingerprint;
}

/// A checked question, at the start of its page.
#[derive(Debug)]
pub(crate) struct Opened<C> {
    /// Range of time, the same for all pages.
    pub(crate) range: TimeRange,
    /// Place of the last row of the previous page.
    pub(crate) after: Option<C>,
    /// Most rows of the page.
    pub(crate) limit: usize,
    fingerprint: Fingerprint,
}

/// Checks the period and the page of a list, and opens the page token.
///
/// # Errors
/// [`Invalid::EndBeforeStart`] and [`Invalid::ForeignToken`].
pub(crate) fn open<L: List>(question: &L, config: &QueryConfig) -> Result<Opened<L::Cursor>, Error> {
    let Asked { caller, period, paging: Paging { size, token } } = question.asked();
    let fingerprint = Fingerprint::of(L::KIND, caller.project)
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
    /// The answer: a page of `rows` rows, with a token if `next` names a place.
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
