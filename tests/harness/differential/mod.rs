//! Our decoding of OTLP beside prost's, which is slower, stricter, and right.
//!
//! [`traces`], [`metrics`] and [`logs`] take any bytes and panic at the first mistake. They check of all bytes:
//!
//! * decoding does not panic, and refuses no request that prost decodes;
//! * decoding returns or rejects every record that it counted, within the limits;
//! * PostgreSQL can store every text and every JSON;
//! * the place and the range that decoding names for a record hold that record.
//!
//! And of the [`normal_form`](normal_form::normal_form) of a request:
//!
//! * if prost decodes it, our rows hold the same records after a way through jsonb, to the last attribute, and decoding
//!   rejects only records that OTLP or our limits forbid;
//! * if prost does not decode it, our decoding refuses the request or rejects a record.

mod columns;
mod log;
mod metric;
pub mod normal_form;
mod trace;

use std::collections::BTreeMap;

use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_ingest::OtlpSignal;
use llm_observatory_ingest::decode::{Decoded, Decoder, Limits, Rejections, Undecodable};
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::{ResourceRow, ScopeRow};
use llm_observatory_storage::writers::{Batch, LogBatch, MetricBatch, TraceBatch};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use prost::bytes::Bytes;

use columns::{Columns, through_jsonb};
use normal_form::{Shape, normal_form};

use crate::raw;

/// Checks a request of TraceService.
pub fn traces(request: &[u8]) {
    check::<TraceBatch>(request);
}

/// Checks a request of MetricsService.
pub fn metrics(request: &[u8]) {
    check::<MetricBatch>(request);
}

/// Checks a request of LogsService.
pub fn logs(request: &[u8]) {
    check::<LogBatch>(request);
}

/// Limits that no request reaches.
const GENEROUS: Limits =
    Limits { max_record_elements: usize::MAX / 2, allowance: usize::MAX, kept_rejections: usize::MAX };

/// Limits that most requests reach.
const TIGHT: Limits = Limits { max_record_elements: 5, allowance: usize::MAX, kept_rejections: 2 };

/// What a byte of invalid UTF-8 becomes at most. Texts that were mended are not weighed: all others are slices of the request.
const MENDED_BYTES: usize = 3;

/// The moment at which every request is received.
const RECEIVED: UnixNanos = UnixNanos(1);

/// A record by its place: told as a text when it is valid, or the name of the reason for which it is rejected.
type Told = BTreeMap<String, Result<String, &'static str>>;

/// The differences between the signals that the check needs.
trait Compared: OtlpSignal {
    /// The request in OTLP's types.
    type Otlp: Message + Default;
    /// Its shape on the wire.
    const SHAPE: &'static Shape;

    /// Every record of a request, with all that it belongs to.
    fn theirs(request: &Self::Otlp) -> Told;

    /// Every record of a batch, as OTLP, in the same words.
    fn ours(batch: &Self) -> Vec<String>;

    /// Shows every column of a batch.
    fn show(batch: &Self, columns: &mut Columns);

    /// Attributes, events, links, buckets and nested values of a record, weighed at the least.
    fn elements(record: &Self::Record) -> usize;

    /// The n-th record of a batch without what its group gave it.
    fn bare(batch: &Self, n: usize) -> String;

    /// The encoded record as an item of a scope group: for a data point, within a metric of its kind.
    fn item(batch: &Self, n: usize, record: &[u8]) -> Vec<u8>;
}

fn check<S: Compared>(request: &[u8]) {
    let request = Bytes::copy_from_slice(request);
    let census = S::census(&request);
    let decoded = decode::<S>(&request, GENEROUS);
    let is_valid = S::Otlp::decode(&*request).is_ok();
    if is_valid {
        census.expect("prost decodes it");
        decoded.as_ref().expect("prost decodes it");
    }
    let (Ok(census), Ok(decoded)) = (census, decoded) else {
        return;
    };
    assert_eq!(decoded.batch.records().len(), decoded.sources.len());
    assert_eq!(census.records, accounted(&decoded), "records counted, and decoded or rejected");

    let mut columns = Columns::of(&request);
    S::show(&decoded.batch, &mut columns);
    sources_hold_their_records::<S>(&request, &decoded);
    compare::<S>(&request, is_valid, &decoded);
    limits_are_kept::<S>(&request, census.records, columns.held);
}

fn decode<S: OtlpSignal>(request: &Bytes, limits: Limits) -> Result<Decoded<S>, Undecodable> {
    S::decode(Decoder::new(request, ProjectId::DEFAULT, uuid::Uuid::nil(), RECEIVED, limits))
}

fn accounted<B: Batch>(decoded: &Decoded<B>) -> u64 {
    decoded.batch.records().len() as u64 + decoded.rejections.count()
}

/// Each record, cut out of the request and decoded alone, is the same record.
fn sources_hold_their_records<S: Compared>(request: &Bytes, decoded: &Decoded<S>) {
    for (n, source) in decoded.sources.iter().enumerate() {
        let item = S::item(&decoded.batch, n, &request[source.range()]);
        let alone = raw::request(&[item]);
        let alone = decode::<S>(&Bytes::from(alone), GENEROUS).expect("a record alone");
        assert_eq!(
            S::bare(&alone.batch, 0),
            S::bare(&decoded.batch, n),
            "{}",
            source.place().named(S::LEVELS)
        );
    }
    for letter in decoded.rejections.letters() {
        assert!(letter.record.is_empty() || request.as_ptr_range().contains(&letter.record.as_ptr()));
    }
}

