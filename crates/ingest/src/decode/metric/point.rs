//! The five kinds of data points.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{ProjectId, SeriesId};
use llm_observatory_core::metric::{MetricKind, NO_RECORDED_VALUE};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::models::DataPointRow;
use llm_observatory_storage::models::attributes::to_key_value;
use llm_observatory_storage::models::metric::{Buckets, PointValue};
use llm_observatory_storage::models::trace::Nested;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, NumberDataPoint, exemplar};

use crate::decode::decoder::Decoder;
use crate::decode::nested::nested;
use crate::decode::notes::Notes;
use crate::decode::rejection::Reason;
use crate::decode::value;
use crate::wire::{Field, Fields, Malformed};

/// A valid data point whose series is not known yet.
pub(super) struct Point {
    start_time: UnixNanos,
    time: UnixNanos,
    flags: u32,
    value: PointValue,
    exemplars: Option<Nested>,
}

impl Point {
    pub(super) fn into_row(self, project_id: ProjectId, series_id: SeriesId) -> DataPointRow {
        let Self { start_time, time, flags, value, exemplars } = self;
        DataPointRow { project_id, series_id, start_time, time, flags, value, exemplars }
    }
}

/// The fields of all kinds of points, under one name each.
#[derive(Default)]
struct Raw<'a> {
    start_time: u64,
    time: u64,
    flags: u32,
    number: Option<PointValue>,
    count: u64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    bucket_counts: Vec<u64>,
    explicit_bounds: Vec<u64>,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Option<Buckets>,
    negative: Option<Buckets>,
    quantiles: Vec<(f64, f64)>,
    exemplars: Vec<&'a [u8]>,
}

/// Reads a point of the given kind, and adds its attributes to `attributes`.
pub(super) fn read<'a>(
    kind: MetricKind,
    message: &'a [u8],
    attributes: &mut Vec<Attribute<'a>>,
    decoder: &mut Decoder<'a>,
) -> Result<Point, Reason> {
    let mut raw = Raw::default();
    for field in Fields::of(message) {
        let field = field?;
        // Field numbers differ between the kinds; times are 2 and 3 in all of them.
        let is_attribute = match kind {
            MetricKind::Gauge | MetricKind::Sum => raw.read_number(&field, &mut decoder.notes)?,
            MetricKind::Histogram => raw.read_histogram(&field, &mut decoder.notes)?,
            MetricKind::ExponentialHistogram => raw.read_exponential(&field, &mut decoder.notes)?,
            MetricKind::Summary => raw.read_summary(&field, &mut decoder.notes)?,
        };
        if is_attribute {
            attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?);
        }
    }
    raw.into_point(kind, decoder)
}

impl<'a> Raw<'a> {
    fn read_times(&mut self, field: &Field<'a>) -> Result<bool, Malformed> {
        match field.number {
            2 => self.start_time = field.fixed64()?,
            3 => self.time = field.fixed64()?,
            _ => {}
        }
        Ok(false)
    }

    fn push_exemplar(&mut self, field: &Field<'a>, notes: &mut Notes) -> Result<(), Malformed> {
        notes.elements(4)?; // an exemplar is about as large as four attributes
        self.exemplars.push(field.bytes()?);
        Ok(())
    }

    fn read_number(&mut self, field: &Field<'a>, notes: &mut Notes) -> Result<bool, Malformed> {
        match field.number {
            4 => self.number = Some(PointValue::Double(field.double()?)),
            5 => self.push_exemplar(field, notes)?,
            6 => self.number = Some(PointValue::Int(field.fixed64()?.cast_signed())),
            7 => return Ok(true),
            8 => self.flags = field.u32()?,
            _ => return self.read_times(field),
        }
        Ok(false)
    }

    fn read_histogram(&mut self, field: &Field<'a>, notes: &mut Notes) -> Result<bool, Malformed> {
        match field.number {
            4 => self.count = field.fixed64()?,
            5 => self.sum = Some(field.double()?),
            6 => {
                notes.elements(field.most_values().div_ceil(8))?;
                field.repeated_fixed64(&mut self.bucket_counts)?;
            }
            7 => {
                notes.elements(field.most_values().div_ceil(8))?;
                field.repeated_fixed64(&mut self.explicit_bounds)?;
            }
            8 => self.push_exemplar(field, notes)?,
            9 => return Ok(true),
            10 => self.flags = field.u32()?,
            11 => self.min = Some(field.double()?),
            12 => self.max = Some(field.double()?),
            _ => return self.read_times(field),
        }
        Ok(false)
    }

    fn read_exponential(&mut self, field: &Field<'a>, notes: &mut Notes) -> Result<bool, Malformed> {
        match field.number {
            1 => return Ok(true),
            4 => self.count = field.fixed64()?,
            5 => self.sum = Some(field.double()?),
            6 => self.scale = field.sint32()?,
            7 => self.zero_count = field.fixed64()?,
            8 => self.positive = Some(buckets(field.bytes()?, notes)?),
            9 => self.negative = Some(buckets(field.bytes()?, notes)?),
            10 => self.flags = field.u32()?,
            11 => self.push_exemplar(field, notes)?,
            12 => self.min = Some(field.double()?),
            13 => self.max = Some(field.double()?),
            14 => self.zero_threshold = field.double()?,
            _ => return self.read_times(field),
        }
        Ok(false)
    }

