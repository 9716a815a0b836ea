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
mod tests;
