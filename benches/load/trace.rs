//! One trace in the making: its clock, its ids and its spans.

use std::array;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use rand::Rng;
use rand::rngs::{StdRng, ThreadRng};
use serde_json::json;

use crate::conversation::Conversation;
use crate::failure::exception;
use crate::span::{Attributes, SERVICES, Span, SpanId};

/// Instances of each service, each a resource of its own.
const INSTANCES: usize = 3;
/// Traces begin between this and half of this before they are made.
const AGE_NANOS: u64 = 30_000_000_000;

/// One trace in the making.
pub(crate) struct Trace<'a> {
    pub(crate) rng: &'a mut StdRng,
    ids: &'a mut ThreadRng,
    id: [u8; 16],
    instances: [usize; SERVICES.len()],
    clock: u64,
    pub(crate) conversation: Conversation,
    pub(crate) spans: Vec<Span>,
}

impl<'a> Trace<'a> {
    /// An empty trace that begins some seconds ago.
    pub(crate) fn new(rng: &'a mut StdRng, ids: &'a mut ThreadRng, conversation: Conversation) -> Self {
        let instances = array::from_fn(|_| rng.random_range(0..INSTANCES));
        let clock = now() - AGE_NANOS + ids.random_range(0..AGE_NANOS / 2);
        let id = ids.random();
        Self { rng, ids, id, instances, clock, conversation, spans: Vec::new() }
    }

    /// Lets some nanoseconds pass, and says what time it is then.
    pub(crate) fn pass(&mut self, nanos: Range<u64>) -> u64 {
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

pub(crate) fn now() -> u64 {
    // The clock of a machine that runs this stands between 1970 and 2554.
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_nanos() as u64
}