    fn read_summary(&mut self, field: &Field<'a>, notes: &mut Notes) -> Result<bool, Malformed> {
        match field.number {
            4 => self.count = field.fixed64()?,
            5 => self.sum = Some(field.double()?),
            6 => {
                notes.elements(1)?;
                self.quantiles.push(quantile(field.bytes()?)?);
            }
            7 => return Ok(true),
            8 => self.flags = field.u32()?,
            _ => return self.read_times(field),
        }
        Ok(false)
    }

    fn into_point(self, kind: MetricKind, decoder: &mut Decoder<'a>) -> Result<Point, Reason> {
        if self.time == 0 {
            return Err(Reason::NoTime);
        }
        let exemplars = match &self.exemplars[..] {
            [] => None,
            messages => Some(exemplars(messages, decoder)?),
        };
        Ok(Point {
            start_time: UnixNanos(self.start_time),
            time: UnixNanos(self.time),
            flags: self.flags,
            value: self.into_value(kind)?,
            exemplars,
        })
    }

    fn into_value(self, kind: MetricKind) -> Result<PointValue, Reason> {
        let Self { count, sum, min, max, .. } = self;
        Ok(match kind {
            MetricKind::Gauge | MetricKind::Sum => match self.number {
                Some(value) => value,
                None if self.flags & NO_RECORDED_VALUE != 0 => PointValue::None,
                None => return Err(Reason::NoValue),
            },
            MetricKind::Histogram => {
                let (counts, bounds) = (self.bucket_counts.len(), self.explicit_bounds.len());
                if counts != bounds + 1 && counts + bounds != 0 {
                    return Err(Reason::Buckets);
                }
                let explicit_bounds = self.explicit_bounds.into_iter().map(f64::from_bits).collect();
                PointValue::Histogram {
                    count,
                    sum,
                    min,
                    max,
                    bucket_counts: self.bucket_counts,
                    explicit_bounds,
                }
            }
            MetricKind::ExponentialHistogram => PointValue::Exponential {
                count,
                sum,
                min,
                max,
                scale: self.scale,
                zero_count: self.zero_count,
                zero_threshold: self.zero_threshold,
                positive: self.positive,
                negative: self.negative,
            },
            MetricKind::Summary => {
                PointValue::Summary { count, sum: sum.unwrap_or_default(), quantiles: self.quantiles }
            }
        })
    }
}

fn buckets(message: &[u8], notes: &mut Notes) -> Result<Buckets, Malformed> {
    let mut buckets = Buckets { offset: 0, counts: Vec::new() };
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => buckets.offset = field.sint32()?,
            2 => {
                notes.elements(field.most_values())?;
                field.repeated_varint(&mut buckets.counts)?;
            }
            _ => {}
        }
    }
    Ok(buckets)
}

fn quantile(message: &[u8]) -> Result<(f64, f64), Malformed> {
    let mut pair = (0.0, 0.0);
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => pair.0 = field.double()?,
            2 => pair.1 = field.double()?,
            _ => {}
        }
    }
    Ok(pair)
}

/// Exemplars are few and seldom queried, so they are stored in the row of their point: as JSON for people, and exactly
/// as protobuf.
fn exemplars(messages: &[&[u8]], decoder: &mut Decoder<'_>) -> Result<Nested, Malformed> {
    let mut exact = NumberDataPoint::default();
    let mut shown = Vec::with_capacity(messages.len());
    for message in messages {
        let mut exemplar = Exemplar::default();
        let mut attributes = Vec::new();
        for field in Fields::of(message) {
            let field = field?;
            match field.number {
                2 => exemplar.time_unix_nano = field.fixed64()?,
                3 => exemplar.value = Some(exemplar::Value::AsDouble(field.double()?)),
                4 => exemplar.span_id = field.bytes()?.to_vec(),
                5 => exemplar.trace_id = field.bytes()?.to_vec(),
                6 => exemplar.value = Some(exemplar::Value::AsInt(field.fixed64()?.cast_signed())),
                7 => attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
                _ => {}
            }
        }
        exemplar.filtered_attributes = attributes.iter().map(to_key_value).collect();
        let measured = match exemplar.value {
            Some(exemplar::Value::AsDouble(value)) => Value::Double(value),
            Some(exemplar::Value::AsInt(value)) => Value::Int(value),
            None => Value::Empty,
        };
        shown.push(Value::Map(vec![
            Attribute::new("time_unix_nano", exemplar.time_unix_nano.to_string()),
            Attribute::new("value", measured),
            Attribute::new("trace_id", hex::encode(&exemplar.trace_id)),
            Attribute::new("span_id", hex::encode(&exemplar.span_id)),
            Attribute::new("attributes", Value::Map(attributes)),
        ]));
        exact.exemplars.push(exemplar);
    }
    Ok(nested(shown, &exact, decoder))
}
