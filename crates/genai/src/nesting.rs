//! Which calls of a trace are billable, where calls stand inside each other.
//!
//! The rule is that of ARCHITECTURE.md, "Which calls are billable". A call is *below* another if it descends from it
//! with no tool between the two: a tool that asks a model makes a call of its own.
//!
//! The ids of responses tell more, where instrumentations tell them: two calls with different ids are two (some forget to end
//! their span, and later calls seem to be inside it). Two calls with the same id are left to `repeats`, which finds them
//! wherever they stand.

use std::collections::HashMap;

use llm_observatory_core::ids::SpanId;

/// One span of a trace, as far as billing looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Id of the span.
    pub id: SpanId,
    /// The span that it says is above it. It need not be among the steps.
    pub parent: Option<SpanId>,
    /// What the span does.
    pub role: Role,
}

/// What a step does, as far as billing looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A call of a model: `LlmReading::is_call`.
    Call {
        /// Whether the call told how many tokens it used.
        tells_usage: bool,
    },
    /// A run of a tool.
    Tool,
    /// Any other span, LLM span or not.
    Other,
}

/// For each step, whether it is a billable call; `false` for steps that are no calls.
///
/// The order of the steps does not matter, and time and memory are linear in their number. Steps with the same id are one
/// span and get the same answer. A parent that is not there, or that makes a circle, is no parent.
pub fn billable(steps: &[Step]) -> Vec<bool> {
    billable_by_response(steps, &[])
}

/// The same, with the id of each step's response, in the order of the steps; `None` or nothing where it is not told.
pub fn billable_by_response(steps: &[Step], responses: &[Option<&str>]) -> Vec<bool> {
    let (mut nodes, places) = merge(steps, responses);
    let order = leaves_first(&mut nodes);
    look_down(&mut nodes, &order);
    look_up(&mut nodes, &order);
    let is_call = |step: &Step| matches!(step.role, Role::Call { .. });
    steps.iter().zip(places).map(|(step, place)| is_call(step) && nodes[place].billable).collect()
}

/// All steps with one id.
struct Node<'s> {
    id: SpanId,
    parent_id: Option<SpanId>,
    parent: Option<usize>,
    role: Role,
    response: Option<&'s str>,
    /// What calls below tell.
    below: Below,
    /// The nearest call above that tells its usage.
    above: Option<Above<'s>>,
    billable: bool,
}

/// Calls below a node.
#[derive(Clone, Copy, Default)]
struct Below {
    /// There is one.
    call: bool,
    /// There is one whose response is not told.
    nameless: bool,
    /// There is one that tells its usage.
    usage: bool,
    /// There is one that tells its usage, but not its response.
    nameless_usage: bool,
}

/// The nearest call above a node that tells its usage.
#[derive(Clone, Copy)]
struct Above<'s> {
    counts: bool,
    response: Option<&'s str>,
}

/// One node for each id, and the place of each step's node.
fn merge<'s>(steps: &[Step], responses: &[Option<&'s str>]) -> (Vec<Node<'s>>, Vec<usize>) {
    let mut known = HashMap::with_capacity(steps.len());
    let mut nodes: Vec<Node<'s>> = Vec::with_capacity(steps.len());
    let mut places = Vec::with_capacity(steps.len());
    let responses = responses.iter().copied().chain(std::iter::repeat(None));
    for (step, response) in steps.iter().zip(responses) {
        let place = *known.entry(step.id).or_insert(nodes.len());
        match nodes.get_mut(place) {
            Some(node) => {
                node.parent_id = node.parent_id.max(step.parent);
                node.role = weightier(node.role, step.role);
                node.response = node.response.max(response);
            }
            None => nodes.push(Node {
                id: step.id,
                parent_id: step.parent,
                parent: None,
                role: step.role,
                response,
                below: Below::default(),
                above: None,
                billable: false,
            }),
        }
        places.push(place);
    }
    for node in &mut nodes {
        node.parent = node.parent_id.and_then(|parent| known.get(&parent)).copied();
    }
    (nodes, places)
}

