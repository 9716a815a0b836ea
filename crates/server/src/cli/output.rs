//! Tables on a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Drawing};

/// A table of texts under named columns.
#[derive(Debug)]
pub(super) struct Table(Drawing);

impl Table {
    pub(super) fn new(columns: &[&str]) -> Self {
        let mut drawing = Drawing::new();
        drawing.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        drawing.set_header(columns);
        Self(drawing)
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells);
    }
}

/// Prints the table; a line never ends in spaces.
pub(super) fn print_table(table: &Table) {
    println!("{}", table.0.trim_fmt());
}
