//! Metrics: data points of the five kinds, and what stands beside them.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, SummaryDataPoint, exemplar,
};
use prost::Message as _;

use super::values::{named, text};
use super::wire::{double, field, fixed64, varint};
use super::{Seed, plain_point};

const GAUGE: u32 = 5;
const SUM: u32 = 7;
const HISTOGRAM: u32 = 9;
const EXPONENTIAL: u32 = 10;
const SUMMARY: u32 = 11;

/// A metric with these encoded points, and the fields `beside` them.
fn metric(kind: u32, points: &[Vec<u8>], beside: &[u8]) -> Vec<u8> {
    let points: Vec<_> = points.iter().map(|point| field(1, point)).collect();
    [
        field(1, b"requests"),
        field(2, b"how many"),
        field(3, b"1"),
        field(kind, &[&points.concat(), beside].concat()),
    ]
    .concat()
}

pub(super) fn metrics() -> Vec<Seed> {
    [numbers(), histograms(), others(), broken()].concat()
}

fn numbers() -> Vec<Seed> {
    let plain = plain_point().encode_to_vec();
    let sampled = Exemplar {
        time_unix_nano: 2,
        span_id: vec![1; 8],
        trace_id: vec![2; 3],
        value: Some(exemplar::Value::AsDouble(-0.0)),
        ..Exemplar::default()
    };
    let with = |more: &[u8]| [plain.clone(), more.to_vec()].concat();
    let valueless = fixed64(3, 1);
    let (delta, cumulative) = (varint(2, 1), [varint(2, 2), varint(3, 1)].concat());
    vec![
        ("gauge", metric(GAUGE, &[plain.clone(), with(&double(4, 0.5))], &[])),
        ("sum", metric(SUM, std::slice::from_ref(&plain), &cumulative)),
        ("sum-of-unknown-temporality", metric(SUM, std::slice::from_ref(&plain), &varint(2, 99))),
        ("sum-of-doubles", metric(SUM, &[[valueless.clone(), double(4, f64::NAN)].concat()], &delta)),
        ("point-without-time", metric(GAUGE, &[fixed64(6, 1)], &[])),
        ("point-without-value", metric(GAUGE, std::slice::from_ref(&valueless), &[])),
        ("point-that-went-stale", metric(GAUGE, &[[valueless, varint(8, 1)].concat()], &[])),
        ("points-of-one-stream", metric(GAUGE, &[plain.clone(), plain.clone()], &[])),
        ("exemplar", metric(GAUGE, &[with(&field(5, &sampled.encode_to_vec()))], &[])),
        ("exemplars-empty", metric(GAUGE, &[with(&[field(5, b""), field(5, b"")].concat())], &[])),
        (
            "exemplar-with-attributes",
            metric(GAUGE, &[with(&field(5, &field(7, &named(b"k", &text(b"\0\xff")))))], &[]),
        ),
    ]
}

