//! The columns of a row that PostgreSQL returned, read one after the other.

use std::error::Error as StdError;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::attributes::Inconsistent;
use super::column::Column;

/// A row with the place of the next column to read.
#[derive(Debug)]
pub(crate) struct Fields<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Fields<'r> {
    /// Starts at the first column of the row.
    pub(crate) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// Reads the next column. `name` is its name in the error.
    ///
    /// # Errors
    /// [`Inconsistent::Column`] when the value is none of a column of this kind, or the row has no further column.
    pub(crate) fn take<C: Column>(&mut self, name: &'static str) -> Result<C::Out, Inconsistent> {
        let place = self.next;
        self.next += 1;
        let raw = self.row.try_get::<_, Option<Raw<'_>>>(place).map_err(|_| Inconsistent::Column(name))?;
        C::get(raw.map(|raw| raw.0)).ok_or(Inconsistent::Column(name))
    }
}

/// A value in PostgreSQL's binary form.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
