//! Who speaks in a step: its session and its end user, as it tells them, or else as the nearest step above it does.
//!
//! The rule is that of ARCHITECTURE.md, "Who speaks". Tools make no difference: what is done for a session belongs to it.

use std::collections::HashMap;

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::SpanId;
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::text::Text;

use crate::nesting::Step;
use crate::value;

/// The session and the end user, as far as they are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Speaker {
    /// The session, or else the conversation.
    pub session_id: Option<Text>,
    /// The end user.
    pub user_id: Option<Text>,
}

/// The keys by which a span tells its speaker that is no LLM span. Other keys of readings mark an LLM span.
pub const KEYS: [&str; 3] = [SESSION, USER, END_USER];

const SESSION: &str = "session.id";
const USER: &str = "user.id";
const END_USER: &str = "enduser.id";

impl Speaker {
    /// Whom a span tells that is no LLM span; `None` if it tells nobody.
    pub fn of_attributes(attributes: &[Attribute<'_>]) -> Option<Self> {
        let (mut session_id, mut user_id, mut end_user_id) = (None, None, None);
        for Attribute { key, value } in attributes {
            match &**key {
                SESSION => session_id = Some(value),
                USER => user_id = Some(value),
                END_USER => end_user_id = Some(value),
                _ => {}
            }
        }
        let text = |value: &_| value::text(value).map(|text| Text::from(&*text));
        let user_id = user_id.and_then(text).or_else(|| end_user_id.and_then(text));
        Some(Self { session_id: session_id.and_then(text), user_id })
            .filter(|speaker| *speaker != Self::default())
    }

    /// What it tells.
    pub fn told(&self) -> Told<'_> {
        (self.session_id.as_ref(), self.user_id.as_ref())
    }
}

impl From<&LlmReading> for Speaker {
    fn from(reading: &LlmReading) -> Self {
        Self { session_id: reading.session_id.clone(), user_id: reading.user_id.clone() }
    }
}

/// The session and the user that a step tells.
pub type Told<'t> = (Option<&'t Text>, Option<&'t Text>);

/// For each step at a place that is asked for what it takes over: what the nearest step above it tells, and it does not. `told`
/// is what each step tells, in the order of the steps.
///
/// The order of the steps does not matter, and time is linear in their number. Steps with the same id are one span.
pub fn taken_over(steps: &[Step], told: &[Told<'_>], is_asked: impl Fn(usize) -> bool) -> Vec<Speaker> {
    let (sessions, users): (Vec<_>, Vec<_>) = told.iter().copied().unzip();
    let [sessions, users] = [sessions, users].map(|told| nearest(steps, &told, &is_asked, FEW));
    let both =
        sessions.into_iter().map(|text| text.cloned()).zip(users.into_iter().map(|text| text.cloned()));
    both.map(|(session_id, user_id)| Speaker { session_id, user_id }).collect()
}

/// All steps with one id.
struct Node<'t> {
    parent_id: Option<SpanId>,
    told: Option<&'t Text>,
    /// What was found for it: `None` while it is not known.
    found: Option<Option<&'t Text>>,
}

/// Among so many steps a parent is soon found without a table.
const FEW: usize = 32;

/// For each step that is asked for and tells nothing, what the nearest one above it tells.
fn nearest<'t>(
    steps: &[Step],
    told: &[Option<&'t Text>],
    is_asked: &impl Fn(usize) -> bool,
    few: usize,
) -> Vec<Option<&'t Text>> {
    let lacks = |place: usize| told[place].is_none() && is_asked(place);
    if told.iter().all(Option::is_none) || !(0..steps.len()).any(lacks) {
        return vec![None; steps.len()];
    }
    if steps.len() <= few {
        let of_place = |place| if lacks(place) { climb(steps, told, steps[place].id) } else { None };
        return (0..steps.len()).map(of_place).collect();
    }
    let mut nodes: HashMap<SpanId, Node<'t>> = HashMap::with_capacity(steps.len());
    for (step, told) in steps.iter().zip(told) {
        let node = nodes.entry(step.id).or_insert(Node { parent_id: None, told: None, found: None });
        node.parent_id = node.parent_id.max(step.parent);
        node.told = node.told.max(*told);
    }
    let mut way = Vec::new();
    let of_place = |place| if lacks(place) { look_up(&mut nodes, steps[place].id, &mut way) } else { None };
    (0..steps.len()).map(of_place).collect()
}

