//! Where a record stands in its request.

/// The place of a record, counted from 0 on every level. A data point has its place within its metric too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) resource: u32,
    pub(super) scope: u32,
    pub(super) record: u32,
    pub(super) point: Option<u32>,
}

/// The names of the levels of a signal, the outermost first: `resource_spans`, `scope_spans`, `spans`.
pub type Levels = [&'static str; 3];

/// Where the bytes of a record are in its request, to keep them if PostgreSQL does not take the record.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    pub(crate) place: Place,
    pub(crate) start: u32,
    pub(crate) length: u32,
}

impl Place {
    /// The place, written with the names of its levels: `resource_spans[0].scope_spans[2].spans[7]`.
    pub fn named(self, [resources, scopes, records]: Levels) -> String {
        let Self { resource, scope, record, point } = self;
        let record = format!("{resources}[{resource}].{scopes}[{scope}].{records}[{record}]");
        match point {
            Some(point) => format!("{record}.data_points[{point}]"),
            None => record,
        }
    }

    /// The place of a data point of the metric at this place.
    pub(super) fn point(self, point: u32) -> Self {
        Self { point: Some(point), ..self }
    }
}

impl Source {
    /// The place of the record in its request.
    pub fn place(self) -> Place {
        self.place
    }

    /// The range of the record's bytes within its request.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }
}
