//! The spans: traces of a web application that talks to databases, caches, other services and models.

use std::array;
use std::collections::VecDeque;

use rand::rngs::{StdRng, ThreadRng};
use rand::{Rng, SeedableRng};

use crate::conversation::{Conversation, prose};
use crate::span::{SERVICES, Span};
use crate::trace::Trace;

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

    /// A gateway's request to a service that takes 3 to 11 steps to answer it.
    fn trace(&mut self) -> Vec<Span> {
        let Self { rng, ids, instructions, .. } = self;
        let conversation = Conversation::new(&instructions[rng.random_range(0..instructions.len())], rng);
        let mut trace = Trace::new(rng, ids, conversation);

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
        trace.spans
    }
}

impl Iterator for Spans {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if self.ready.is_empty() {
            self.ready = self.trace().into();
        }
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::trace::now;

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
            let spans = source.trace();
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
