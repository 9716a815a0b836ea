//! Records that PostgreSQL does not take, for a reason that the daemon can't know: an operator added rules to the tables.
//! One of a hundred records breaks a rule. The daemon finds it among all that share its batch, and rejects it alone.

use std::collections::BTreeMap;

use bytes::Bytes;
use harness::raw::{LOGS, METRICS, TRACES};
use harness::telemetry::{gauge, now, point, record, records, span, spans, text};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::task::JoinSet;

use super::{World, long};
use crate::caller::Caller;
use crate::run::{Random, Run};

const CONNECTIONS: usize = 4;
const REQUEST_RECORDS: u64 = 100;
/// Dead letters of one request that are kept; the default of `ingest.kept_rejections`.
const KEPT: usize = 100;

/// Rules of three kinds: a constraint (SQLSTATE 23514), a cast that fails (22P02), and an index that has no room for a long
/// text (54000).
const RULES: &str = "
    ALTER TABLE trace_spans ADD CONSTRAINT no_poison CHECK (name <> 'poison');
    ALTER TABLE logs ADD CONSTRAINT no_poison CHECK (body_text <> 'poison');
    ALTER TABLE metric_data_points ADD CONSTRAINT no_poison CHECK (value_int <> 666);
    CREATE INDEX ON logs (((attributes_json::json ->> 'order')::integer));
    CREATE INDEX ON trace_spans (name);";

const CONSTRAINT: &str = "SQLSTATE 23514";
const CAST: &str = "SQLSTATE 22P02";
const INDEX: &str = "SQLSTATE 54000";

