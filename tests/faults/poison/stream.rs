//! Many requests at once with one strange record in each. The daemon mends and stores a record if it can; otherwise it
//! rejects that record alone, names it in the answer and keeps it as a dead letter.

use bytes::Bytes;
use harness::raw::{self, LOGS, METRICS, TRACES};
use harness::telemetry::{attribute, now, point, record, span, text};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::task::JoinSet;

use super::{World, long};
use crate::run::{Random, Run};

const NEIGHBOURS: usize = 9;
const MIB: usize = 1 << 20;

/// What the daemon must do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Stored,
    Rejected(&'static str),
}

use Expected::{Rejected, Stored};

/// An encoded record that no SDK would send.
struct Poison {
    what: &'static str,
    record: Vec<u8>,
    expected: Expected,
}

/// What sets the signals apart in this test.
struct Signal {
    method: &'static str,
    table: &'static str,
    place: &'static str,
    good: fn(u64) -> Vec<u8>,
    poison: fn(u64, &mut Random) -> Vec<Poison>,
}

const SIGNALS: [Signal; 3] = [
    Signal {
        method: TRACES,
        table: "trace_spans",
        place: "resource_spans[0].scope_spans[0].spans",
        good: |n| span(n.into(), n).encode_to_vec(),
        poison: spans,
    },
    Signal {
        method: LOGS,
        table: "logs",
        place: "resource_logs[0].scope_logs[0].log_records",
        good: |n| record(&n.to_string()).encode_to_vec(),
        poison: logs,
    },
    Signal {
        method: METRICS,
        table: "metric_data_points",
        place: "resource_metrics[0].scope_metrics[0].metrics",
        good: |n| gauge(format!("gauge {n}").as_bytes(), &point(now(), 1).encode_to_vec()),
        poison: points,
    },
];

fn deep(levels: usize) -> Value {
    let innermost = Value::StringValue("treasure".to_owned());
    (0..levels).fold(innermost, |inner, _| {
        Value::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(inner) }] })
    })
}

/// Half a surrogate pair, as JSON writes it: jsonb takes no such string.
const LONE_SURROGATE: &str = r#"[{"role":"user","content":"half \ud83d of a pair, \u0000 and \udc00"}]"#;

/// Values that JSON or PostgreSQL can't express as they are.
fn strange_values(random: &mut Random) -> Vec<(&'static str, Value)> {
    vec![
        ("NaN", Value::DoubleValue(f64::NAN)),
        ("Infinity", Value::DoubleValue(f64::INFINITY)),
        ("minus Infinity", Value::DoubleValue(f64::NEG_INFINITY)),
        ("NUL in a value", Value::StringValue("a\0b".to_owned())),
        ("a lone surrogate", Value::StringValue(LONE_SURROGATE.to_owned())),
        ("a value 130 deep", deep(130)),
        ("a value 1000 deep", deep(1000)),
        ("a value of 3 kB", Value::StringValue(long(3_000, random))),
        ("a value of 10 MB", Value::StringValue("x".repeat(10 * MIB))),
    ]
}

fn spans(n: u64, random: &mut Random) -> Vec<Poison> {
    let span = || span(n.into(), n);
    let id = |trace_id: &[u8], span_id: &[u8]| {
        Span { trace_id: trace_id.to_vec(), span_id: span_id.to_vec(), ..span() }.encode_to_vec()
    };
    let named = |name: &[u8]| [span().encode_to_vec(), raw::field(5, name)].concat();
    let with =
        |key: &str, value: Value| Span { attributes: vec![attribute(key, value)], ..span() }.encode_to_vec();
    let (whole, long_name) = (span().encode_to_vec(), long(3_000, random));
    let poison = |what, record, expected| Poison { what, record, expected };
    let mut all = vec![
        poison("invalid UTF-8 in a name", named(b"caf\xe9 \xff"), Stored),
        poison("NUL in a name", named(b"a\0b"), Stored),
        poison("a name of 3 kB", named(long_name.as_bytes()), Stored),
        poison("a trace id that is absent", id(&[], &[1; 8]), Rejected("trace_id must be")),
        poison("a trace id of 15 bytes", id(&[1; 15], &[1; 8]), Rejected("trace_id must be")),
        poison("a trace id of zeros", id(&[0; 16], &[1; 8]), Rejected("trace_id must be")),
        poison("a span id of 9 bytes", id(&[1; 16], &[1; 9]), Rejected("span_id must be")),
        poison("a span id of zeros", id(&[1; 16], &[0; 8]), Rejected("span_id must be")),
        poison("half a span", whole[..whole.len() - 3].to_vec(), Rejected("ends within a field")),
        poison("a model of 3 kB", with("gen_ai.request.model", text_value(&long_name)), Stored),
        poison(
            "lone surrogates in messages",
            with("gen_ai.input.messages", text_value(LONE_SURROGATE)),
            Stored,
        ),
        poison("NaN tokens", with("gen_ai.usage.input_tokens", Value::DoubleValue(f64::NAN)), Stored),
    ];
    let strange = strange_values(random).into_iter();
    all.extend(strange.map(|(what, value)| poison(what, with("strange", value), Stored)));
    all
}

fn logs(n: u64, random: &mut Random) -> Vec<Poison> {
    let record = || record(&n.to_string());
    let (whole, long_name) = (record().encode_to_vec(), long(3_000, random));
    let poison = |what, record, expected| Poison { what, record, expected };
    let body = |value| AnyValue { value: Some(value) };
    let mut all = vec![
        poison("half a record", whole[..whole.len() - 1].to_vec(), Rejected("ends within a field")),
        poison("a trace id of 3 bytes", [&whole[..], &raw::field(9, &[1; 3])].concat(), Stored),
        poison("invalid UTF-8 in severity_text", [&whole[..], &raw::field(3, b"\xff")].concat(), Stored),
        poison("NUL in severity_text", [&whole[..], &raw::field(3, b"\0")].concat(), Stored),
        poison("an event name of 3 kB", [&whole[..], &raw::field(12, long_name.as_bytes())].concat(), Stored),
    ];
    let strange = strange_values(random).into_iter();
    all.extend(strange.map(|(what, value)| {
        let mut record = record();
        record.body = Some(body(value));
        poison(what, record.encode_to_vec(), Stored)
    }));
    all
}

