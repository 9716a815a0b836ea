//! Which spans are about which call of a provider's API.

use std::collections::HashMap;

use serde_json::Value;

use super::content;
use super::world::Found;

/// For each span that is a call, the place of the API call that it is about; `None` if none is recognised. Calls have
/// numbers and ids that no other call has.
pub(super) fn calls_of(found: &[Found], calls: &[Value]) -> Vec<Option<usize>> {
    let is_call = |found: &Found| found.reading().is_call;
    let mut places: Vec<Option<usize>> = found
        .iter()
        .map(|found| calls.iter().position(|call| is_call(found) && is_about(found, call)))
        .collect();
    let ids: HashMap<_, _> =
        found.iter().enumerate().map(|(n, found)| (key(found, &found.span.span_id), n)).collect();
    // A call that tells nothing of its own is about what the call below or above it is about.
    for _ in 0..found.len() {
        for (n, child) in found.iter().enumerate() {
            let Some(parent) = ids.get(&key(child, &child.span.parent_span_id)) else { continue };
            if is_call(child) && is_call(&found[*parent]) {
                let place = places[n].or(places[*parent]);
                (places[n], places[*parent]) = (place, places[*parent].or(place));
            }
        }
    }
    // What is left tells neither numbers nor words: a failed call, or one in secret. It is the call that nobody told of.
    for (n, found) in found.iter().enumerate() {
        if is_call(found) && places[n].is_none() {
            let untold = (0..calls.len()).find(|call| !places.contains(&Some(*call)));
            places[n] = untold.or((calls.len() == 1).then_some(0));
        }
    }
    places
}

fn key<'a>(found: &'a Found, span: &'a str) -> (&'a str, &'a str) {
    (&found.span.trace_id, span)
}

fn is_about(found: &Found, call: &Value) -> bool {
    let (reading, usage) = (found.reading(), found.usage());
    if call["response_id"] == *reading.response_id && !reading.response_id.is_empty() {
        return true;
    }
    if usage.output.is_some_and(|output| call["output_tokens"] == output && output > 0)
        || usage.input.is_some_and(|input| call["input_tokens"] == input)
    {
        return true;
    }
    let said = content::answer(&found.content);
    let ids = call["tool_calls"].as_array().unwrap().iter().map(|call| &call["id"]);
    call["completion"].as_str().is_some_and(|text| !text.is_empty() && said.text == text)
        || ids.into_iter().any(|id| said.tool_calls.iter().any(|call| call["id"] == *id))
}
