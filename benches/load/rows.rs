//! The spans as naive rows in COPY's text format, in files that `psql` loads.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::span::{SERVICES, Span};

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]+00");

/// The files of naive rows: requests take turns, so that the files are of one size.
pub(crate) struct Rows {
    files: Vec<(PathBuf, BufWriter<File>)>,
    turn: usize,
    line: Vec<u8>,
    bytes: usize,
}

impl Rows {
    pub(crate) fn create(copies: usize, scratch: &Path) -> Result<Self> {
        let create = |number| {
            let path = scratch.join(format!("rows-{number}.txt"));
            let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
            Ok((path, BufWriter::with_capacity(1 << 20, file)))
        };
        let files = (0..copies).map(create).collect::<Result<_>>()?;
        Ok(Self { files, turn: 0, line: Vec::new(), bytes: 0 })
    }

    pub(crate) fn write(&mut self, spans: &[Span]) -> Result<()> {
        let copies = self.files.len();
        let Some((_, file)) = self.files.get_mut(self.turn) else {
            return Ok(());
        };
        for span in spans {
            self.line.clear();
            write_row(&mut self.line, span)?;
            self.bytes += self.line.len();
            file.write_all(&self.line)?;
        }
        self.turn = (self.turn + 1) % copies;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(Vec<PathBuf>, usize)> {
        let finish = |(path, file): (PathBuf, BufWriter<File>)| {
            // On the disk before any clock starts: writing back shall not disturb what is measured.
            file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
            Ok(path)
        };
        Ok((self.files.into_iter().map(finish).collect::<Result<_>>()?, self.bytes))
    }
}

/// One row in COPY's text format, attributes and events all in one JSON object.
fn write_row(row: &mut Vec<u8>, span: &Span) -> Result<()> {
    let mut attributes: Map<String, Value> =
        span.attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    if !span.events.is_empty() {
        let events = span.events.iter().map(|event| {
            let attributes: Map<_, _> =
                event.attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
            json!({ "time": event.time, "name": event.name, "attributes": attributes })
        });
        attributes.insert("events".to_owned(), events.collect());
    }
    write!(row, "{}\t\\\\x{}\t", hex::encode(span.trace_id), hex::encode(span.span_id))?;
    match &span.parent {
        Some(parent) => write!(row, "\\\\x{}\t", hex::encode(parent))?,
        None => row.extend_from_slice(b"\\N\t"),
    }
    for nanos in [span.start, span.end] {
        OffsetDateTime::from_unix_timestamp_nanos(nanos.into())?.format_into(row, TIME)?;
        row.push(b'\t');
    }
    escape(row, span.name.as_bytes());
    write!(row, "\t{}\t{}\t{}\t", span.kind as i32, span.status as i32, SERVICES[span.service])?;
    escape(row, &serde_json::to_vec(&attributes)?);
    row.push(b'\n');
    Ok(())
}

fn escape(row: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'\\' => row.extend_from_slice(b"\\\\"),
            b'\t' => row.extend_from_slice(b"\\t"),
            b'\n' => row.extend_from_slice(b"\\n"),
            b'\r' => row.extend_from_slice(b"\\r"),
            _ => row.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
    use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

    use super::*;

    #[test]
    fn a_row_is_copy_text_with_everything_escaped() {
        let span = Span {
            service: 0,
            instance: 0,
            scope: "s",
            trace_id: [0xab; 16],
            span_id: [1; 8],
            parent: None,
            start: 1_700_000_000_123_456_789,
            end: 1_700_000_001_000_000_000,
            name: "a\tb\\".to_owned(),
            kind: SpanKind::Client,
            status: StatusCode::Error,
            attributes: vec![("text", json!("say \"hi\"\n"))],
            events: Vec::new(),
        };
        let mut row = Vec::new();
        write_row(&mut row, &span).unwrap();
        let expected = concat!(
            "abababababababababababababababab\t\\\\x0101010101010101\t\\N\t",
            "2023-11-14 22:13:20.123456+00\t2023-11-14 22:13:21.000000+00\t",
            "a\\tb\\\\\t3\t2\tweb-gateway\t",
            r#"{"text":"say \\"hi\\"\\n"}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(row).unwrap(), expected);
    }
}