/// What a span is that is sent twice: a call before a tool before anything else.
fn weightier(a: Role, b: Role) -> Role {
    match (a, b) {
        (Role::Call { tells_usage: one }, Role::Call { tells_usage: other }) => {
            Role::Call { tells_usage: one || other }
        }
        (call @ Role::Call { .. }, _) | (_, call @ Role::Call { .. }) => call,
        (Role::Tool, _) | (_, Role::Tool) => Role::Tool,
        (Role::Other, Role::Other) => Role::Other,
    }
}

/// The nodes, each before its parent. A circle is cut above its smallest id.
fn leaves_first(nodes: &mut [Node<'_>]) -> Vec<usize> {
    let mut waiting = vec![0_usize; nodes.len()];
    for parent in nodes.iter().filter_map(|node| node.parent) {
        waiting[parent] += 1;
    }
    let mut order: Vec<usize> = (0..nodes.len()).filter(|place| waiting[*place] == 0).collect();
    let mut placed = 0;
    let mut next_start = 0;
    loop {
        while let Some(place) = order.get(placed).copied() {
            placed += 1;
            if let Some(parent) = nodes[place].parent {
                waiting[parent] -= 1;
                if waiting[parent] == 0 {
                    order.push(parent);
                }
            }
        }
        // A node has one parent, so what still waits is on a circle: all that hangs below circles is placed.
        let Some(start) = (next_start..nodes.len()).find(|place| waiting[*place] > 0) else { return order };
        next_start = start;
        let cut = smallest_of_circle(nodes, start);
        if let Some(parent) = nodes[cut].parent.take() {
            waiting[parent] -= 1;
            if waiting[parent] == 0 {
                order.push(parent);
            }
        }
    }
}

/// The place of the smallest id in the circle that `start` is on.
fn smallest_of_circle(nodes: &[Node<'_>], start: usize) -> usize {
    let circle = std::iter::successors(nodes[start].parent, |place| {
        Some(*place).filter(|place| *place != start).and_then(|place| nodes[place].parent)
    });
    circle.min_by_key(|place| nodes[*place].id).unwrap_or(start)
}

/// Tells each node of the calls below it.
fn look_down(nodes: &mut [Node<'_>], order: &[usize]) {
    for place in order {
        let node = &nodes[*place];
        let told = match node.role {
            Role::Tool => continue,
            // What is nameless below a call with a name is that call.
            Role::Call { tells_usage } => Below {
                call: true,
                nameless: node.response.is_none(),
                usage: tells_usage || node.below.usage,
                nameless_usage: node.response.is_none() && (tells_usage || node.below.nameless_usage),
            },
            Role::Other => node.below,
        };
        if let Some(parent) = node.parent {
            let below = &mut nodes[parent].below;
            below.call |= told.call;
            below.nameless |= told.nameless;
            below.usage |= told.usage;
            below.nameless_usage |= told.nameless_usage;
        }
    }
}

/// Decides, from the roots down.
fn look_up(nodes: &mut [Node<'_>], order: &[usize]) {
    for place in order.iter().rev() {
        let above = nodes[*place].parent.and_then(|parent| passed_down(&nodes[parent]));
        let node = &mut nodes[*place];
        node.above = above;
        let (call_below, usage_below) = match node.response {
            Some(_) => (node.below.nameless, node.below.nameless_usage),
            None => (node.below.call, node.below.usage),
        };
        let repeats = above.is_some_and(|above| above.counts && may_be_one(node.response, above.response));
        node.billable = match node.role {
            Role::Call { tells_usage: true } => !usage_below,
            Role::Call { tells_usage: false } => !call_below && !repeats,
            Role::Tool | Role::Other => false,
        };
    }
}

fn may_be_one(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// What a node's children hear of the nearest call above them that tells its usage.
fn passed_down<'s>(node: &Node<'s>) -> Option<Above<'s>> {
    match node.role {
        Role::Call { tells_usage: true } => Some(Above { counts: node.billable, response: node.response }),
        Role::Call { tells_usage: false } | Role::Other => node.above,
        Role::Tool => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TELLS: Role = Role::Call { tells_usage: true };
    const SILENT: Role = Role::Call { tells_usage: false };

    fn id(number: u8) -> SpanId {
        SpanId::from_wire(&[number, 0, 0, 0, 0, 0, 0, 1]).unwrap()
    }

    /// A step; parent 0 is none.
    fn step(number: u8, parent: u8, role: Role) -> Step {
        Step { id: id(number), parent: (parent > 0).then(|| id(parent)), role }
    }

    fn billed(steps: &[Step]) -> Vec<u8> {
        let verdicts = billable(steps);
        steps
            .iter()
            .zip(verdicts)
            .filter(|(_, billed)| *billed)
            .map(|(step, _)| step.id.as_bytes()[0])
            .collect()
    }

    #[test]
    fn an_agent_and_its_calls() {
        let steps = [step(1, 0, Role::Other), step(2, 1, TELLS), step(3, 1, Role::Tool), step(4, 1, TELLS)];
        assert_eq!(billed(&steps), [2, 4]);
    }

    #[test]
    fn a_framework_over_an_instrumented_sdk() {
        let wrapper_tells = [step(1, 0, TELLS), step(2, 1, Role::Other), step(3, 2, TELLS)];
        assert_eq!(billed(&wrapper_tells), [3], "the inner call counts");
        let wrapper_silent = [step(1, 0, SILENT), step(2, 1, TELLS)];
        assert_eq!(billed(&wrapper_silent), [2]);
        let sdk_silent = [step(1, 0, TELLS), step(2, 1, SILENT), step(3, 2, SILENT)];
        assert_eq!(billed(&sdk_silent), [1], "the inner calls would only be counted as missing");
        let all_silent = [step(1, 0, SILENT), step(2, 1, SILENT)];
        assert_eq!(billed(&all_silent), [2], "one call without usage, not two");
    }

    #[test]
    fn several_calls_below_one_wrapper() {
        let steps = [step(1, 0, TELLS), step(2, 1, TELLS), step(3, 1, TELLS)];
        assert_eq!(billed(&steps), [2, 3]);
        let one_silent = [step(1, 0, TELLS), step(2, 1, TELLS), step(3, 1, SILENT)];
        assert_eq!(
            billed(&one_silent),
            [2, 3],
            "the silent one is not told by the wrapper, which does not count"
        );
    }

    #[test]
    fn a_tool_that_asks_a_model_is_billed_beside_its_caller() {
        let steps = [step(1, 0, TELLS), step(2, 1, Role::Tool), step(3, 2, TELLS), step(4, 2, SILENT)];
        assert_eq!(billed(&steps), [1, 3, 4]);
    }

    fn billed_of(steps: &[Step], responses: &[Option<&str>]) -> Vec<u8> {
        let verdicts = billable_by_response(steps, responses);
        steps
            .iter()
            .zip(verdicts)
            .filter(|(_, billed)| *billed)
            .map(|(step, _)| step.id.as_bytes()[0])
            .collect()
    }

    #[test]
    fn a_call_without_response_is_the_one_that_it_stands_in() {
        let nested = [step(1, 0, TELLS), step(2, 1, TELLS), step(3, 2, SILENT)];
        assert_eq!(billed_of(&nested, &[Some("a"), Some("b"), None]), [1, 2]);
    }

    #[test]
    fn different_responses_are_different_calls() {
        let leaked = [step(1, 0, TELLS), step(2, 1, Role::Tool), step(3, 1, TELLS), step(4, 3, TELLS)];
        let responses = [Some("a"), None, Some("b"), Some("c")];
        assert_eq!(billed_of(&leaked, &responses), [1, 3, 4], "spans that were not ended");
        let wrapper = [step(1, 0, TELLS), step(2, 1, TELLS), step(3, 1, TELLS)];
        assert_eq!(
            billed_of(&wrapper, &[Some("b"), Some("a"), Some("b")]),
            [1, 2, 3],
            "a wrapper tells its last one, which `repeats` finds"
        );
        let inner = [step(1, 0, TELLS), step(2, 1, TELLS), step(3, 2, TELLS)];
        assert_eq!(billed_of(&inner, &[Some("a"), Some("b"), None]), [1, 3], "3 is 2, and not 1");
    }

    #[test]
    fn broken_traces() {
        assert_eq!(billed(&[]), [0_u8; 0]);
        assert_eq!(billed(&[step(1, 9, TELLS)]), [1], "its parent never came");
        assert_eq!(billed(&[step(1, 1, TELLS)]), [1], "its own parent");
        assert_eq!(billed(&[step(2, 1, TELLS), step(1, 2, TELLS)]), [2], "a circle: 1 stands above 2");
        assert_eq!(billed(&[step(1, 0, TELLS), step(2, 1, TELLS), step(2, 1, TELLS)]), [2, 2], "sent twice");
    }

    #[test]
    fn a_deep_chain_takes_linear_time() {
        let steps: Vec<Step> = (1..=200_000_u64)
            .map(|number| Step {
                id: SpanId::from_wire(&number.to_be_bytes()).unwrap(),
                parent: SpanId::from_wire(&(number - 1).to_be_bytes()),
                role: TELLS,
            })
            .collect();
        let billed = billable(&steps);
        assert_eq!(billed.iter().filter(|billed| **billed).count(), 1);
        assert!(billed[199_999]);
    }

    fn any_role() -> impl Strategy<Value = Role> {
        prop_oneof![Just(TELLS), Just(SILENT), Just(Role::Tool), Just(Role::Other)]
    }

    fn any_steps() -> impl Strategy<Value = Vec<Step>> {
        prop::collection::vec((1_u8..12, 0_u8..14, any_role()), 0..24)
            .prop_map(|steps| steps.into_iter().map(|(id, parent, role)| step(id, parent, role)).collect())
    }

    const RESPONSES: [Option<&str>; 4] = [None, None, Some("a"), Some("b")];

    proptest! {
        #[test]
        fn the_order_of_steps_does_not_matter(
            (steps, responses, shuffled) in any_steps().prop_flat_map(|steps| {
                let places: Vec<usize> = (0..steps.len()).collect();
                let responses = prop::collection::vec(prop::sample::select(RESPONSES.as_slice()), steps.len());
                (Just(steps), responses, Just(places).prop_shuffle())
            })
        ) {
            let verdicts = billable_by_response(&steps, &responses);
            let moved: Vec<Step> = shuffled.iter().map(|place| steps[*place]).collect();
            let their: Vec<Option<&str>> = shuffled.iter().map(|place| responses[*place]).collect();
            let expected: Vec<bool> = shuffled.iter().map(|place| verdicts[*place]).collect();
            prop_assert_eq!(billable_by_response(&moved, &their), expected);
        }

        #[test]
        fn only_calls_are_billed_and_some_call_always_is(
            steps in any_steps(), responses in prop::collection::vec(prop::sample::select(RESPONSES.as_slice()), 24)
        ) {
            let verdicts = billable_by_response(&steps, &responses);
            for (step, billed) in steps.iter().zip(&verdicts) {
                let is_call = matches!(step.role, Role::Call { .. });
                prop_assert!(is_call || !*billed);
            }
            let calls = steps.iter().filter(|step| matches!(step.role, Role::Call { .. })).count();
            prop_assert_eq!(verdicts.contains(&true), calls > 0);
        }

        #[test]
        fn a_silent_call_never_stands_below_or_above_a_billed_one_that_it_repeats(
            parents in prop::collection::vec(0_u8..12, 1..12), tells in prop::collection::vec(any::<bool>(), 12)
        ) {
            // A forest: each parent comes before its child, and there are only calls.
            let steps: Vec<Step> = parents.iter().enumerate().map(|(place, parent)| {
                let number = u8::try_from(place).unwrap() + 1;
                step(number, parent % number, Role::Call { tells_usage: tells[place] })
            }).collect();
            let verdicts = billable(&steps);
            for place in 0..steps.len() {
                let mut above = parents[place] % (u8::try_from(place).unwrap() + 1);
                while above > 0 {
                    let both = verdicts[place] && verdicts[usize::from(above) - 1];
                    prop_assert!(!both, "{} and {} of {:?}", place + 1, above, steps);
                    above = parents[usize::from(above) - 1] % above;
                }
            }
        }
    }
}