/// The same as [`look_up`], step by step. Who climbs more often than there are steps is in a circle.
fn climb<'t>(steps: &[Step], told: &[Option<&'t Text>], id: SpanId) -> Option<&'t Text> {
    let mut next = Some(id);
    for _ in steps {
        let of_id = || steps.iter().zip(told).filter(|(step, _)| Some(step.id) == next);
        if let Some(found) = of_id().filter_map(|(_, told)| *told).max() {
            return Some(found);
        }
        next = of_id().filter_map(|(step, _)| step.parent).max();
    }
    None
}

/// What the step tells, or else the nearest one above it. All on the way there get the same answer.
fn look_up<'t>(nodes: &mut HashMap<SpanId, Node<'t>>, id: SpanId, way: &mut Vec<SpanId>) -> Option<&'t Text> {
    way.clear();
    let mut next = Some(id);
    let mut found = None;
    while let Some(node) = next.and_then(|id| nodes.get_mut(&id)) {
        found = node.told.or_else(|| node.found.flatten());
        // What was looked up, or is on the way: then it is a circle in which nobody tells.
        if found.is_some() || node.found.is_some() {
            break;
        }
        node.found = Some(None);
        way.extend(next);
        next = node.parent_id;
    }
    for id in way.iter() {
        if let Some(node) = nodes.get_mut(id) {
            node.found = Some(found);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Value;
    use llm_observatory_core::llm::{Dialect, LlmKind};
    use proptest::prelude::*;

    use super::*;
    use crate::nesting::Role;

    /// A step; parent 0 is none.
    fn step(number: u8, parent: u8) -> Step {
        let id = |number: u8| SpanId::from_wire(&[number, 0, 0, 0, 0, 0, 0, 1]).unwrap();
        Step { id: id(number), parent: (parent > 0).then(|| id(parent)), role: Role::Other }
    }

    fn session(text: &'static str) -> Speaker {
        Speaker { session_id: text_of(text), user_id: None }
    }

    fn text_of(text: &'static str) -> Option<Text> {
        (!text.is_empty()).then(|| text.into())
    }

    /// The sessions that steps take over, of steps with these parents: the first step is 1.
    fn sessions(steps: &[(u8, &'static str)]) -> Vec<String> {
        let told: Vec<_> = steps.iter().map(|(_, told)| session(told)).collect();
        let steps: Vec<_> = (1..).zip(steps).map(|(number, (parent, _))| step(number, *parent)).collect();
        let told: Vec<_> = told.iter().map(Speaker::told).collect();
        let taken = taken_over(&steps, &told, |_| true).into_iter();
        taken.map(|taken| taken.session_id.map(|text| text.to_string()).unwrap_or_default()).collect()
    }

    #[test]
    fn the_nearest_step_above_tells() {
        assert_eq!(sessions(&[(0, "a"), (1, ""), (2, ""), (2, "b"), (4, "")]), ["", "a", "a", "", "b"]);
        assert_eq!(sessions(&[(0, ""), (1, "a"), (2, "")]), ["", "", "a"], "nothing is told upwards");
        assert_eq!(sessions(&[(0, "a"), (9, "")]), ["", ""], "its parent never came");
        assert_eq!(sessions(&[]), [""; 0]);
    }

    #[test]
    fn session_and_user_are_taken_over_each_by_itself() {
        let steps = [step(1, 0), step(2, 1), step(3, 2)];
        let user = Speaker { session_id: None, user_id: Some("u".into()) };
        let (told, nobody) = (session("s"), Speaker::default());
        let taken = taken_over(&steps, &[user.told(), told.told(), nobody.told()], |_| true);
        let both = Speaker { session_id: Some("s".into()), ..user.clone() };
        assert_eq!(taken, [Speaker::default(), user, both]);
    }

    #[test]
    fn circles_end() {
        assert_eq!(sessions(&[(1, ""), (0, "a")]), ["", ""], "its own parent");
        assert_eq!(sessions(&[(2, ""), (3, ""), (1, ""), (1, ""), (0, "a")]), [""; 5]);
        assert_eq!(sessions(&[(2, ""), (3, ""), (1, "a"), (1, "")]), ["a", "a", "", "a"]);
    }

    #[test]
    fn a_deep_chain_takes_linear_time() {
        let id = |number: u64| SpanId::from_wire(&number.to_be_bytes());
        let chain = |number: u64| Step { id: id(number).unwrap(), parent: id(number - 1), role: Role::Other };
        let steps: Vec<Step> = (1..=200_000).rev().map(chain).collect();
        let root = session("s");
        let mut told: Vec<Told<'_>> = vec![(None, None); steps.len()];
        told[199_999] = root.told();
        let taken = taken_over(&steps, &told, |_| true);
        assert_eq!(taken.iter().filter(|taken| taken.session_id.is_some()).count(), 199_999);
    }

    #[test]
    fn whom_other_spans_tell() {
        let of = |attributes: &[(&'static str, Value<'static>)]| {
            let attributes = attributes.iter().map(|(key, value)| Attribute::new(*key, value.clone()));
            Speaker::of_attributes(&attributes.collect::<Vec<_>>())
        };
        let told = Speaker { session_id: Some("s".into()), user_id: Some("7".into()) };
        let attributes = [
            ("http.route", "/".into()),
            ("session.id", " s ".into()),
            ("user.id", 7.into()),
            ("enduser.id", "e".into()),
        ];
        assert_eq!(of(&attributes), Some(told));
        assert_eq!(of(&[("enduser.id", "e".into())]).unwrap().user_id.as_deref(), Some("e"));
        assert_eq!(of(&[("session.id", "".into()), ("user", "u".into())]), None);
    }

    /// An LLM span may tell its speaker by the same keys, and then says the same.
    #[test]
    fn a_reading_reads_these_keys_too() {
        for key in KEYS {
            let attributes = [Attribute::new("gen_ai.operation.name", "chat"), Attribute::new(key, "x")];
            let read = crate::tests::span("", "chat", &attributes).unwrap();
            assert_eq!(Some(Speaker::from(&read)), Speaker::of_attributes(&attributes), "{key}");
        }
        let silent = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
        assert_eq!(Speaker::from(&silent), Speaker::default());
    }

    proptest! {
        #[test]
        fn each_step_finds_what_a_walk_up_finds(
            steps in prop::collection::vec((0_u8..10, prop::sample::select(&["", "", "a", "b"][..])), 0..10)
        ) {
            let walk = |start: usize| {
                let mut at = usize::from(steps[start].0);
                for _ in 0..steps.len() {
                    match at.checked_sub(1).and_then(|place| steps.get(place)) {
                        Some((_, told)) if !told.is_empty() => return *told,
                        Some((parent, _)) => at = usize::from(*parent),
                        None => return "",
                    }
                }
                ""
            };
            let expected: Vec<_> =
                (0..steps.len()).map(|n| if steps[n].1.is_empty() { walk(n) } else { "" }).collect();
            prop_assert_eq!(sessions(&steps), expected);
        }

        /// Also where several steps have one id.
        #[test]
        fn few_steps_find_what_they_would_find_among_many(
            steps in prop::collection::vec((1_u8..6, 0_u8..7, prop::sample::select(&["", "", "a", "b"][..])), 0..12)
        ) {
            let told: Vec<_> = steps.iter().map(|(_, _, told)| text_of(told)).collect();
            let told: Vec<_> = told.iter().map(Option::as_ref).collect();
            let steps: Vec<_> = steps.iter().map(|(number, parent, _)| step(*number, *parent)).collect();
            let all = |_| true;
            prop_assert_eq!(nearest(&steps, &told, &all, FEW), nearest(&steps, &told, &all, 0));
        }
    }
}
