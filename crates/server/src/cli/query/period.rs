//! The time that a list is about.

use std::time::Duration;

use clap::Args;
use prost_types::Timestamp;

use crate::cli::failure::Failure;
use crate::cli::moment::Moment;

const HOUR: Duration = Duration::from_secs(3_600);
/// What a list is about by default.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What to say of a list without items.
pub(in crate::cli) const NOTHING_FITS: &str =
    "nothing fits; a list begins 24 hours ago unless --from tells when";

/// The time that a list is about.
#[derive(Debug, Args)]
pub(in crate::cli) struct Period {
    /// Only what started at this time or later: 2026-11-01, 2026-11-01T12:00:00Z, or how long ago, like 90m, 24h, 7d
    /// [default: 24h before --to].
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only what started before this time [default: now].
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// The same as --from with so many hours ago.
    #[arg(long, value_name = "HOURS", conflicts_with = "from")]
    hours: Option<u32>,
}

impl Period {
    /// Its start and its end, if it has one.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it begins after its end.
    pub(in crate::cli) fn range(&self) -> Result<(Timestamp, Option<Timestamp>), Failure> {
        let day_before = || self.to.map_or_else(|| Moment::ago(DAY), |to| to.before(DAY));
        self.range_from(day_before())
    }

    /// The same, but it begins at `default` if nobody says when.
    ///
    /// # Errors
    /// Those of [`Self::range`].
    pub(in crate::cli) fn range_from(
        &self,
        default: Moment,
    ) -> Result<(Timestamp, Option<Timestamp>), Failure> {
        let hours_ago = self.hours.map(|hours| Moment::ago(HOUR * hours));
        let from = self.from.or(hours_ago).unwrap_or(default);
        match self.to {
            Some(to) if to <= from => {
                Err(Failure::Usage(format!("--from ({from}) must be before --to ({to})")))
            }
            to => Ok((from.into(), to.map(Timestamp::from))),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        period: Period,
    }

    fn asked(arguments: &[&str]) -> Period {
        Asked::try_parse_from([&["test"], arguments].concat()).unwrap().period
    }

    #[test]
    fn a_period_ends_where_it_is_told_and_begins_a_day_before() {
        let (from, to) = asked(&["--to", "2026-11-02T12:00"]).range().unwrap();
        assert_eq!(from, "2026-11-01T12:00Z".parse::<Moment>().unwrap().into());
        assert_eq!(to, Some("2026-11-02T12:00Z".parse::<Moment>().unwrap().into()));
        let all = |arguments: &[&str]| asked(arguments).range_from(Moment::BEGINNING).unwrap();
        assert_eq!(all(&[]), (Timestamp::default(), None));
        assert_eq!(all(&["--from", "2026-11-02"]).0.seconds, 1_793_577_600);
    }

    #[test]
    fn hours_are_counted_from_now_and_an_end_before_the_start_is_an_error() {
        let now = Timestamp::from(Moment::ago(Duration::ZERO));
        let (from, to) = asked(&["--hours", "2"]).range().unwrap();
        assert!((now.seconds - from.seconds - 7_200).abs() <= 1 && to.is_none(), "{from:?}");
        assert!(asked(&["--from", "1h", "--to", "2h"]).range().is_err());
        assert!(Asked::try_parse_from(["test", "--hours", "2", "--from", "1h"]).is_err());
    }
}
