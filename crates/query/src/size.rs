//! Splits answers into messages of limited size.

use std::iter::Peekable;

use crate::error::{Error, Record};

/// An encoded record, its size in a message, and its name in an error.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    pub(crate) content: T,
    pub(crate) bytes: usize,
    pub(crate) name: Record,
}

/// Takes the next records, as many as have at most `bytes` together, but at least one. Returns none after the last record.
///
/// # Errors
/// The error of a record, or [`Error::TooLarge`] for one of more than `most` bytes.
pub(crate) fn next_fitting<T>(
    records: &mut Peekable<impl Iterator<Item = Result<Outgoing<T>, Error>>>,
    bytes: usize,
    most: usize,
) -> Result<Vec<T>, Error> {
    let mut taken = Vec::new();
    let mut total = 0_usize;
    let mut fits = |record: &Result<Outgoing<T>, Error>| {
        let first = total == 0;
        total = total.saturating_add(record.as_ref().map_or(0, |record| record.bytes.max(1)));
        first || total <= bytes
    };
    while let Some(record) = records.next_if(&mut fits) {
        let Outgoing { content, bytes, name } = record?;
        if bytes > most {
            return Err(Error::TooLarge { record: name, bytes, limit: most });
        }
        taken.push(content);
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::time::UnixNanos;

    use super::*;

    fn pages(sizes: &[usize], bytes: usize, most: usize) -> Result<Vec<Vec<usize>>, Error> {
        let sized =
            |size: &usize| Ok(Outgoing { content: *size, bytes: *size, name: Record::Log(UnixNanos(1)) });
        let mut records = sizes.iter().map(sized).peekable();
        let mut pages = Vec::new();
        loop {
            match next_fitting(&mut records, bytes, most)? {
                page if page.is_empty() => return Ok(pages),
                page => pages.push(page),
            }
        }
    }

    #[test]
    fn a_message_holds_the_records_that_fit_but_at_least_one() {
        assert_eq!(pages(&[4, 4, 4], 8, 100).unwrap(), [vec![4, 4], vec![4]]);
        assert_eq!(pages(&[9, 1, 0, 7, 1], 8, 100).unwrap(), [vec![9], vec![1, 0], vec![7, 1]]);
        assert_eq!(pages(&[], 8, 100).unwrap(), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_record_beyond_the_limit_is_an_error() {
        let error = pages(&[1, 9], 8, 8).unwrap_err();
        assert!(matches!(error, Error::TooLarge { bytes: 9, limit: 8, .. }));
    }
}
