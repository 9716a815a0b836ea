//! The baseline: the same spans as naive rows, loaded by `psql \copy` into the same PostgreSQL.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio::process::Command;

use crate::database::Database;
use crate::encode::Prepared;
use crate::processes::Cpu;
use crate::report::Copy;
use crate::spans::{SERVICES, Span};

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]+00");

/// Makes the naive table, anew.
pub(crate) async fn create(database: &Database) -> Result<()> {
    drop(database).await?;
    database
        .execute(
            "CREATE SCHEMA load_baseline;
             CREATE TABLE load_baseline.naive_spans (
                 trace_id uuid NOT NULL,
                 span_id bytea NOT NULL,
                 parent_span_id bytea,
                 start_time timestamptz NOT NULL,
                 end_time timestamptz NOT NULL,
                 name text NOT NULL,
                 kind smallint NOT NULL,
                 status_code smallint NOT NULL,
                 service_name text NOT NULL,
                 attributes jsonb NOT NULL,
                 UNIQUE (trace_id, span_id, start_time));
             CREATE INDEX ON load_baseline.naive_spans USING brin (start_time)",
        )
        .await
}

/// Removes the naive table.
pub(crate) async fn drop(database: &Database) -> Result<()> {
    database.execute("DROP SCHEMA IF EXISTS load_baseline CASCADE").await
}

/// Loads every file at once, each by a `psql` of its own, and empties the table again.
pub(crate) async fn run(database: &Database, url: &str, prepared: &Prepared) -> Result<Copy> {
    let psql = psql()?;
    let wal = database.wal().await?;
    let before = Cpu::read(None, database.postmaster)?;
    let start = Instant::now();
    let mut children = Vec::new();
    for path in &prepared.files {
        let child = Command::new(&psql)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url])
            .args(["-c", "\\copy load_baseline.naive_spans from pstdin"])
            .stdin(Stdio::from(File::open(path)?))
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", psql.display()))?;
        children.push(child);
    }
    for child in &mut children {
        let status = child.wait().await?;
        ensure!(status.success(), "psql \\copy ended with {status}");
    }
    let elapsed = start.elapsed();
    let cpu = Cpu::read(None, database.postmaster)? - before;
    let wal = database.wal().await? - wal;
    let rows = database.number("SELECT count(*) FROM load_baseline.naive_spans").await?;
    ensure!(rows == prepared.spans as i64, "psql \\copy stored {rows} of {} rows", prepared.spans);
    let size = database.number("SELECT pg_total_relation_size('load_baseline.naive_spans')").await?;
    database.execute("TRUNCATE load_baseline.naive_spans").await?;
    Ok(Copy::new(prepared.spans, elapsed, cpu, wal, size))
}

/// `psql` from the path, or the newest one where Debian keeps them.
fn psql() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).map(|dir| dir.join("psql")).find(|file| file.is_file())
    {
        return Ok(found);
    }
    let debian = Path::new("/usr/lib/postgresql");
    let versions = std::fs::read_dir(debian).into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin/psql")).filter(|file| file.is_file());
    found.max().context("no psql in PATH or /usr/lib/postgresql: install postgresql-client")
}

/// One row in COPY's text format, attributes and events all in one JSON object.
pub(crate) fn write_row(row: &mut Vec<u8>, span: &Span) -> Result<()> {
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
    write!(row, "{}\t\\\\x{}\t", hex(&span.trace_id), hex(&span.span_id))?;
    match &span.parent {
        Some(parent) => write!(row, "\\\\x{}\t", hex(parent))?,
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        write!(text, "{byte:02x}").expect("a String");
        text
    })
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