/// Our records are those that prost sees.
fn compare<S: Compared>(request: &[u8], is_valid: bool, decoded: &Decoded<S>) {
    let normal_form = normal_form(request, S::SHAPE);
    let Some(theirs) = normal_form.and_then(|form| S::Otlp::decode(&*form).ok()) else {
        assert!(!is_valid, "what prost decodes has a normal form");
        let Rejections { empty_metrics, .. } = decoded.rejections;
        let told = decoded.rejections.count() + empty_metrics > 0;
        assert!(told || has_group_without_records(request), "something of it is no protobuf");
        return;
    };
    let theirs = S::theirs(&theirs);
    let places = decoded.sources.iter().map(|source| source.place().named(S::LEVELS));
    for (place, ours) in places.zip(S::ours(&decoded.batch)) {
        match &theirs[&place] {
            Ok(theirs) => assert_eq!(ours, *theirs, "{place}"),
            Err(reason) => panic!("{place} should have been rejected: {reason}"),
        }
    }
    // In what prost refuses, a record may be rejected for what its normal form lacks.
    if is_valid {
        assert_eq!(theirs.len() as u64, accounted(decoded), "records");
        for letter in decoded.rejections.letters() {
            assert_eq!(theirs[&letter.place], Err(letter.reason.name()), "{}", letter.place);
        }
    }
}

/// The parts of a message that are messages of groups or records, whether or not those can be read.
#[derive(Clone, PartialEq, prost::Message)]
struct Parts {
    #[prost(bytes = "vec", repeated, tag = "1")]
    groups: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    items: Vec<Vec<u8>>,
}

/// Whether some resource or scope of the request comes with no record: if it can't be read, nothing is lost with it.
fn has_group_without_records(request: &[u8]) -> bool {
    let items = |message: &[u8]| Parts::decode(message).map(|parts| parts.items).unwrap_or_default();
    let is_empty =
        |group: &Vec<u8>| items(group).is_empty() || items(group).iter().any(|scope| items(scope).is_empty());
    // What has a field of another wire type at the top is not ours to read either.
    Parts::decode(request).map_or(true, |parts| parts.groups.iter().any(is_empty))
}

fn limits_are_kept<S: Compared>(request: &Bytes, records: u64, held: usize) {
    // A resource or scope may reach the limit, and then decoding refuses its request.
    if let Ok(decoded) = decode::<S>(request, TIGHT) {
        assert_eq!(accounted(&decoded), records, "records counted, and decoded or rejected");
        assert!(decoded.rejections.letters().len() <= TIGHT.kept_rejections);
        for record in decoded.batch.records() {
            assert!(S::elements(record) <= TIGHT.max_record_elements, "{}", S::elements(record));
        }
    }
    let allowance = held / 2;
    match decode::<S>(request, Limits { allowance, ..GENEROUS }) {
        Ok(_) => {
            assert!(held <= allowance + MENDED_BYTES * request.len(), "{held} bytes for {allowance}")
        }
        Err(error) => assert_eq!(error, Undecodable::Outgrown),
    }
}

/// An attribute list as it comes back from its columns, of which one is a text.
fn attributes(columns: &Attributes) -> Vec<KeyValue> {
    Attributes::decode(&columns.json, Some(&columns.layout)).expect("columns that were written")
}

/// An attribute list of a dictionary row, as it comes back from its columns, of which one is jsonb.
fn attributes_of_jsonb(columns: &Attributes) -> Vec<KeyValue> {
    Attributes::decode(&through_jsonb(&columns.json), Some(&columns.layout))
        .expect("columns that were written")
}

/// Where a record comes from.
#[derive(Debug, Clone, Default)]
struct Origin {
    resource: Resource,
    resource_schema_url: String,
    scope: InstrumentationScope,
    scope_schema_url: String,
}

impl Origin {
    /// The origin that these rows tell.
    fn of(resources: &[ResourceRow], resource: ResourceId, scopes: &[ScopeRow], scope: ScopeId) -> Self {
        let resource = resources.iter().find(|row| row.id == resource).expect("a resource that has its row");
        let scope = scopes.iter().find(|row| row.id == scope).expect("a scope that has its row");
        let entities = Resource::decode(&*resource.entity_refs).expect("entity references that were written");
        Self {
            resource: Resource {
                attributes: attributes_of_jsonb(&resource.attributes),
                dropped_attributes_count: resource.dropped_attributes_count,
                entity_refs: entities.entity_refs,
            },
            resource_schema_url: resource.schema_url.to_string(),
            scope: InstrumentationScope {
                name: scope.name.to_string(),
                version: scope.version.to_string(),
                attributes: attributes_of_jsonb(&scope.attributes),
                dropped_attributes_count: scope.dropped_attributes_count,
            },
            scope_schema_url: scope.schema_url.to_string(),
        }
    }
}
