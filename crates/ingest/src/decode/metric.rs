//! Decodes `ExportMetricsServiceRequest` into rows of metrics, series and data points.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{MetricId, ProjectId, SeriesId};
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::{DataPointRow, MetricRow, SeriesRow};
use llm_observatory_storage::writers::MetricBatch;
use uuid::Uuid;

use super::decoded::{Decoded, Undecodable};
use super::decoder::Decoder;
use super::place::{Levels, Place};
use super::resource::{Distinct, Owner, each_record};
use super::{census, value};
use crate::wire::{Fields, Malformed};

mod point;

/// The names of the levels of a request.
pub(crate) const LEVELS: Levels = ["resource_metrics", "scope_metrics", "metrics"];

/// Decodes a request.
///
/// # Errors
/// [`Undecodable`] when the outer framing is broken or the rows outgrow their allowance. Anything broken below that
/// rejects single data points or metrics.
pub(crate) fn decode(mut decoder: Decoder<'_>) -> Result<Decoded<MetricBatch>, Undecodable> {
    let mut rows = Rows { points: Vec::with_capacity(decoder.expected), ..Rows::default() };
    let (resources, scopes) = each_record(&mut decoder, |owner, place, message, decoder| match owner {
        Ok(owner) => metric(message, owner, &mut rows, decoder, place),
        Err(malformed) => reject_all(message, malformed, decoder, place),
    })?;
    let Rows { metrics, series, points } = rows;
    let (metrics, series) = (metrics.into_rows(), series.into_rows());
    Ok(decoder.finish(MetricBatch { resources, scopes, metrics, series, points }))
}

#[derive(Default)]
struct Rows {
    metrics: Distinct<MetricId, MetricRow>,
    series: Distinct<SeriesId, SeriesRow>,
    points: Vec<DataPointRow>,
}

/// The kind of data that a metric carries, and the message that holds it.
struct Data<'a> {
    kind: MetricKind,
    message: &'a [u8],
}

impl<'a> Data<'a> {
    fn of(number: u32, message: &'a [u8]) -> Option<Self> {
        let kind = match number {
            5 => MetricKind::Gauge,
            7 => MetricKind::Sum,
            9 => MetricKind::Histogram,
            10 => MetricKind::ExponentialHistogram,
            11 => MetricKind::Summary,
            _ => return None,
        };
        Some(Self { kind, message })
    }
}

fn metric<'a>(message: &'a [u8], owner: &Owner, rows: &mut Rows, decoder: &mut Decoder<'a>, place: Place) {
    match definition(message, decoder) {
        Ok(Some((metric, data))) => {
            if let Err(malformed) = points(&data, &metric, owner, rows, decoder, place) {
                decoder.reject(malformed.into(), place, LEVELS, message);
            }
        }
        Ok(None) => decoder.notes.rejections.empty_metrics += 1,
        // Points mean nothing without the definition of their metric.
        Err(malformed) => reject_all(message, malformed, decoder, place),
    }
}

/// Rejects all points of a metric. They are kept as one dead letter, the whole metric.
fn reject_all<'a>(message: &'a [u8], malformed: Malformed, decoder: &mut Decoder<'a>, place: Place) {
    match census::records(message) {
        0 => decoder.notes.rejections.empty_metrics += 1,
        records => {
            decoder.reject(malformed.into(), place, LEVELS, message);
            decoder.notes.rejections.reject_unnamed(malformed.into(), records - 1);
        }
    }
}

/// The definition of a metric and its data; `None` if it has no data.
fn definition<'a>(
    message: &'a [u8],
    decoder: &mut Decoder<'a>,
) -> Result<Option<(MetricRow, Data<'a>)>, Malformed> {
    let (mut name, mut description, mut unit) = (Text::EMPTY, Text::EMPTY, Text::EMPTY);
    let mut metadata: Vec<Attribute<'a>> = Vec::new();
    let mut data = None;
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => name = decoder.text(field.bytes()?),
            2 => description = decoder.text(field.bytes()?),
            3 => unit = decoder.text(field.bytes()?),
            12 => metadata.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
            number @ (5 | 7 | 9 | 10 | 11) => data = Data::of(number, field.bytes()?),
            _ => {}
        }
    }
    let Some(data) = data else {
        return Ok(None);
    };
    let (temporality, is_monotonic) = aggregation(&data)?;
    let metric = MetricRow {
        id: MetricId(Uuid::nil()),
        project_id: decoder.project_id,
        kind: data.kind,
        temporality,
        is_monotonic,
        name,
        unit,
        description,
        metadata: Attributes::jsonb(&metadata),
    }
    .identified();
    Ok(Some((metric, data)))
}

/// Temporality and monotonicity: the fields 2 and 3 beside the points. It ignores broken framing: `points` finds it
/// too, after it has read the points before the break.
fn aggregation(data: &Data<'_>) -> Result<(Temporality, bool), Malformed> {
    let (mut temporality, mut is_monotonic) = (Temporality::UNSPECIFIED, false);
    if matches!(data.kind, MetricKind::Gauge | MetricKind::Summary) {
        return Ok((temporality, is_monotonic));
    }
    for field in Fields::of(data.message).map_while(Result::ok) {
        match field.number {
            2 => temporality = Temporality(field.i32()?),
            3 if data.kind == MetricKind::Sum => is_monotonic = field.varint()? != 0,
            _ => {}
        }
    }
    Ok((temporality, is_monotonic))
}

/// Memory of a point's row.
fn held(point: &DataPointRow) -> usize {
    let exemplars = point.exemplars.as_ref().map_or(0, |nested| nested.json.len() + nested.otlp.len());
    size_of::<DataPointRow>() + point.value.list_bytes() + exemplars
}

fn points<'a>(
    data: &Data<'a>,
    metric: &MetricRow,
    owner: &Owner,
    rows: &mut Rows,
    decoder: &mut Decoder<'a>,
    place: Place,
) -> Result<(), Malformed> {
    // The definition comes first: the points before a break are stored, and need it.
    if rows.metrics.insert(metric.id, || metric.clone()).is_some() {
        decoder.notes.hold(size_of::<MetricRow>() + metric.metadata.bytes());
    }
    let project_id: ProjectId = decoder.project_id;
    let mut numbers = 0..;
    let mut attributes = Vec::new();
    for field in Fields::of(data.message) {
        let field = field?;
        if field.number != 1 {
            continue;
        }
        let message = field.bytes()?;
        let place = place.point(numbers.next().unwrap_or_default());
        attributes.clear();
        decoder.notes.begin_record();
        match point::read(data.kind, message, &mut attributes, decoder) {
            Ok(point) => {
                let id = SeriesRow::identity(metric.id, owner.resource, owner.scope, &attributes);
                let series = || SeriesRow::new(metric, owner.resource, owner.scope, &attributes);
                if let Some(series) = rows.series.insert(id, series) {
                    decoder.notes.hold(size_of::<SeriesRow>() + series.attributes.bytes());
                }
                let row = point.into_row(project_id, id);
                decoder.decoded(place, message, held(&row));
                rows.points.push(row);
            }
            Err(reason) => decoder.reject(reason, place, LEVELS, message),
        }
        if decoder.notes.outgrown() {
            break; // `each_record` then ends the whole decoding
        }
    }
    Ok(())
}
