//! Declares row types: the table, its columns in their order, and how each column is written and read.

use super::encoder::RowEncoder;
use super::fields::Fields;
use crate::error::Error;

/// A table, for the statements that write and read its rows.
#[derive(Debug)]
pub struct Table {
    /// Name of the table.
    pub name: &'static str,
    /// The columns of a row, in their order in the table.
    pub columns: &'static [&'static str],
    /// What a SELECT asks for, for each of them.
    pub(crate) selects: &'static [Select],
}

/// What a SELECT asks for: see [`Column::select`](super::column::Column::select).
pub(crate) type Select = fn(table: &str, name: &str) -> String;

impl Table {
    /// The columns that a writer fills: `start_time, end_time, ...`.
    pub(crate) fn names(&self) -> String {
        self.columns.join(", ")
    }

    /// What a reader asks for: `start_time, end_time, ...`.
    pub(crate) fn select(&self) -> String {
        self.select_of("")
    }

    /// What a reader asks for, each with the alias of the table: `s.start_time, s.end_time, ...`.
    pub(crate) fn select_from(&self, alias: &str) -> String {
        self.select_of(&format!("{alias}."))
    }

    fn select_of(&self, table: &str) -> String {
        let columns = self.columns.iter().zip(self.selects);
        columns.map(|(name, select)| select(table, name)).collect::<Vec<_>>().join(", ")
    }

    /// The statement `COPY .. FROM STDIN BINARY` for the table.
    pub fn copy(&self) -> String {
        format!("/* copy: {0} */ COPY {0} ({1}) FROM STDIN BINARY", self.name, self.names())
    }

    /// The COPY into a staging table, which has an additional column `arrival`.
    pub(crate) fn copy_numbered(&self, staging: &str) -> String {
        format!("/* copy: {staging} */ COPY {staging} ({}, arrival) FROM STDIN BINARY", self.names())
    }

    /// The INSERT of one row that ignores a row whose unique key is stored already.
    pub fn insert(&self) -> String {
        format!("{} ON CONFLICT DO NOTHING", self.insert_new())
    }

    /// The INSERT of one row that fails if its unique key is stored already.
    pub fn insert_new(&self) -> String {
        let parameters: Vec<_> = (1..=self.columns.len()).map(|n| format!("${n}")).collect();
        let (columns, parameters) = (self.names(), parameters.join(", "));
        format!("/* insert: {0} */ INSERT INTO {0} ({columns}) VALUES ({parameters})", self.name)
    }
}

/// A row that encodes itself for its table.
pub trait Row {
    /// The table of the row.
    const TABLE: Table;

    /// Encodes one value for each column of the table, in their order.
    fn encode(&self, to: &mut RowEncoder<'_>);
}

/// A value that decodes itself from the columns of a returned row.
pub(crate) trait ReadRow: Sized + Send + 'static {
    /// Reads its columns, in their order.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when a column holds a value that this program does not write.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error>;
}

/// Implements [`Row`], and with `read` also [`ReadRow`].
///
/// `name: Kind = value` writes `value` to the column `name`, as a [`Column`](super::column::Column) of that kind. A
/// `let` before the columns names a value that several columns share. The expression after `read` builds the row; it
/// sees each column as a variable with the name of the column.
macro_rules! row {
    ($row:ty, $table:literal, |$this:ident| $(let $shared:ident = $what:expr;)* [$($name:ident: $column:ty = $value:expr),+ $(,)?]) => {
        impl $crate::models::row::Row for $row {
            const TABLE: $crate::models::row::Table = $crate::models::row::Table {
                name: $table,
                columns: &[$(stringify!($name)),+],
                selects: &[$(<$column as $crate::models::column::Column>::select),+],
            };

            fn encode(&self, to: &mut $crate::models::encoder::RowEncoder<'_>) {
                let $this = self;
                $(let $shared = $what;)*
                $(<$column as $crate::models::column::Column>::put($value, to);)+
            }
        }
    };
    (
        $row:ty, $table:literal, |$this:ident|
        $(let $shared:ident = $what:expr;)*
        [$($name:ident: $column:ty = $value:expr),+ $(,)?]
        read $read:expr
    ) => {
        $crate::models::row::row!($row, $table, |$this| $(let $shared = $what;)* [$($name: $column = $value),+]);

        impl $crate::models::row::ReadRow for $row {
            fn read(fields: &mut $crate::models::fields::Fields<'_>) -> Result<Self, $crate::error::Error> {
                $(let $name = fields.take::<$column>(stringify!($name))?;)+
                $read
            }
        }
    };
}
pub(crate) use row;
