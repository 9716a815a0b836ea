//! Real instrumentations, as recorded: what the daemon makes of their exports is what the fakes of the providers told,
//! in whatever order and requests the exports come.

mod call;
mod checks;
mod content;
mod known;
mod match_up;
mod report;
mod totals;
mod world;

use harness::recordings::{self, Recording, merged_records, merged_spans, single_records, single_spans};
use harness::telemetry::now;

use report::Report;
use world::{Found, Request, World};

/// The environment variable with the seed of another order.
const SEED: &str = "OBSERVATORY_TEST_SEED";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_calls_are_read_as_the_providers_told_them() {
    let recordings = recordings::all();
    let world = World::new().await;
    world.send(recordings.iter().map(|recording| as_recorded(&recording.take(0))).collect()).await;
    world.settled().await;

    let spans = world.llm_spans().await;
    let mut report = Report::default();
    for recording in &recordings {
        let found = world.with_content(spans.of(recording, 0)).await;
        report.add(recording, &found);
    }
    println!("{report}");
    assert!(report.wrong.is_empty(), "{} wrong:\n{}", report.wrong.len(), report.wrong.join("\n"));
    assert_eq!(report.mended(), [""; 0], "right by now: take it out of known.rs");
}

/// The most parts of a way.
const PARTS: usize = 2;

/// Lists of requests. Each list is sent in its order, several lists at a time.
type Part = Vec<Vec<Request>>;

/// Divides exports into parts; all is settled before the next part is sent.
type Divide = fn(&[Recording]) -> Vec<Part>;

/// Ways in which the same exports may come.
const WAYS: &[(&str, Divide)] = &[
    ("as recorded", |all| vec![all.iter().map(as_recorded).collect()]),
    ("twice, then in one request", |all| {
        let twice = |recording: &Recording| {
            as_recorded(recording).into_iter().flat_map(|request| [request.clone(), request]).collect()
        };
        vec![all.iter().map(twice).collect(), vec![merged(all)]]
    }),
    ("one by one", |all| vec![all.iter().map(one_by_one).collect()]),
    ("one by one, backwards", |all| {
        let backwards = |recording: &Recording| one_by_one(recording).into_iter().rev().collect();
        vec![all.iter().map(backwards).collect()]
    }),
    ("all in one request", |all| vec![vec![merged(all)]]),
    ("shuffled", |all| vec![shuffled(all.iter().flat_map(one_by_one).collect())]),
    ("log records long before spans", |all| {
        let logs = all.iter().map(|recording| records(recording).collect()).collect();
        vec![logs, all.iter().map(|recording| spans(recording).collect()).collect()]
    }),
    ("spans long before log records", |all| {
        let logs = all.iter().map(|recording| records(recording).collect()).collect();
        vec![all.iter().map(|recording| spans(recording).collect()).collect(), logs]
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_does_not_matter_how_the_exports_come() {
    let recordings = recordings::all();
    let world = World::new().await;
    let takes = (0..).zip(WAYS).map(|(take, (_, parts))| {
        let copies: Vec<_> = recordings.iter().map(|recording| recording.take(take)).collect();
        parts(&copies).into_iter()
    });
    // All first parts, then all second ones: takes have nothing to do with each other, so one wait is enough for all.
    let mut takes: Vec<_> = takes.collect();
    for _ in 0..PARTS {
        for part in takes.iter_mut().filter_map(Iterator::next) {
            world.send(part).await;
        }
        world.settled().await;
    }
    assert!(takes.iter_mut().all(|parts| parts.next().is_none()), "all is sent");
    let spans = world.llm_spans().await;
    let mut wrong = Vec::new();
    for recording in &recordings {
        let told = async |take| {
            // What was said in spans without log records follows from the span alone.
            let spans = spans.of(recording, take);
            let found = match recording.logs.is_empty() {
                true => spans.into_iter().map(Found::silent).collect(),
                false => world.with_content(spans).await,
            };
            let mut found: Vec<_> =
                found.into_iter().map(|found| found.told_as_take_0(take, recording)).collect();
            found.sort_by_key(|found| {
                (found.start(), found.span.trace_id.clone(), found.span.span_id.clone())
            });
            found
        };
        let expected = told(0).await;
        for (take, (way, _)) in (0..).zip(WAYS).skip(1) {
            let found = told(take).await;
            if found.len() != expected.len() {
                wrong.push(format!(
                    "{}: {way}: {} LLM spans, not {}",
                    recording.name,
                    found.len(),
                    expected.len()
                ));
            }
            for (found, expected) in found.iter().zip(&expected).filter(|(a, b)| a != b) {
                wrong.push(format!("{}: {way}: {}", recording.name, found.difference(expected)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn spans(recording: &Recording) -> impl Iterator<Item = Request> {
    recording.traces.iter().cloned().map(Request::Spans)
}

fn records(recording: &Recording) -> impl Iterator<Item = Request> {
    recording.logs.iter().cloned().map(Request::Records)
}

fn as_recorded(recording: &Recording) -> Vec<Request> {
    spans(recording).chain(records(recording)).collect()
}

fn one_by_one(recording: &Recording) -> Vec<Request> {
    let spans = recording.traces.iter().flat_map(single_spans).map(Request::Spans);
    spans.chain(recording.logs.iter().flat_map(single_records).map(Request::Records)).collect()
}

fn merged(all: &[Recording]) -> Vec<Request> {
    vec![
        Request::Spans(merged_spans(all.iter().flat_map(|recording| &recording.traces))),
        Request::Records(merged_records(all.iter().flat_map(|recording| &recording.logs))),
    ]
}

/// Each request alone, in an order that follows from the seed.
fn shuffled(requests: Vec<Request>) -> Vec<Vec<Request>> {
    let seed = std::env::var(SEED).map_or_else(|_| now(), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let mut numbered: Vec<_> = (seed..).zip(requests).collect();
    numbered.sort_by_key(|(number, _)| mixed(*number));
    numbered.into_iter().map(|(_, request)| vec![request]).collect()
}

/// SplitMix64's output function: neighbours get numbers far apart, and no two the same.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
