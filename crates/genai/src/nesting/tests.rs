//! Calls inside each other.

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
    steps.iter().zip(verdicts).filter(|(_, billed)| *billed).map(|(step, _)| step.id.as_bytes()[0]).collect()
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
    steps.iter().zip(verdicts).filter(|(_, billed)| *billed).map(|(step, _)| step.id.as_bytes()[0]).collect()
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
