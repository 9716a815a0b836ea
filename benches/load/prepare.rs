//! One round's spans, generated, encoded and written before any clock starts.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bytes::Bytes;
use prost::Message;
use serde::Serialize;

use crate::encode;
use crate::rows::Rows;
use crate::span::Span;
use crate::spans::Spans;

/// One round's spans, in both forms.
pub(crate) struct Prepared {
    /// Encoded export requests.
    pub(crate) requests: Vec<Bytes>,
    /// Files of naive rows, one for each `psql \copy`.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) spans: u64,
    pub(crate) shape: Shape,
}

/// How many spans a round has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) spans: u64,
    /// In one export request.
    pub(crate) request_spans: u64,
}

/// What the generated spans are like on average.
#[derive(Clone, Serialize)]
pub(crate) struct Shape {
    pub(crate) bytes_per_span: f64,
    pub(crate) row_bytes_per_span: Option<f64>,
    pub(crate) llm_share: f64,
    pub(crate) attributes_per_span: f64,
    pub(crate) events_per_span: f64,
    pub(crate) spans_per_trace: f64,
}

/// Generates a round's spans; rows are written only when there are `copies` to load them.
pub(crate) fn prepare(seed: u64, size: Size, copies: usize, scratch: &Path) -> Result<Prepared> {
    let mut source = Spans::new(seed);
    let mut rows = Rows::create(copies, scratch)?;
    let mut requests = Vec::new();
    let mut totals = Totals::default();
    let mut left = size.spans;
    while left > 0 {
        let count = left.min(size.request_spans);
        left -= count;
        let spans: Vec<_> = source.by_ref().take(count as usize).collect();
        spans.iter().for_each(|span| totals.add(span));
        rows.write(&spans)?;
        let body = Bytes::from(encode::request(spans).encode_to_vec());
        totals.bytes += body.len();
        requests.push(body);
    }
    let (files, row_bytes) = rows.finish()?;
    let spans = size.spans;
    let per_span = |total: usize| total as f64 / spans as f64;
    let shape = Shape {
        bytes_per_span: per_span(totals.bytes),
        row_bytes_per_span: (copies > 0).then(|| per_span(row_bytes)),
        llm_share: per_span(totals.llm),
        attributes_per_span: per_span(totals.attributes),
        events_per_span: per_span(totals.events),
        spans_per_trace: spans as f64 / totals.traces.max(1) as f64,
    };
    Ok(Prepared { requests, files, spans, shape })
}

#[derive(Default)]
struct Totals {
    bytes: usize,
    llm: usize,
    attributes: usize,
    events: usize,
    traces: usize,
}

impl Totals {
    fn add(&mut self, span: &Span) {
        self.llm += usize::from(span.attributes.iter().any(|(key, _)| *key == "gen_ai.operation.name"));
        self.attributes += span.attributes.len();
        self.events += span.events.len();
        self.traces += usize::from(span.parent.is_none());
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

    use super::*;

    #[test]
    fn a_round_holds_what_was_asked_for_in_both_forms() {
        let scratch = tempfile::tempdir().unwrap();
        let size = Size { spans: 10_001, request_spans: 400 };
        let round = prepare(5, size, 3, scratch.path()).unwrap();
        assert_eq!(round.requests.len(), 26);
        let decoded = round.requests.iter().map(|request| {
            let request = ExportTraceServiceRequest::decode(request.clone()).unwrap();
            request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum::<usize>()
        });
        assert_eq!(decoded.sum::<usize>(), 10_001);
        let lines = round.files.iter().map(|path| std::fs::read_to_string(path).unwrap().lines().count());
        assert_eq!(lines.sum::<usize>(), 10_001);
    }

    #[test]
    fn spans_have_the_shape_that_the_readme_promises() {
        let scratch = tempfile::tempdir().unwrap();
        let size = Size { spans: 20_000, request_spans: 500 };
        let shape = prepare(1, size, 0, scratch.path()).unwrap().shape;
        assert!((900.0..1150.0).contains(&shape.bytes_per_span), "{}", shape.bytes_per_span);
        assert!((0.24..0.26).contains(&shape.llm_share), "{}", shape.llm_share);
        assert!((10.0..12.5).contains(&shape.attributes_per_span), "{}", shape.attributes_per_span);
        assert!((9.5..10.5).contains(&shape.spans_per_trace), "{}", shape.spans_per_trace);
        assert!(shape.events_per_span > 0.05, "{}", shape.events_per_span);
    }
}
