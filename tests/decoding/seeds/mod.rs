//! Small requests from which a fuzz target sets out: each shows one thing that decoding must know.

mod groups;
mod points;
mod records;
mod values;
mod wire;

use harness::raw::{field, request};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// A name, and bytes.
type Seed = (&'static str, Vec<u8>);

/// The seeds of a target: `traces`, `metrics` or `logs`.
pub(crate) fn of(target: &str) -> Vec<Seed> {
    let own = match target {
        "traces" => records::spans(),
        "metrics" => points::metrics(),
        _ => records::logs(),
    };
    let own = own.into_iter().map(|(name, item)| (name, request(&[item])));
    let values = values::attributes().into_iter();
    let values = values.map(|(name, attributes)| (name, request(&[with_attributes(target, &attributes)])));
    own.chain(values).chain(groups::requests(&with_attributes(target, &[]))).collect()
}

/// A plain item of a target, with fields of type `KeyValue` that hold these bytes.
fn with_attributes(target: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let (number, plain) = match target {
        "traces" => (9, plain_span().encode_to_vec()),
        "metrics" => (7, plain_point().encode_to_vec()),
        _ => (6, LogRecord { time_unix_nano: 1, ..LogRecord::default() }.encode_to_vec()),
    };
    let attributes: Vec<_> = attributes.iter().map(|attribute| field(number, attribute)).collect();
    let record = [plain, attributes.concat()].concat();
    if target == "metrics" { field(5, &field(1, &record)) } else { record }
}

fn plain_span() -> Span {
    Span { trace_id: vec![1; 16], span_id: vec![2; 8], start_time_unix_nano: 1, ..Span::default() }
}

fn plain_point() -> NumberDataPoint {
    NumberDataPoint { time_unix_nano: 1, value: Some(Value::AsInt(7)), ..NumberDataPoint::default() }
}
