//! Counts the records and groups of a request by its framing alone, before anything is allocated for them.

use crate::wire::{Fields, Malformed};

/// The numbers of records and groups in a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Spans, data points or log records.
    pub records: u64,
    /// Resource groups, scope groups and metrics.
    pub groups: u64,
}

impl Census {
    /// Counts a request whose records are the items of its scope groups.
    ///
    /// # Errors
    /// [`Malformed`] when the framing of a group is broken.
    pub(crate) fn of_records(request: &[u8]) -> Result<Self, Malformed> {
        Self::count(request, |census, _| {
            census.records += 1;
            Ok(())
        })
    }

    /// Counts a request whose records are the data points of the metrics in its scope groups.
    ///
    /// # Errors
    /// [`Malformed`] when the framing of a group is broken.
    pub(crate) fn of_points(request: &[u8]) -> Result<Self, Malformed> {
        Self::count(request, |census, metric| {
            census.groups += 1;
            census.records += records(metric);
            Ok(())
        })
    }

    fn count(
        request: &[u8],
        visit: impl Fn(&mut Self, &[u8]) -> Result<(), Malformed>,
    ) -> Result<Self, Malformed> {
        let mut census = Self::default();
        for group in Fields::of(request) {
            let group = group?;
            if group.number != 1 {
                continue;
            }
            census.groups += 1;
            for inner in Fields::of(group.bytes()?) {
                let inner = inner?;
                if inner.number != 2 {
                    continue;
                }
                census.groups += 1;
                for item in Fields::of(inner.bytes()?) {
                    let item = item?;
                    if item.number == 2 {
                        visit(&mut census, item.bytes()?)?;
                    }
                }
            }
        }
        Ok(census)
    }
}

/// The records in a metric. A broken metric counts its points before the break, and one more for the break.
pub(super) fn records(metric: &[u8]) -> u64 {
    points(metric).unwrap_or_else(|before| before + 1)
}

/// The number of data points of a metric; for a broken metric, `Err` with the number of points before the break.
fn points(metric: &[u8]) -> Result<u64, u64> {
    let mut data: &[u8] = &[];
    for field in Fields::of(metric) {
        let field = field.map_err(|_| 0_u64)?;
        match field.number {
            1 | 2 | 3 | 12 => _ = field.bytes().map_err(|_| 0_u64)?,
            // Of a oneof that is set twice, the last one counts.
            5 | 7 | 9 | 10 | 11 => data = field.bytes().map_err(|_| 0_u64)?,
            _ => {}
        }
    }
    let mut points = 0;
    for field in Fields::of(data) {
        let field = field.map_err(|_| points)?;
        if field.number == 1 {
            field.bytes().map_err(|_| points)?;
            points += 1;
        }
    }
    Ok(points)
}
