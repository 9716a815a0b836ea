//! Rows: each is declared once, as its table and columns in their order, with what is written and read of each.

use super::encoder::RowEncoder;
use super::fields::Fields;
use crate::error::Error;

/// A table that rows are written to.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that a row fills, in their order in the table.
    pub columns: &'static [&'static str],
}

impl Table {
    /// The columns as a list for SELECT, in the order in which a row reads them.
    pub fn select(&self) -> String {
        self.columns.join(", ")
    }

    /// The same list, of a table that the statement calls `alias`.
    pub fn select_from(&self, alias: &str) -> String {
        let columns: Vec<_> = self.columns.iter().map(|column| format!("{alias}.{column}")).collect();
        columns.join(", ")
    }

    /// `COPY .. FROM STDIN BINARY` into the table.
    pub fn copy(&self) -> String {
        format!("/* copy: {0} */ COPY {0} ({1}) FROM STDIN BINARY", self.name, self.select())
    }

    /// The same into a staging table, which has a column `arrival` besides.
    pub(crate) fn copy_numbered(&self, staging: &str) -> String {
        format!("/* copy: {staging} */ COPY {staging} ({}, arrival) FROM STDIN BINARY", self.select())
    }

    /// `INSERT` of one row. A row whose unique key is there already is left out.
    pub fn insert(&self) -> String {
        format!("{} ON CONFLICT DO NOTHING", self.insert_new())
    }

    /// `INSERT` of one row.
    pub fn insert_new(&self) -> String {
        let parameters: Vec<_> = (1..=self.columns.len()).map(|n| format!("${n}")).collect();
        let (columns, parameters) = (self.select(), parameters.join(", "));
        format!("/* insert: {0} */ INSERT INTO {0} ({columns}) VALUES ({parameters})", self.name)
    }
}

/// A row that knows its table and writes itself.
pub trait Row {
    /// Where it goes.
    const TABLE: Table;

    /// Writes one value for each of the table's columns, in their order.
    fn encode(&self, to: &mut RowEncoder<'_>);
}

/// Something that is read from the columns of a statement's answer.
pub trait ReadRow: Sized + Send + 'static {
    /// Takes its columns, in their order.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when a column holds what this program does not write.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error>;
}

/// Declares a row: its type, its table, and each column with its kind and the value that is written.
///
/// `name: Kind = value` writes `value` to the column `name`, as a [`Column`](super::column::Column) of that kind. Behind
/// `let`, values are named that several columns share. `read` makes the row again: each column is a variable of its name.
macro_rules! row {
    ($row:ty, $table:literal, |$this:ident| $(let $shared:ident = $what:expr;)* [$($name:ident: $column:ty = $value:expr),+ $(,)?]) => {
        impl $crate::models::row::Row for $row {
            const TABLE: $crate::models::row::Table =
                $crate::models::row::Table { name: $table, columns: &[$(stringify!($name)),+] };

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
