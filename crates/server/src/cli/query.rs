//! `observatory query`: a client of a running observatory.

use std::time::UNIX_EPOCH;

use clap::{Args, Subcommand};
use llm_observatory_proto::otlp::common::v1::any_value::Value;
use llm_observatory_proto::otlp::trace::v1::{ResourceSpans, Span, TracesData};
use llm_observatory_proto::v1::trace_service_client::TraceServiceClient;
use llm_observatory_proto::v1::{GetTraceRequest, ListTracesRequest, TraceSummary};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::transport::Channel;

use super::Failure;
use super::output::{Format, Refused, Table, connect, print_table};

/// The largest chunk of a trace that is taken; the daemon sends about 1 MiB at a time, but one span may be larger.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// Options of `query`.
#[derive(Debug, Args)]
pub(super) struct Query {
    /// Where the observatory answers.
    #[arg(long, global = true, env = "OBSERVATORY_QUERY_ADDRESS", default_value = "http://127.0.0.1:4320")]
    query_address: String,
    /// How the answer is shown; JSON is OTLP's own for a trace.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All spans of one trace.
    Trace {
        /// The trace id: 32 hexadecimal digits.
        id: String,
    },
    /// The latest traces.
    Traces {
        /// Only traces in which this service took part.
        #[arg(long, default_value = "")]
        service: String,
        /// How far back, in hours.
        #[arg(long, default_value_t = 24)]
        hours: u64,
        /// Most traces to show.
        #[arg(long, default_value_t = 20)]
        limit: i32,
    },
}

impl Query {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let channel = connect(&self.query_address, "--query-address").await?;
        let client = TraceServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES);
        match self.what {
            What::Trace { id } => trace(client, id, self.format).await,
            What::Traces { service, hours, limit } => {
                traces(client, service, hours, limit, self.format).await
            }
        }
    }
}

async fn trace(mut client: TraceServiceClient<Channel>, id: String, format: Format) -> Result<(), Failure> {
    let request = GetTraceRequest { trace_id: id, ..GetTraceRequest::default() };
    let mut answer = client.get_trace(request).await.map_err(Refused)?.into_inner();
    let mut all = TracesData::default();
    while let Some(part) = answer.message().await.map_err(Refused)? {
        all.resource_spans.extend(part.data.unwrap_or_default().resource_spans);
    }
    match format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&all)?),
        Format::Table => print_table(&span_table(&all)),
    }
    Ok(())
}

fn span_table(trace: &TracesData) -> Table {
    let mut spans: Vec<(&ResourceSpans, &Span)> = trace
        .resource_spans
        .iter()
        .flat_map(|resource| {
            resource
                .scope_spans
                .iter()
                .flat_map(move |scope| scope.spans.iter().map(move |span| (resource, span)))
        })
        .collect();
    spans.sort_by_key(|(_, span)| (span.start_time_unix_nano, span.end_time_unix_nano));
    let mut table = Table::new(&["start", "duration", "service", "span", "status", "span id", "parent"]);
    for (resource, span) in spans {
        let duration = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
        let status = match span.status.as_ref().map_or(0, |status| status.code) {
            1 => "ok",
            2 => "error",
            _ => "",
        };
        table.row([
            moment(span.start_time_unix_nano),
            format!("{:.3} ms", duration as f64 / 1e6),
            service(resource),
            span.name.clone(),
            status.to_owned(),
            hex(&span.span_id),
            hex(&span.parent_span_id),
        ]);
    }
    table
}

fn service(resource: &ResourceSpans) -> String {
    let attributes = resource.resource.as_ref().map(|resource| &resource.attributes[..]).unwrap_or_default();
    let named = attributes.iter().rfind(|attribute| attribute.key == "service.name");
    let name = named.and_then(|attribute| attribute.value.as_ref()?.value.clone());
    match name {
        Some(Value::StringValue(name)) => name,
        _ => String::new(),
    }
}

async fn traces(
    mut client: TraceServiceClient<Channel>,
    service: String,
    hours: u64,
    limit: i32,
    format: Format,
) -> Result<(), Failure> {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let start = i64::try_from(now.saturating_sub(hours.saturating_mul(3_600)))?;
    let request = ListTracesRequest {
        start_time: Some(prost_types::Timestamp { seconds: start, nanos: 0 }),
        service,
        page_size: limit,
        ..ListTracesRequest::default()
    };
    let answer = client.list_traces(request).await.map_err(Refused)?.into_inner();
    match format {
        Format::Json => println!(
            "{}",
            serde_json::to_string_pretty(&answer.traces.iter().map(summary_json).collect::<Vec<_>>())?
        ),
        Format::Table => print_table(&summary_table(&answer.traces)),
    }
    Ok(())
}

fn summary_table(traces: &[TraceSummary]) -> Table {
    let mut table = Table::new(&["trace id", "start", "duration", "service", "root span", "spans", "errors"]);
    for trace in traces {
        table.row([
            trace.trace_id.clone(),
            moment(start_nanos(trace)),
            format!("{:.3} ms", duration_nanos(trace) as f64 / 1e6),
            trace.root_service.clone(),
            trace.root_name.clone(),
            trace.span_count.to_string(),
            trace.error_count.to_string(),
        ]);
    }
    table
}

fn summary_json(trace: &TraceSummary) -> serde_json::Value {
    serde_json::json!({
        "traceId": trace.trace_id,
        "rootName": trace.root_name,
        "rootService": trace.root_service,
        "services": trace.services,
        "startTimeUnixNano": start_nanos(trace).to_string(),
        "durationNano": duration_nanos(trace).to_string(),
        "spanCount": trace.span_count,
        "errorCount": trace.error_count,
    })
}

fn start_nanos(trace: &TraceSummary) -> u64 {
    let start = trace.start_time.unwrap_or_default();
    u64::try_from(i128::from(start.seconds) * 1_000_000_000 + i128::from(start.nanos)).unwrap_or(0)
}

fn duration_nanos(trace: &TraceSummary) -> i128 {
    let duration = trace.duration.unwrap_or_default();
    i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos)
}

/// A time for people: RFC 3339 in UTC.
fn moment(nanos: u64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos / 1_000_000 * 1_000_000));
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| nanos.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
