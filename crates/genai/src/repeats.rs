//! Which calls are told twice, by spans of which neither is above the other.
//!
//! Some SDKs trace their calls themselves, and frameworks over them are traced too. Often the outer span is not made current,
//! so the inner one becomes its sibling, or even the root of another trace. `nesting` can't see that they are one call. The
//! rule is that of ARCHITECTURE.md, "Which calls are billable", points 4 and 5.

use std::cmp::Reverse;
use std::collections::HashMap;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::llm::{Dialect, LlmReading};
use llm_observatory_core::time::UnixNanos;

/// How near to the provider's API the span of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A framework that asks a client.
    Framework,
    /// A client, as others instrument it, or anything that is not known to be a framework.
    Client,
    /// A client that traces itself: each of its calls has such a span.
    Itself,
}

impl Layer {
    /// The layer of a call in this dialect, by a framework or not.
    pub fn new(dialect: Dialect, by_framework: bool) -> Self {
        match dialect {
            Dialect::AnthropicSdk => Self::Itself,
            _ if by_framework => Self::Framework,
            _ => Self::Client,
        }
    }

    /// The layer of a call with this reading.
    pub fn of(reading: &LlmReading) -> Self {
        Self::new(reading.dialect, reading.framework.is_some())
    }

    /// Whether a call in this layer, to this provider and model, may have a span of its client in another trace.
    pub fn may_hide_a_client(self, provider: Option<&str>, model: Option<&str>) -> bool {
        let is_anthropic =
            || provider == Some("anthropic") || model.is_some_and(|model| model.contains("claude"));
        self == Self::Framework || self == Self::Client && is_anthropic()
    }

    /// Whether a call in this layer and dialect may be the span of a client whose outer span is in another trace: `trace` is
    /// its own trace, and `parent` its parent.
    pub fn may_be_hidden(self, dialect: Dialect, trace: TraceId, parent: Option<SpanId>) -> bool {
        let is_client = matches!(dialect, Dialect::AnthropicSdk | Dialect::OpenInference);
        is_client && self > Self::Framework && parent.is_none_or(|parent| are_of_runs(trace, parent))
    }
}

/// Whether trace and parent are runs of a framework that calls its own ids OpenTelemetry's, and exports its runs under others
/// (LangSmith): the trace is a UUID, and the parent the first half of one of the same version. Of other traces one in 500
/// seems to be such a one by chance; that costs a look, and decides nothing.
fn are_of_runs(trace: TraceId, parent: SpanId) -> bool {
    let (trace, parent) = (trace.as_bytes(), parent.as_bytes());
    let version = trace[6] >> 4;
    matches!(version, 4 | 7) && trace[8] >> 6 == 0b10 && parent[6] >> 4 == version
}

/// One call of a model, as far as this rule looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'c> {
    /// Its project.
    pub project: ProjectId,
    /// Its trace.
    pub trace: TraceId,
    /// Its span.
    pub span: SpanId,
    /// The service that made it.
    pub service: &'c str,
    /// The model that it asks.
    pub model: Option<&'c str>,
    /// The provider's id of the response.
    pub response: Option<&'c str>,
    /// When it started.
    pub start: UnixNanos,
    /// When it ended; as early as its start if that is not known.
    pub end: UnixNanos,
    /// How near to the provider it is.
    pub layer: Layer,
    /// Whether it tells how many tokens it used.
    pub tells_usage: bool,
}

impl Call<'_> {
    /// The greatest of the calls with one response counts.
    fn rank(&self) -> impl Ord + use<> {
        (self.tells_usage, self.layer, self.start, Reverse(self.end), self.trace, self.span)
    }
}

