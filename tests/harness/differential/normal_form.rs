//! A request as the list of differences in ARCHITECTURE.md leaves it, still on the wire: what prost reads of this is what
//! we must have read of the original.
//!
//! * Of a message or oneof that stands twice where one belongs, the last occurrence is left.
//! * Invalid UTF-8 is U+FFFD.
//! * A value that nests more than 84 messages is the mark that it was cut.
//! * The fields that belong to profiles are gone.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::raw::field;

/// How many messages a value may nest.
const MAX_DEPTH: u32 = 84;

/// The fields of a kind of message that its normal form changes.
#[derive(Debug)]
pub struct Shape {
    /// The fields to change or to look into, by their numbers.
    parts: &'static [(u32, Part)],
    /// Groups of fields of which there may be one: oneofs, and messages that are not repeated.
    single: &'static [&'static [u32]],
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Text,
    Message(&'static Shape),
    /// A list or a map: one more level of a value, and the number of messages that this level nests.
    Nested(&'static Shape, u32),
    Dropped,
}

use Part::{Dropped, Message, Nested, Text};

const fn shape(parts: &'static [(u32, Part)], single: &'static [&'static [u32]]) -> Shape {
    Shape { parts, single }
}

/// `ExportTraceServiceRequest`.
pub static TRACES: Shape = shape(&[(1, Message(&RESOURCE_SPANS))], &[]);
/// `ExportMetricsServiceRequest`.
pub static METRICS: Shape = shape(&[(1, Message(&RESOURCE_METRICS))], &[]);
/// `ExportLogsServiceRequest`.
pub static LOGS: Shape = shape(&[(1, Message(&RESOURCE_LOGS))], &[]);

static RESOURCE_SPANS: Shape =
    shape(&[(1, Message(&RESOURCE)), (2, Message(&SCOPE_SPANS)), (3, Text)], &[&[1]]);
static RESOURCE_METRICS: Shape =
    shape(&[(1, Message(&RESOURCE)), (2, Message(&SCOPE_METRICS)), (3, Text)], &[&[1]]);
static RESOURCE_LOGS: Shape =
    shape(&[(1, Message(&RESOURCE)), (2, Message(&SCOPE_LOGS)), (3, Text)], &[&[1]]);
static SCOPE_SPANS: Shape = shape(&[(1, Message(&SCOPE)), (2, Message(&SPAN)), (3, Text)], &[&[1]]);
static SCOPE_METRICS: Shape = shape(&[(1, Message(&SCOPE)), (2, Message(&METRIC)), (3, Text)], &[&[1]]);
static SCOPE_LOGS: Shape = shape(&[(1, Message(&SCOPE)), (2, Message(&LOG_RECORD)), (3, Text)], &[&[1]]);
static RESOURCE: Shape = shape(&[(1, Message(&KEY_VALUE)), (3, Message(&ENTITY_REF))], &[]);
static ENTITY_REF: Shape = shape(&[(1, Text), (2, Text), (3, Text), (4, Text)], &[]);
static SCOPE: Shape = shape(&[(1, Text), (2, Text), (3, Message(&KEY_VALUE))], &[]);

static KEY_VALUE: Shape = shape(&[(1, Text), (2, Message(&ANY_VALUE)), (3, Dropped)], &[&[2]]);
static ANY_VALUE: Shape = shape(
    &[(1, Text), (5, Nested(&ARRAY_VALUE, 2)), (6, Nested(&KEY_VALUE_LIST, 3)), (8, Dropped)],
    &[&[1, 2, 3, 4, 5, 6, 7]],
);
static ARRAY_VALUE: Shape = shape(&[(1, Message(&ANY_VALUE))], &[]);
static KEY_VALUE_LIST: Shape = shape(&[(1, Message(&KEY_VALUE))], &[]);

static SPAN: Shape = shape(
    &[
        (3, Text),
        (5, Text),
        (9, Message(&KEY_VALUE)),
        (11, Message(&EVENT)),
        (13, Message(&LINK)),
        (15, Message(&STATUS)),
    ],
    &[&[15]],
);
static EVENT: Shape = shape(&[(2, Text), (3, Message(&KEY_VALUE))], &[]);
static LINK: Shape = shape(&[(3, Text), (4, Message(&KEY_VALUE))], &[]);
static STATUS: Shape = shape(&[(2, Text)], &[]);

static LOG_RECORD: Shape =
    shape(&[(3, Text), (5, Message(&ANY_VALUE)), (6, Message(&KEY_VALUE)), (12, Text)], &[&[5]]);

static METRIC: Shape = shape(
    &[
        (1, Text),
        (2, Text),
        (3, Text),
        (5, Message(&GAUGE_OR_SUM)),
        (7, Message(&GAUGE_OR_SUM)),
        (9, Message(&HISTOGRAM)),
        (10, Message(&EXPONENTIAL_HISTOGRAM)),
        (11, Message(&SUMMARY)),
        (12, Message(&KEY_VALUE)),
    ],
    &[&[5, 7, 9, 10, 11]],
);
static GAUGE_OR_SUM: Shape = shape(&[(1, Message(&NUMBER_POINT))], &[]);
static HISTOGRAM: Shape = shape(&[(1, Message(&HISTOGRAM_POINT))], &[]);
static EXPONENTIAL_HISTOGRAM: Shape = shape(&[(1, Message(&EXPONENTIAL_POINT))], &[]);
static SUMMARY: Shape = shape(&[(1, Message(&SUMMARY_POINT))], &[]);
static NUMBER_POINT: Shape = shape(&[(5, Message(&EXEMPLAR)), (7, Message(&KEY_VALUE))], &[]);
static HISTOGRAM_POINT: Shape = shape(&[(8, Message(&EXEMPLAR)), (9, Message(&KEY_VALUE))], &[]);
static EXPONENTIAL_POINT: Shape = shape(&[(1, Message(&KEY_VALUE)), (11, Message(&EXEMPLAR))], &[&[8], &[9]]);
static SUMMARY_POINT: Shape = shape(&[(7, Message(&KEY_VALUE))], &[]);
static EXEMPLAR: Shape = shape(&[(7, Message(&KEY_VALUE))], &[]);

/// The normal form of a request; `None` when it is not protobuf.
pub fn normal_form(request: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    rewrite(request, shape, MAX_DEPTH)
}

fn rewrite(message: &[u8], shape: &Shape, room: u32) -> Option<Vec<u8>> {
    let fields = split(message)?;
    let mut form = Vec::with_capacity(message.len());
    for (n, Field { number, whole, content }) in fields.iter().enumerate() {
        if shape.is_superseded(*number, &fields[n + 1..]) {
            continue;
        }
        match (shape.part(*number), content) {
            (Some(Dropped), _) => {}
            (Some(Text), Some(text)) => form.extend(field(*number, String::from_utf8_lossy(text).as_bytes())),
            (Some(Message(shape)), Some(inner)) => form.extend(field(*number, &rewrite(inner, shape, room)?)),
            (Some(Nested(shape, cost)), Some(inner)) => match room.checked_sub(cost) {
                Some(room) => form.extend(field(*number, &rewrite(inner, shape, room)?)),
                None => form.extend(field(1, cut(inner.len()).as_bytes())),
            },
            // A part that has another wire type stays, for prost to refuse.
            (None, _) | (_, None) => form.extend_from_slice(whole),
        }
    }
    Some(form)
}

fn cut(bytes: usize) -> String {
    format!("<cut: {bytes} bytes nested deeper than {MAX_DEPTH} messages>")
}

impl Shape {
    fn part(&self, number: u32) -> Option<Part> {
        self.parts.iter().find(|(known, _)| *known == number).map(|(_, part)| *part)
    }

    /// Whether a later field takes the place of this one.
    fn is_superseded(&self, number: u32, later: &[Field<'_>]) -> bool {
        let group = self.single.iter().find(|group| group.contains(&number));
        group.is_some_and(|group| later.iter().rev().any(|other| group.contains(&other.number)))
    }
}

/// One field of a message.
struct Field<'a> {
    number: u32,
    /// With its key.
    whole: &'a [u8],
    /// What a length-delimited field holds.
    content: Option<&'a [u8]>,
}

fn split(message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let (number, wire_type) = decode_key(&mut rest).ok()?;
        let mut content = None;
        if wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            let (taken, after) = rest.split_at_checked(length)?;
            (content, rest) = (Some(taken), after);
        } else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default()).ok()?;
        }
        fields.push(Field { number, whole: &start[..start.len() - rest.len()], content });
    }
    Some(fields)
}
