//! The spans: traces of a web application that talks to databases, caches, other services and models.

use std::array;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use rand::rngs::{StdRng, ThreadRng};
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::conversation::{Conversation, prose};
use crate::operations::exception;

/// The application: a gateway, and the services behind it.
pub(crate) const SERVICES: [&str; 5] = ["web-gateway", "chat-api", "support-agent", "retrieval", "billing"];
/// Instances of each service, each a resource of its own.
const INSTANCES: usize = 3;
/// Traces begin between this and half of this before they are made.
const AGE_NANOS: u64 = 30_000_000_000;

pub(crate) type SpanId = [u8; 8];
/// Attributes in the order in which they are sent.
pub(crate) type Attributes = Vec<(&'static str, Value)>;

/// One span, before it becomes protobuf or a row.
pub(crate) struct Span {
    pub(crate) service: usize,
    pub(crate) instance: usize,
    /// The instrumentation scope's name.
    pub(crate) scope: &'static str,
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) status: StatusCode,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<Event>,
}

/// One event of a span.
pub(crate) struct Event {
    pub(crate) time: u64,
    pub(crate) name: &'static str,
    pub(crate) attributes: Attributes,
}

/// An endless supply of spans, trace after trace. Contents come from the seed; ids and times are fresh.
pub(crate) struct Spans {
    rng: StdRng,
    ids: ThreadRng,
    /// Every agent of the application has its own system prompt, sent again with each call.
    instructions: [String; 8],
    ready: VecDeque<Span>,
}

impl Spans {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let instructions = array::from_fn(|_| prose(&mut rng, 350));
        Self { rng, ids: rand::rng(), instructions, ready: VecDeque::new() }
    }
}

impl Iterator for Spans {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if self.ready.is_empty() {
            self.ready = Trace::new(self).spans.into();
        }
        self.ready.pop_front()
    }
}

/// One trace in the making.
pub(crate) struct Trace<'a> {
    pub(crate) rng: &'a mut StdRng,
    ids: &'a mut ThreadRng,
    id: [u8; 16],
    instances: [usize; SERVICES.len()],
    clock: u64,
    pub(crate) conversation: Conversation,
    spans: Vec<Span>,
}

impl<'a> Trace<'a> {
    /// A gateway's request to a service that takes 3 to 11 steps to answer it.
    fn new(Spans { rng, ids, instructions, .. }: &'a mut Spans) -> Self {
        let conversation = Conversation::new(&instructions[rng.random_range(0..instructions.len())], rng);
        let instances = array::from_fn(|_| rng.random_range(0..INSTANCES));
        let clock = now() - AGE_NANOS + ids.random_range(0..AGE_NANOS / 2);
        let id = ids.random();
        let mut trace = Self { rng, ids, id, instances, clock, conversation, spans: Vec::new() };

        let backend = trace.rng.random_range(1..SERVICES.len());
        let root = trace.server(0, None);
        let call = trace.http(0, root, SERVICES[backend]);
        let entry = trace.server(backend, Some(call));
        for _ in 0..trace.rng.random_range(3..=11) {
            match trace.rng.random_range(0..100) {
                0..36 => trace.chat(backend, entry),
                36..64 => trace.query(backend, entry),
                64..80 => trace.cache(backend, entry),
                80..92 => _ = trace.http(backend, entry, "tools.example.com"),
                _ => trace.step(backend, entry),
            }
        }
        // The first three enclose the others, and end last, from the inside out.
        for outer in (0..3).rev() {
            trace.spans[outer].end = trace.pass(100_000..2_000_000);
        }
        trace
    }

    /// Lets some nanoseconds pass, and says what time it is then.
    fn pass(&mut self, nanos: Range<u64>) -> u64 {
        self.clock += self.rng.random_range(nanos);
        self.clock
    }

    /// Adds a span that begins now and takes some nanoseconds. One of fifty fails.
    pub(crate) fn push(
        &mut self,
        (service, parent): (usize, Option<SpanId>),
        (scope, kind, name): (&'static str, SpanKind, String),
        nanos: Range<u64>,
        mut attributes: Attributes,
    ) -> &mut Span {
        let (start, end) = (self.pass(20_000..400_000), self.pass(nanos));
        let (mut status, mut events) = (StatusCode::Unset, Vec::new());
        if self.rng.random_ratio(1, 50) {
            status = StatusCode::Error;
            attributes.push(("error.type", json!("TimeoutError")));
            events.push(exception(self.rng, end));
        }
        let (instance, trace_id, span_id) = (self.instances[service], self.id, self.ids.random());
        self.spans.push(Span {
            service,
            instance,
            scope,
            trace_id,
            span_id,
            parent,
            start,
            end,
            name,
            kind,
            status,
            attributes,
            events,
        });
        // The line above pushed one.
        self.spans.last_mut().expect("a span")
    }
}

fn now() -> u64 {
    // The clock of a machine that runs this stands between 1970 and 2554.
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_seed_decides_the_contents_and_never_the_ids() {
        let contents = |seed| -> Vec<_> {
            Spans::new(seed)
                .take(300)
                .map(|span| (span.name, span.end - span.start, span.attributes))
                .collect()
        };
        assert_eq!(contents(7), contents(7));
        assert_ne!(contents(7), contents(8));
        let ids: HashSet<_> =
            Spans::new(7).take(300).chain(Spans::new(7).take(300)).map(|span| span.span_id).collect();
        assert_eq!(ids.len(), 600);
    }

    #[test]
    fn every_parent_is_a_span_of_its_trace_that_encloses_its_child() {
        let mut source = Spans::new(3);
        for _ in 0..100 {
            let spans = Trace::new(&mut source).spans;
            assert_eq!(spans.iter().filter(|span| span.parent.is_none()).count(), 1);
            for span in &spans {
                assert!(span.start < span.end && span.end < now());
                let Some(parent) = span.parent else { continue };
                let parent = spans.iter().find(|other| other.span_id == parent).expect("a parent");
                assert!(parent.start < span.start && span.end < parent.end);
            }
        }
    }
}