fn points(n: u64, random: &mut Random) -> Vec<Poison> {
    let name = format!("gauge {n}");
    let of_point = |point: &[u8]| gauge(name.as_bytes(), point);
    let double = |value: f64| {
        // The field as_double, which the protocol numbers 4.
        let mut point = opentelemetry_proto::tonic::metrics::v1::NumberDataPoint {
            time_unix_nano: now(),
            ..Default::default()
        }
        .encode_to_vec();
        prost::encoding::double::encode(4, &value, &mut point);
        of_point(&point)
    };
    let whole = point(now(), 1).encode_to_vec();
    let named = |name: &[u8]| gauge(name, &whole);
    let poison = |what, record, expected| Poison { what, record, expected };
    let mut half = of_point(&whole);
    half.pop();
    let mut strange = point(now(), 1);
    strange.attributes = vec![attribute("strange", deep(130)), text("NUL", "a\0b")];
    vec![
        poison("NaN", double(f64::NAN), Stored),
        poison("Infinity", double(f64::INFINITY), Stored),
        poison("a metric name of 3 kB", named(long(3_000, random).as_bytes()), Stored),
        poison("invalid UTF-8 in a name", named(b"caf\xe9"), Stored),
        poison("strange attributes", of_point(&strange.encode_to_vec()), Stored),
        poison("no time", of_point(&point(0, 1).encode_to_vec()), Rejected("needs time_unix_nano")),
        poison("no value", of_point(&whole[..9]), Rejected("needs a value")),
        poison("half a metric", half, Rejected("ends within a field")),
    ]
}

fn text_value(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

/// A metric of one gauge with one point, each of them encoded.
fn gauge(name: &[u8], point: &[u8]) -> Vec<u8> {
    [raw::field(1, name), raw::field(5, &raw::field(1, point))].concat()
}

/// A request with one strange record among good ones, and the place of that record.
struct Case {
    body: Bytes,
    poison: Poison,
    at: usize,
}

impl Signal {
    /// Each poison once or more, in a chosen order and at chosen places.
    fn cases(&self, run: Run, random: &mut Random) -> Vec<Case> {
        let mut cases = Vec::new();
        for round in 0..run.pick(1, 5_u64) {
            let kinds = (self.poison)(u64::MAX - round * 1_000, random).len();
            for kind in 0..kinds {
                let number = (round * 1_000 + kind as u64) * 100 + 1;
                let poison = (self.poison)(number, random).swap_remove(kind);
                let mut records: Vec<_> = (1..=NEIGHBOURS as u64).map(|n| (self.good)(number + n)).collect();
                let at = random.within(0..records.len() as u64 + 1) as usize;
                records.insert(at, poison.record.clone());
                cases.push(Case { body: raw::request(&records).into(), poison, at });
            }
        }
        random.shuffle(&mut cases);
        cases
    }

    fn place(&self, case: &Case) -> String {
        let at = format!("{}[{}]", self.place, case.at);
        match case.poison.what {
            // Of a metric its points are the records.
            "no time" | "no value" => format!("{at}.data_points[0]"),
            _ => at,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_neighbour_is_stored_and_every_poison_is_named() {
    let (run, world) = (Run::of("poison in a stream"), World::new().await);
    let mut random = run.random(0);
    for signal in &SIGNALS {
        let cases = signal.cases(run, &mut random);
        let mut sending = JoinSet::new();
        for (number, case) in cases.iter().enumerate() {
            let (exporter, method, body) = (world.exporter.clone(), signal.method, case.body.clone());
            sending.spawn(async move { (number, exporter.send_until_taken(method, body).await.1) });
        }
        let mut rejected = Vec::new();
        for (number, answer) in sending.join_all().await {
            let (case, what) = (&cases[number], cases[number].poison.what);
            let partial = answer.unwrap_or_else(|status| panic!("{what}: {status:?}")).unwrap_or_default();
            let (place, message) = (signal.place(case), &partial.error_message);
            match case.poison.expected {
                Stored => assert_eq!(partial.rejected_spans, 0, "{what}: {message}"),
                Rejected(reason) => {
                    assert_eq!(partial.rejected_spans, 1, "{what}: {message}");
                    assert!(
                        message.starts_with(&format!("{place}: ")) && message.contains(reason),
                        "{what}: {message}"
                    );
                    rejected.push((place, reason, case));
                }
            }
        }
        let stored = cases.len() * (NEIGHBOURS + 1) - rejected.len();
        assert_eq!(world.count(signal.table).await, stored, "{}", signal.table);
        let letters = world.rejections().await;
        for (place, reason, case) in &rejected {
            let kept = letters.iter().any(|((_, at), (why, record))| {
                at == place && why.contains(reason) && case.poison.record.ends_with(record)
            });
            assert!(kept, "no dead letter of {}, at {place}", case.poison.what);
        }
        println!(
            "{}: {} requests of {} records, {stored} stored, {} rejected by name",
            signal.table,
            cases.len(),
            NEIGHBOURS + 1,
            rejected.len()
        );
        // The daemon is as well as before.
        let fresh = raw::request(&[(signal.good)(u64::MAX)]);
        assert_eq!(world.exporter.send(signal.method, fresh.into()).await.unwrap(), None);
    }
}