/// For each call, the place of the call that counts instead of it; `None` for a call that counts itself.
///
/// The order of the calls does not matter, and time is that of sorting them. Of any calls at least one counts. Calls that
/// `nesting` does not bill need not be among them.
pub fn repeats(calls: &[Call<'_>]) -> Vec<Option<usize>> {
    let mut instead = vec![None; calls.len()];
    same_response(calls, &mut instead);
    calls_inside(calls, &mut instead);
    silent_inside(calls, &mut instead);
    instead
}

/// Calls that have the same response and overlap are one.
fn same_response(calls: &[Call<'_>], instead: &mut [Option<usize>]) {
    let mut places: Vec<usize> = (0..calls.len()).filter(|place| calls[*place].response.is_some()).collect();
    let group = |place: &usize| (calls[*place].project, calls[*place].response, calls[*place].service);
    places.sort_unstable_by_key(|place| (group(place), calls[*place].start));
    for group in places.chunk_by(|one, next| group(one) == group(next)) {
        let mut rest = group;
        while let Some((first, others)) = rest.split_first() {
            let mut end = calls[*first].end;
            let overlapping = others.iter().take_while(|place| {
                let overlaps = calls[**place].start <= end;
                end = end.max(calls[**place].end);
                overlaps
            });
            let (one_call, later) = rest.split_at(1 + overlapping.count());
            let counts = one_call.iter().copied().max_by_key(|place| calls[*place].rank());
            for place in one_call {
                instead[*place] = counts.filter(|counts| counts != place);
            }
            rest = later;
        }
    }
}

/// A call that tells no response repeats one that starts in its time, asks the same model, and is nearer to the provider: it
/// passes through the same client, so one of the calls in its time is its own.
fn calls_inside(calls: &[Call<'_>], instead: &mut [Option<usize>]) {
    let nameless = |call: &Call<'_>| call.response.is_none() && call.layer < Layer::Itself;
    if !calls.iter().any(nameless) {
        return;
    }
    let mut inner: HashMap<_, Vec<usize>> = HashMap::new();
    for (place, call) in calls.iter().enumerate().filter(|(_, call)| call.layer > Layer::Framework) {
        let key = (call.project, call.service, call.model, call.layer, call.tells_usage);
        inner.entry(key).or_default().push(place);
    }
    for places in inner.values_mut() {
        places.sort_unstable_by_key(|place| (calls[*place].start, calls[*place].trace, calls[*place].span));
    }
    for (place, call) in calls.iter().enumerate().filter(|(_, call)| nameless(call) && call.model.is_some()) {
        let first = |layer: Layer, tells: bool| {
            let places = inner.get(&(call.project, call.service, call.model, layer, tells))?;
            let after = places.partition_point(|other| calls[*other].start < call.start);
            places.get(after).copied().filter(|other| calls[*other].start <= call.end)
        };
        // What a call tells is not given up for one that tells nothing.
        let tells: &[bool] = if call.tells_usage { &[true] } else { &[true, false] };
        let layers = [Layer::Itself, Layer::Client].into_iter().filter(|layer| *layer > call.layer);
        instead[place] = layers
            .flat_map(|layer| tells.iter().map(move |tells| (layer, *tells)))
            .find_map(|(layer, tells)| first(layer, tells));
    }
}

/// A call that tells no usage repeats one that counts, tells its usage and no response, asks the same model, is further from
/// the provider, and in whose time it starts.
fn silent_inside(calls: &[Call<'_>], instead: &mut [Option<usize>]) {
    let mut outer: HashMap<_, Vec<usize>> = HashMap::new();
    for (place, call) in calls.iter().enumerate() {
        if call.tells_usage && call.response.is_none() && call.model.is_some() && instead[place].is_none() {
            let key = (call.project, call.service, call.model, call.layer);
            outer.entry(key).or_default().push(place);
        }
    }
    // Of each and all that start before it, the one that ends last.
    let mut last: HashMap<_, Vec<(UnixNanos, usize)>> = HashMap::new();
    for (key, mut places) in outer {
        places.sort_unstable_by_key(|place| (calls[*place].start, calls[*place].trace, calls[*place].span));
        let ends = places.iter().scan(places[0], |last, place| {
            *last = if calls[*place].end > calls[*last].end { *place } else { *last };
            Some((calls[*place].start, *last))
        });
        last.insert(key, ends.collect());
    }
    for (place, call) in calls.iter().enumerate().filter(|(_, call)| !call.tells_usage) {
        let around = |layer: Layer| {
            let ends = last.get(&(call.project, call.service, call.model, layer))?;
            let before = ends.partition_point(|(start, _)| *start <= call.start);
            let (_, other) = ends.get(before.checked_sub(1)?)?;
            (calls[*other].end >= call.start).then_some(*other)
        };
        if instead[place].is_none() {
            let layers = [Layer::Framework, Layer::Client].into_iter().filter(|layer| *layer < call.layer);
            instead[place] = layers.filter_map(around).next();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A call of trace and span `id`, from `start` to `end`, in layer `layer`, which tells its usage and no response.
    fn call(id: u8, start: u64, end: u64, layer: Layer) -> Call<'static> {
        Call {
            project: ProjectId::DEFAULT,
            trace: TraceId::from_wire(&[id; 16]).unwrap(),
            span: SpanId::from_wire(&[id; 8]).unwrap(),
            service: "shop",
            model: Some("claude"),
            response: None,
            start: UnixNanos(start),
            end: UnixNanos(end),
            layer,
            tells_usage: true,
        }
    }

    fn of(response: &'static str, call: Call<'static>) -> Call<'static> {
        Call { response: Some(response), ..call }
    }

    fn silent(call: Call<'static>) -> Call<'static> {
        Call { tells_usage: false, ..call }
    }

    use Layer::{Client, Framework, Itself};

    #[test]
    fn two_spans_of_one_response() {
        let outer = of("msg_1", call(1, 0, 100, Client));
        let inner = of("msg_1", call(2, 10, 90, Itself));
        assert_eq!(repeats(&[outer, inner]), [Some(1), None]);
        assert_eq!(repeats(&[outer, silent(inner)]), [None, Some(0)], "the one that tells its usage counts");
        let inner_client = of("msg_1", call(2, 10, 90, Client));
        assert_eq!(repeats(&[outer, inner_client]), [Some(1), None], "the later start is nearer to the API");
        let at_once = of("msg_1", call(2, 0, 90, Client));
        assert_eq!(repeats(&[at_once, outer]), [None, Some(0)], "and so is the earlier end");
        let framework = of("msg_1", call(3, 0, 101, Framework));
        assert_eq!(repeats(&[framework, outer, inner]), [Some(2), Some(2), None]);
    }

    #[test]
    fn what_makes_calls_different() {
        let outer = of("msg_1", call(1, 0, 100, Client));
        let inner = call(2, 10, 90, Itself);
        let alone = [None, None];
        assert_eq!(repeats(&[outer, of("msg_2", inner)]), alone, "another response");
        assert_eq!(repeats(&[outer, inner]), alone, "one with a response is no other's");
        let elsewhere = Call { service: "billing", ..of("msg_1", inner) };
        assert_eq!(repeats(&[outer, elsewhere]), alone, "another service");
        let of_other = Call { project: ProjectId(7), ..of("msg_1", inner) };
        assert_eq!(repeats(&[outer, of_other]), alone, "another project");
        let replayed = of("msg_1", call(2, 101, 120, Itself));
        assert_eq!(repeats(&[outer, replayed]), alone, "an answer that is asked for again later");
    }

    #[test]
    fn a_call_without_response_repeats_the_clients_own_span_in_its_time() {
        let outer = call(1, 0, 100, Client);
        let inner = of("msg_1", call(2, 10, 90, Itself));
        assert_eq!(repeats(&[outer, inner]), [Some(1), None]);
        assert_eq!(repeats(&[silent(outer), silent(inner)]), [Some(1), None], "both failed");
        assert_eq!(repeats(&[outer, silent(inner)]), [None, Some(0)], "the only one that tells usage counts");
        let again = call(3, 50, 80, Itself);
        assert_eq!(
            repeats(&[outer, silent(inner), again]),
            [Some(2), None, None],
            "a call that failed, and another"
        );
        assert_eq!(repeats(&[outer, Call { model: Some("other"), ..inner }]), [None, None]);
        assert_eq!(
            repeats(&[outer, Call { start: UnixNanos(101), end: UnixNanos(110), ..inner }]),
            [None, None]
        );
        let nameless = Call { model: None, ..outer };
        assert_eq!(repeats(&[nameless, Call { model: None, ..inner }]), [None, None], "no model, no link");
    }

    #[test]
    fn a_framework_over_an_instrumented_client() {
        let framework = call(1, 0, 100, Framework);
        let client = of("chatcmpl-1", call(2, 10, 90, Client));
        assert_eq!(repeats(&[framework, client]), [Some(1), None]);
        assert_eq!(
            repeats(&[framework, silent(client)]),
            [None, Some(0)],
            "a stream whose client told no usage"
        );
        assert_eq!(
            repeats(&[of("chatcmpl-2", framework), silent(client)]),
            [None, None],
            "the response of another"
        );
        let both = [call(1, 0, 100, Client), call(2, 10, 90, Client)];
        assert_eq!(
            repeats(&both),
            [None, None],
            "two calls at once, of which neither passes through the other"
        );
        let chain = [framework, call(2, 5, 95, Client), of("msg_1", call(3, 10, 90, Itself))];
        assert_eq!(repeats(&chain), [Some(2), Some(2), None]);
    }

    #[test]
    fn calls_at_the_same_time() {
        let calls = [
            of("a", call(1, 0, 100, Client)),
            of("b", call(2, 1, 99, Client)),
            call(3, 2, 98, Client),
            of("a", call(4, 10, 90, Itself)),
            of("b", call(5, 11, 89, Itself)),
            of("c", call(6, 12, 88, Itself)),
        ];
        let counting: Vec<bool> = repeats(&calls).iter().map(Option::is_none).collect();
        assert_eq!(counting, [false, false, false, true, true, true]);
    }

    #[test]
    fn which_spans_of_a_client_may_be_hidden() {
        let trace = |hex| TraceId::from_wire(&u128::to_be_bytes(hex)).unwrap();
        let parent = |hex| SpanId::from_wire(&u64::to_be_bytes(hex));
        let sdk = |trace, parent| Itself.may_be_hidden(Dialect::AnthropicSdk, trace, parent);
        let usual = trace(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert!(sdk(usual, None), "a root");
        assert!(!sdk(usual, parent(0xb7ad_6b71_6920_3331)), "a span inside a trace");
        let run = trace(0x01a2_13ea_d9e4_75ac_98b9_826b_6ae8_e1ca);
        assert!(sdk(run, parent(0x01a2_13ea_da2e_7786)), "a span inside a run");
        assert!(!sdk(run, parent(0x01a2_13ea_da2e_4786)), "the halves of two different kinds of ids");
        assert!(!Itself.may_be_hidden(Dialect::OtelGenai, usual, None), "no dialect of such a client");
        assert!(!Framework.may_be_hidden(Dialect::OpenInference, usual, None), "no client");
    }

    #[test]
    fn many_calls_take_little_more_than_their_number() {
        let calls: Vec<_> = (0..100_000_u64)
            .map(|n| {
                let layer = if n % 2 == 0 { Client } else { Itself };
                Call { tells_usage: n % 3 == 0, ..call(1, n, n + 50_000, layer) }
            })
            .collect();
        assert_eq!(repeats(&calls).iter().filter(|instead| instead.is_none()).count(), 50_000);
    }

    fn any_call() -> impl Strategy<Value = Call<'static>> {
        let response = prop::sample::select(&[None, None, Some("a"), Some("b")][..]);
        let layer = prop::sample::select(&[Framework, Client, Itself][..]);
        (1_u8..200, 0_u64..20, 0_u64..10, response, layer, any::<bool>()).prop_map(
            |(id, start, length, response, layer, tells_usage)| Call {
                response,
                tells_usage,
                ..call(id, start, start + length, layer)
            },
        )
    }

    fn any_calls() -> impl Strategy<Value = Vec<Call<'static>>> {
        prop::collection::vec(any_call(), 0..12).prop_map(|mut calls| {
            calls.sort_by_key(|call| call.span);
            calls.dedup_by_key(|call| call.span);
            calls
        })
    }

    proptest! {
        #[test]
        fn the_order_of_calls_does_not_matter(
            (calls, shuffled) in any_calls().prop_flat_map(|calls| {
                let shuffled = Just(calls.clone()).prop_shuffle();
                (Just(calls), shuffled)
            })
        ) {
            let spans = |calls: &[Call<'static>]| {
                let instead = repeats(calls);
                let of = |place: usize| calls[place].span;
                let mut spans: Vec<_> =
                    calls.iter().zip(instead).map(|(call, instead)| (call.span, instead.map(of))).collect();
                spans.sort();
                spans
            };
            prop_assert_eq!(spans(&calls), spans(&shuffled));
        }

        #[test]
        fn some_call_counts_and_what_was_told_is_not_lost(calls in any_calls()) {
            let instead = repeats(&calls);
            for (call, instead) in calls.iter().zip(&instead) {
                let Some(other) = instead.map(|place| calls[place]) else { continue };
                prop_assert!(other.tells_usage || !call.tells_usage);
                let may_be_one = |one: Option<&str>| one.is_none_or(|one| Some(one) == call.response);
                prop_assert!(call.response.is_none() || may_be_one(other.response));
                prop_assert_eq!(other.model, call.model);
            }
            prop_assert_eq!(instead.contains(&None), !calls.is_empty());
        }

        #[test]
        fn calls_of_different_responses_all_count(calls in any_calls()) {
            let mut calls = calls;
            for (n, call) in calls.iter_mut().enumerate() {
                call.response = Some(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"][n]);
            }
            prop_assert!(repeats(&calls).iter().all(Option::is_none));
        }
    }
}
