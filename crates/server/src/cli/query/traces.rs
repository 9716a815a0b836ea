//! `observatory query trace` and `traces`.

use llm_observatory_proto::otlp::common::v1::any_value::Value;
use llm_observatory_proto::otlp::trace::v1::{ResourceSpans, Span, TracesData};
use llm_observatory_proto::v1::trace_service_client::TraceServiceClient;
use llm_observatory_proto::v1::{GetTraceRequest, ListTracesRequest, TraceSummary};
use tonic::transport::Channel;

use super::pages::all_pages;
use super::period::{NOTHING_FITS, Period};
use super::show::{self, milliseconds, moment, name, nanos_of};
use crate::cli::failure::Failure;
use crate::cli::output::{CallFailed, Format, print_json, print_list, print_table};
use crate::cli::table::Table;

pub(super) async fn trace(
    mut client: TraceServiceClient<Channel>,
    id: String,
    format: Format,
) -> Result<(), Failure> {
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
            milliseconds(duration.into()),
            name(&service(resource)),
            name(&span.name),
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

pub(super) async fn traces(
    mut client: TraceServiceClient<Channel>,
    service: String,
    period: Period,
    limit: u32,
    format: Format,
) -> Result<(), Failure> {
    let (start, end_time) = period.range()?;
    let mut request =
        ListTracesRequest { start_time: Some(start), end_time, service, ..ListTracesRequest::default() };
    let traces = all_pages(limit, async |page_size, page_token| {
        (request.page_size, request.page_token) = (page_size, page_token);
        let page = client.list_traces(request.clone()).await?.into_inner();
        Ok((page.traces, page.next_page_token))
    })
    .await?;
    match format {
        Format::Json => print_json(&traces.iter().map(summary_json).collect::<Vec<_>>()),
        Format::Table => print_list(&summary_table(&traces), NOTHING_FITS),
    }
}

fn summary_table(traces: &[TraceSummary]) -> Table {
    let columns = ["trace id", "start (UTC)", "duration", "service", "root span", "spans", "errors"];
    let mut table = Table::new(&columns).whole(&["trace id"]).below("trace id", &["service", "root span"]);
    for trace in traces {
        table.row([
            trace.trace_id.clone(),
            moment(start_nanos(trace)),
            milliseconds(duration_nanos(trace)),
            name(&trace.root_service),
            name(&trace.root_name),
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
    nanos_of(trace.start_time.unwrap_or_default())
}

fn duration_nanos(trace: &TraceSummary) -> i128 {
    show::duration_nanos(trace.duration.unwrap_or_default())
}