/// A request, and the bytes and the reason of every record of it that must be rejected, by place.
struct Case {
    body: Bytes,
    poison: BTreeMap<String, (Vec<u8>, &'static str)>,
}

/// A hundred numbered records of one signal, each of which is poison with a chance of one in a hundred.
fn case(method: &'static str, number: u64, random: &mut Random) -> Case {
    let mut poison = BTreeMap::new();
    let numbers = (number * REQUEST_RECORDS..(number + 1) * REQUEST_RECORDS).enumerate();
    let mut decide = |place: String, good: Vec<u8>, bad: Vec<(Vec<u8>, &'static str)>| {
        if !random.percent(1) {
            return good;
        }
        let (record, reason) = random.one_of(&bad).clone();
        poison.insert(place, (record.clone(), reason));
        record
    };
    let records: Vec<_> = numbers
        .map(|(at, n)| match method {
            TRACES => {
                let good = span(u128::from(number) + 1, n + 1);
                let named = |name: String| Span { name, ..good.clone() }.encode_to_vec();
                let long = long(4_000, &mut Random::new(&[n]));
                let bad = vec![(named("poison".to_owned()), CONSTRAINT), (named(long), INDEX)];
                let place = format!("resource_spans[0].scope_spans[0].spans[{at}]");
                decide(place, good.encode_to_vec(), bad)
            }
            LOGS => {
                let good = record(&n.to_string());
                let ordered = LogRecord { attributes: vec![text("order", "the last one")], ..good.clone() };
                let bad =
                    vec![(record("poison").encode_to_vec(), CONSTRAINT), (ordered.encode_to_vec(), CAST)];
                let place = format!("resource_logs[0].scope_logs[0].log_records[{at}]");
                decide(place, good.encode_to_vec(), bad)
            }
            _ => {
                let place = format!("resource_metrics[0].scope_metrics[0].metrics[0].data_points[{at}]");
                let bad = point(now() + n, 666).encode_to_vec();
                decide(place, point(now() + n, 1).encode_to_vec(), vec![(bad, CONSTRAINT)])
            }
        })
        .collect();
    Case { body: request(method, &records), poison }
}

/// The records as a request, under the resource of a service.
fn request(method: &'static str, encoded: &[Vec<u8>]) -> Bytes {
    fn decoded<M: prost::Message + Default>(encoded: &[Vec<u8>]) -> Vec<M> {
        encoded.iter().map(|record| M::decode(&**record).unwrap()).collect()
    }
    match method {
        TRACES => spans("shop", decoded(encoded)).encode_to_vec().into(),
        LOGS => records("shop", decoded(encoded)).encode_to_vec().into(),
        _ => gauge("queue.length", decoded(encoded)).encode_to_vec().into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_a_hundred_is_found_and_its_neighbours_are_stored() {
    let (run, world) = (Run::of("records that PostgreSQL does not take"), World::new().await);
    let mut random = run.random(0);
    world.client.batch_execute(RULES).await.unwrap();
    let mut exporters = Vec::new();
    for _ in 0..CONNECTIONS {
        exporters.push(Caller::to(&world.daemon).await);
    }
    let requests = run.pick(20, 200);
    for (method, table) in [(TRACES, "trace_spans"), (LOGS, "logs"), (METRICS, "metric_data_points")] {
        let already = world.count("ingest_rejections").await;
        let cases: Vec<_> = (0..requests).map(|number| case(method, number, &mut random)).collect();
        let mut sending = JoinSet::new();
        for (number, case) in cases.iter().enumerate() {
            let (exporter, body) = (exporters[number % CONNECTIONS].clone(), case.body.clone());
            sending.spawn(async move { (number, exporter.send_until_taken(method, body).await) });
        }
        for (number, (refusals, answer)) in sending.join_all().await {
            let (partial, poison) = (answer.unwrap().unwrap_or_default(), &cases[number].poison);
            assert_eq!(usize::try_from(partial.rejected_spans).unwrap(), poison.len(), "{partial:?}");
            // If a first attempt was stored after its client was refused, the ledger still knows how many records were
            // rejected, but only the dead letters know which.
            let named = if refusals == 0 { 5 } else { 0 };
            for place in poison.keys().take(named) {
                assert!(partial.error_message.contains(&format!("{place}: ")), "{place}: {partial:?}");
            }
        }
        let poisoned: usize = cases.iter().map(|case| case.poison.len()).sum();
        let stored = cases.len() * REQUEST_RECORDS as usize - poisoned;
        assert_eq!(world.count(table).await, stored, "{table}");
        assert_eq!(world.count("ingest_rejections").await - already, poisoned);
        assert_dead_letters(&world, &cases).await;
        println!("{table}: {} requests at once, {stored} records stored, {poisoned} rejected", cases.len());
    }
    let counted = world.client.query_one("SELECT sum(span_count)::bigint FROM traces", &[]).await.unwrap();
    assert_eq!(usize::try_from(counted.get::<_, i64>(0)).unwrap(), world.count("trace_spans").await);
}

/// Every poison is kept under its place, with its reason, and its bytes are those that were sent.
async fn assert_dead_letters(world: &World, cases: &[Case]) {
    let letters = world.rejections().await;
    for (place, (record, reason)) in cases.iter().flat_map(|case| &case.poison) {
        let kept = letters
            .iter()
            .any(|((_, at), (why, kept))| at == place && kept == record && why.contains(reason));
        let reasons: Vec<_> =
            letters.iter().filter(|((_, at), _)| at == place).map(|(_, (why, _))| why).collect();
        assert!(kept, "{place} ({reason}) is not among the dead letters; those of this place: {reasons:?}");
    }
}

#[tokio::test]
async fn a_request_of_nothing_but_poison_keeps_some_of_it() {
    let world = World::new().await;
    world.client.batch_execute(RULES).await.unwrap();
    let poison = (1..=150).map(|id| Span { name: "poison".to_owned(), ..span(1, id) });
    let sent: Vec<_> = poison.chain([span(1, 1_000)]).collect();
    let body: Bytes = spans("shop", sent.clone()).encode_to_vec().into();
    let partial = world.exporter.send_until_taken(TRACES, body.clone()).await.1.unwrap().unwrap();
    assert_eq!(partial.rejected_spans, 150, "{partial:?}");
    let letters = world.rejections().await;
    assert_eq!(letters.len(), KEPT);
    for ((_, place), (_, record)) in &letters {
        let at: usize = place.split(['[', ']']).rev().nth(1).unwrap().parse().unwrap();
        assert_eq!(Span::decode(&**record).unwrap(), sent[at], "{place}");
    }
    // Sent again it is known: nothing is stored twice, and no letter is written twice.
    world.exporter.send_until_taken(TRACES, body).await.1.unwrap();
    assert_eq!(world.count("trace_spans").await, 1);
    assert_eq!(world.count("ingest_rejections").await, KEPT);
}
