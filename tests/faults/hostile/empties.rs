//! Requests of nothing: each empty element takes two bytes on the wire, and would take hundreds in memory.

use harness::raw::{self, TRACES};
use harness::retry::delay_asked_by;
use harness::telemetry::span;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::{DEADLINE, MAX_REQUEST_BYTES, MIB, Siege};
use crate::caller::assert_refused_for_good;
use crate::run::Run;

/// A field with an empty message, over and over.
fn empties(field: u32, count: usize) -> Vec<u8> {
    raw::field(field, b"").repeat(count)
}

/// A span that goes on with these encoded fields.
fn span_with(fields: &[u8]) -> Vec<u8> {
    let whole = Span { name: "crowded".to_owned(), ..span(u128::MAX, u64::MAX) }.encode_to_vec();
    raw::request(&[[&whole[..], fields].concat()])
}

/// One attribute whose value is an array of empty values.
fn array(count: usize) -> Vec<u8> {
    let value = raw::field(5, &empties(1, count));
    raw::field(9, &[raw::field(1, b"key"), raw::field(2, &value)].concat())
}

/// The fields of a span that repeat, by their numbers.
const ATTRIBUTES: u32 = 9;
const EVENTS: u32 = 11;
const LINKS: u32 = 13;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn millions_of_empty_elements_take_no_more_than_they_may() {
    let millions = Run::of("empty elements").pick(2, 16) << 20;
    // Levels at which there may be very many of very little. The numbers of the fields of resource_spans and of
    // scope_spans are 1 and 2.
    let floods = [
        ("empty resource_spans", empties(1, millions)),
        ("empty scope_spans", raw::field(1, &empties(2, millions))),
        ("empty spans", raw::field(1, &raw::field(2, &empties(2, millions)))),
        ("empty attributes of a span", span_with(&empties(ATTRIBUTES, millions))),
        ("empty events of a span", span_with(&empties(EVENTS, millions))),
        ("empty links of a span", span_with(&empties(LINKS, millions))),
        ("empty elements of an array", span_with(&array(millions))),
    ];
    for (what, body) in floods {
        let siege = Siege::of(&[]).await;
        let bytes = body.len() as u64;
        let answer = tokio::time::timeout(DEADLINE, siege.honest.send(TRACES, body.into())).await.unwrap();
        // The daemon may store it, reject its records by name, or refuse it for good; it must not ask for a retry.
        let told = match &answer {
            Ok(None) => "stored".to_owned(),
            Ok(Some(partial)) => format!("{} rejected: {}", partial.rejected_spans, partial.error_message),
            Err(status) => {
                assert_eq!(delay_asked_by(status), None, "{what}: {status:?}");
                assert_refused_for_good(status);
                status.message().to_owned()
            }
        };
        println!("{} MiB of {what}: {told:.200}", bytes / MIB);
        siege.ends(what, 2 * MAX_REQUEST_BYTES).await;
    }
}
