//! Tables that fit a terminal: ids never wrap, the other columns do.

use super::query::show::printable;
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table as Drawing, Width};

/// Words up to this length never split: a time of day, a number with its fraction.
const LONGEST_WORD: usize = 12;

/// Spaces between two columns.
const GAP: u16 = 2;

/// A table of texts under named columns.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    name: &'static str,
    /// Whether its cells never wrap.
    is_whole: bool,
    /// The column under which this one stands in a terminal that is too narrow for both side by side.
    above: Option<usize>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: &[&'static str]) -> Self {
        let columns = columns.iter().map(|name| Column { name, is_whole: false, above: None }).collect();
        Self { columns, rows: Vec::new() }
    }

    /// The same table, but the columns `names` never wrap, so that their cells can be copied.
    pub(super) fn whole(mut self, names: &[&str]) -> Self {
        self.columns.iter_mut().for_each(|column| column.is_whole |= names.contains(&column.name));
        self
    }

    /// The same table, but the columns `names` stand under the column `above` in a terminal that is too narrow for all.
    pub(super) fn below(mut self, above: &str, names: &[&str]) -> Self {
        let place = self.columns.iter().position(|column| column.name == above);
        for column in self.columns.iter_mut().filter(|column| names.contains(&column.name)) {
            column.above = place;
        }
        self
    }

    /// Adds a row. What could command the terminal is shown as U+FFFD.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }

    /// Whether it has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Draws the table for a terminal of this width. Without a terminal (`None`), or with an unknown width (0), each
    /// row is one line. No line ends in spaces.
    pub(super) fn draw(&self, width: Option<u16>) -> String {
        let all: Vec<_> = (0..self.columns.len()).map(|column| vec![column]).collect();
        let natural = self.drawing(&all).trim_fmt();
        match width {
            Some(width) if width > 0 && natural.lines().any(|line| line.chars().count() > width.into()) => {
                let mut drawing = self.drawing(&self.stacks());
                drawing.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
                drawing.trim_fmt()
            }
            _ => natural,
        }
    }

    /// The columns that stand side by side in a narrow terminal, each with the columns under it.
    fn stacks(&self) -> Vec<Vec<usize>> {
        let stands_in = |top: usize, column: usize| column == top || self.columns[column].above == Some(top);
        let all = 0..self.columns.len();
        let tops = all.clone().filter(|top| self.columns[*top].above.is_none());
        tops.map(|top| all.clone().filter(|column| stands_in(top, *column)).collect()).collect()
    }

    fn drawing(&self, stacks: &[Vec<usize>]) -> Drawing {
        let mut drawing = Drawing::new();
        drawing.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let stacked = |cell: &dyn Fn(usize) -> String| -> Vec<String> {
            let cells = |stack: &Vec<usize>| stack.iter().map(|column| cell(*column)).collect::<Vec<_>>();
            stacks.iter().map(|stack| cells(stack).join("\n")).collect()
        };
        drawing.set_header(stacked(&|column| self.columns[column].name.to_owned()));
        for row in &self.rows {
            drawing.add_row(stacked(&|column| row.get(column).cloned().unwrap_or_default()));
        }
        for (column, stack) in drawing.column_iter_mut().zip(stacks) {
            let least = stack.iter().map(|column| self.least_width(*column)).max().unwrap_or_default();
            let least = Width::Fixed(u16::try_from(least).unwrap_or(u16::MAX).saturating_add(GAP));
            column.set_padding((0, GAP)).set_constraint(match self.columns[stack[0]].is_whole {
                true if stack.len() > 1 => ColumnConstraint::Absolute(least),
                _ => ColumnConstraint::LowerBoundary(least),
            });
        }
        drawing
    }

    /// The least width that splits neither the name of the column nor a word of ordinary length nor a cell that never
    /// wraps.
    fn least_width(&self, column: usize) -> usize {
        let Column { name, is_whole, .. } = self.columns[column];
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let longest = match is_whole {
            true => cells.map(|cell| cell.chars().count()).max(),
            false => cells
                .flat_map(|cell| cell.split_whitespace())
                .map(|word| word.chars().count().min(LONGEST_WORD))
                .max(),
        };
        longest.unwrap_or_default().max(name.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "f2f9928050bf6a4121af667b8ffcab2f";

    fn traces() -> Table {
        let columns = ["trace id", "start (UTC)", "duration", "service", "root span", "spans", "errors"];
        let mut table =
            Table::new(&columns).whole(&["trace id"]).below("trace id", &["service", "root span"]);
        let start = "2026-11-23 03:34:15.614";
        table.row([ID, start, "0.157 ms", "hello", "GET /ask", "2", "0"].map(str::to_owned));
        let name = "POST /v1/chat/completions of a very long name";
        table.row([ID, start, "12345.678 ms", "gateway", name, "12", "3"].map(str::to_owned));
        table
    }

    #[test]
    fn a_table_with_enough_room_has_one_line_a_row() {
        for width in [None, Some(0), Some(200)] {
            let drawn = traces().draw(width);
            assert_eq!(drawn.lines().count(), 3, "{drawn}");
            assert!(drawn.lines().all(|line| line == line.trim_end()), "{drawn}");
        }
        let starts =
            traces().draw(None).lines().map(|line| line.find("  2").or(line.find("  s"))).collect::<Vec<_>>();
        assert!(starts.iter().all(|start| *start == Some(32)), "columns are aligned: {starts:?}");
    }

    #[test]
    fn in_a_narrow_terminal_ids_and_headers_stay_whole_and_the_rest_wraps() {
        let drawn = traces().draw(Some(80));
        let expected = "\
trace id                          start (UTC)   duration      spans  errors
service
root span
f2f9928050bf6a4121af667b8ffcab2f  2026-11-23    0.157 ms      2      0
hello                             03:34:15.614
GET /ask
f2f9928050bf6a4121af667b8ffcab2f  2026-11-23    12345.678 ms  12     3
gateway                           03:34:15.614
POST /v1/chat/completions of a
very long name";
        assert_eq!(drawn, expected, "\n{drawn}");
        for width in [1, 40, 60, 72, 100] {
            let drawn = traces().draw(Some(width));
            assert_eq!(drawn.lines().filter(|line| line.starts_with(ID)).count(), 2, "{width}\n{drawn}");
            let header = drawn.lines().next().unwrap_or_default();
            assert!(header.contains("start (UTC)") && header.contains("duration"), "{width}\n{drawn}");
        }
    }
}
