//! The columns of one row of an answer, taken one after the other.

use std::error::Error as StdError;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::attributes::Inconsistent;
use super::column::Column;

/// The columns of one row, of which some have been taken.
#[derive(Debug)]
pub struct Fields<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Fields<'r> {
    /// All columns of the row.
    pub(crate) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// Takes the next column, which the statement calls `name`.
    ///
    /// # Errors
    /// [`Inconsistent::Column`] when it holds what a column of this kind can't hold.
    pub fn take<C: Column>(&mut self, name: &'static str) -> Result<C::Out, Inconsistent> {
        let place = self.next;
        self.next += 1;
        let raw = self.row.try_get::<_, Option<Raw<'_>>>(place).map_err(|_| Inconsistent::Column(name))?;
        C::get(raw.map(|raw| raw.0)).ok_or(Inconsistent::Column(name))
    }
}

/// A value as it travels.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
