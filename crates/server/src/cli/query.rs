//! `observatory query`: shows traces that a running observatory has stored.

use std::time::UNIX_EPOCH;

use clap::{Args, Subcommand};
use llm_observatory_proto::otlp::common::v1::any_value::Value;
use llm_observatory_proto::otlp::trace::v1::{ResourceSpans, Span, TracesData};
use llm_observatory_proto::v1::trace_service_client::TraceServiceClient;
use llm_observatory_proto::v1::{GetTraceRequest, ListTracesRequest, TraceSummary};
use time::OffsetDateTime;
use tonic::transport::Channel;

use super::failure::Failure;
use super::output::{CallFailed, Format, connect, print_json, print_table};
use super::table::Table;

/// Largest message of an answer, in bytes. The daemon sends a trace in messages of about 1 MiB, but a span may be
/// larger.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// Options of `query`.
#[derive(Debug, Args)]
pub(super) struct Query {
    /// Address on which the observatory answers queries.
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "OBSERVATORY_QUERY_ADDRESS",
        default_value = "127.0.0.1:4320"
    )]
    query_address: String,
    /// Output format; a trace in JSON has the form of OTLP/JSON.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show all spans of one trace.
    Trace {
        /// The trace id: 32 hexadecimal digits.
        id: String,
    },
    /// Show the latest traces.
    Traces {
        /// Only traces that have a span of this service.
        #[arg(long, default_value = "", hide_default_value = true)]
        service: String,
        /// Only traces of the last HOURS hours.
        #[arg(long, default_value_t = 24)]
        hours: u64,
        /// Most traces to show, at least 1.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

impl Query {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let channel = connect(&self.query_address, "--query-address", "127.0.0.1:4320").await?;
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
    let mut answer = client.get_trace(request).await.map_err(CallFailed)?.into_inner();
    let mut all = TracesData::default();
    while let Some(part) = answer.message().await.map_err(CallFailed)? {
        all.resource_spans.extend(part.data.unwrap_or_default().resource_spans);
    }
    match format {
        Format::Json => print_json(&all),
        Format::Table => print_table(&span_table(&all)),
    }
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
    let columns = ["start (UTC)", "duration", "service", "span", "status", "span id", "parent"];
    let mut table = Table::new(&columns).whole(&["span id", "parent"]).below("span id", &["parent"]);
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
            hex::encode(&span.span_id),
            hex::encode(&span.parent_span_id),
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
    limit: u32,
    format: Format,
) -> Result<(), Failure> {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let start = i64::try_from(now.saturating_sub(hours.saturating_mul(3_600)))?;
    let mut request = ListTracesRequest {
        start_time: Some(prost_types::Timestamp { seconds: start, nanos: 0 }),
        service,
        ..ListTracesRequest::default()
    };
    let mut traces = Vec::new();
    let limit = usize::try_from(limit)?;
    // The daemon limits a page to query.max_page_size, so a larger limit takes several pages.
    while traces.len() < limit {
        request.page_size = i32::try_from(limit - traces.len()).unwrap_or(i32::MAX);
        let page = client.list_traces(request.clone()).await.map_err(CallFailed)?.into_inner();
        traces.extend(page.traces);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    match format {
        Format::Json => print_json(&traces.iter().map(summary_json).collect::<Vec<_>>()),
        Format::Table => print_table(&summary_table(&traces)),
    }
}

fn summary_table(traces: &[TraceSummary]) -> Table {
    let columns = ["trace id", "start (UTC)", "duration", "service", "root span", "spans", "errors"];
    let mut table = Table::new(&columns).whole(&["trace id"]).below("trace id", &["service", "root span"]);
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

/// A time in UTC, always of the same width. In a narrow table it wraps between the date and the time of day.
fn moment(nanos: u64) -> String {
    // Every u64 of nanoseconds is a year before 2555.
    let Ok(time) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos)) else {
        return nanos.to_string();
    };
    let (hour, minute, second, milli) = time.to_hms_milli();
    format!("{} {hour:02}:{minute:02}:{second:02}.{milli:03}", time.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_same_width() {
        assert_eq!(moment(1_795_000_000_000_000_000), "2026-11-18 11:06:40.000");
        assert_eq!(moment(1_795_000_000_120_999_999), "2026-11-18 11:06:40.120");
        assert_eq!(moment(u64::MAX).len(), moment(0).len());
    }
}