fn histograms() -> Vec<Seed> {
    let plain = HistogramDataPoint {
        time_unix_nano: 1,
        count: u64::MAX,
        sum: Some(-0.0),
        min: Some(f64::NEG_INFINITY),
        max: None,
        bucket_counts: vec![1, u64::MAX],
        explicit_bounds: vec![0.5],
        ..HistogramDataPoint::default()
    };
    let uneven = HistogramDataPoint { explicit_bounds: vec![], ..plain.clone() };
    let unpacked = [fixed64(3, 1), fixed64(6, 1), double(7, 0.5), fixed64(6, 2)].concat();
    let many: Vec<_> = (0..9_u8).flat_map(|n| [fixed64(6, n.into()), double(7, n.into())].concat()).collect();
    let many_unpacked = [fixed64(3, 1), many, fixed64(6, 9)].concat();
    let buckets = |offset, bucket_counts| Some(Buckets { offset, bucket_counts });
    let exponential = ExponentialHistogramDataPoint {
        time_unix_nano: 1,
        scale: i32::MIN,
        zero_count: 1,
        zero_threshold: 0.1,
        positive: buckets(-3, vec![1, 300, u64::MAX]),
        negative: buckets(0, vec![]),
        ..ExponentialHistogramDataPoint::default()
    };
    let exponential = exponential.encode_to_vec();
    let again =
        [exponential.clone(), field(8, &[varint(1, 1), varint(2, 7), varint(2, 8)].concat())].concat();
    vec![
        ("histogram", metric(HISTOGRAM, &[plain.encode_to_vec()], &varint(2, 1))),
        ("histogram-of-nothing", metric(HISTOGRAM, &[fixed64(3, 1)], &[])),
        ("histogram-unpacked", metric(HISTOGRAM, &[unpacked], &[])),
        ("histogram-unpacked-over-the-limit", metric(HISTOGRAM, &[many_unpacked], &[])),
        ("histogram-uneven", metric(HISTOGRAM, &[uneven.encode_to_vec()], &[])),
        ("histogram-packed-to-half-a-number", metric(HISTOGRAM, &[field(6, b"1234")], &[])),
        ("exponential", metric(EXPONENTIAL, &[exponential], &varint(2, 2))),
        ("exponential-buckets-twice-unpacked", metric(EXPONENTIAL, &[again], &[])),
        ("exponential-packed-to-half-a-number", metric(EXPONENTIAL, &[field(8, &field(2, b"\x80"))], &[])),
    ]
}

fn others() -> Vec<Seed> {
    let summary = SummaryDataPoint {
        time_unix_nano: 1,
        count: 2,
        sum: 3.5,
        quantile_values: vec![ValueAtQuantile { quantile: 0.5, value: 1.0 }, ValueAtQuantile::default()],
        ..SummaryDataPoint::default()
    };
    let gauge = metric(GAUGE, &[plain_point().encode_to_vec()], &[]);
    let metadata = field(12, &named(b"k", &text(b"\0")));
    vec![
        ("summary", metric(SUMMARY, &[summary.encode_to_vec()], &[])),
        ("metric-without-data", field(1, b"requests")),
        ("metric-without-points", metric(SUM, &[], &varint(2, 1))),
        ("metric-with-metadata", [gauge.clone(), metadata].concat()),
        (
            "metric-of-two-kinds",
            [gauge.clone(), metric(SUMMARY, &[fixed64(3, 1), fixed64(3, 2)], &[])].concat(),
        ),
        ("metric-twice", [gauge.clone(), gauge.clone()].concat()),
        ("metric-name-not-utf8", [gauge, field(1, b"\xff\0")].concat()),
    ]
}

/// Metrics that break off, each at another place: the records in them are counted all the same.
fn broken() -> Vec<Seed> {
    let plain = plain_point().encode_to_vec();
    let two = [plain.clone(), plain];
    vec![
        ("gauge-breaks-off-after-two", metric(GAUGE, &two, b"\x0a\x05abc")),
        ("sum-breaks-off-after-two", metric(SUM, &two, b"\x0a\x05abc")),
        ("point-breaks-off", metric(GAUGE, &[two[0].clone(), b"\x0a\x05abc".to_vec(), two[1].clone()], &[])),
        ("point-of-another-wire-type", metric(GAUGE, &two, &varint(1, 1))),
        ("temporality-of-another-wire-type", metric(SUM, &two, &field(2, b""))),
        ("metadata-breaks-off", [metric(GAUGE, &two, &[]), field(12, b"\x0a\x05abc")].concat()),
        ("metadata-breaks-off-without-points", field(12, b"\x0a\x05abc")),
        ("metric-breaks-off", [metric(GAUGE, &two, &[]), b"\x0a\x05abc".to_vec()].concat()),
        ("name-of-another-wire-type", [metric(GAUGE, &two, &[]), varint(1, 1)].concat()),
    ]
}
