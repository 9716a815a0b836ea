//! Coding agents tell their calls in log records, in spans, or in both. Whatever they send, how often and in which order,
//! each call is stored once, with the tokens that the provider counted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::daemon::Options;
use harness::telemetry::{SECOND, attribute, now, record, records, text};
use harness::{Daemon, TestDatabase, eventually};
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::PriceBook;
use llm_observatory_proto::v1::{
    ExplainCostRequest, GetLlmSpanRequest, ListLlmSpansRequest, ListLogsRequest,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde_json::Value as Json;
use tonic::Code;

use crate::client::{BEGINNING, END, Exporter, Reader};
use crate::command::run;
use crate::query::world;

const AGENTS: [&str; 3] = ["claude-code", "codex", "gemini-cli"];
/// What an LLM span of a service and its sums are: calls, then tokens, then billionths of a dollar.
const TOTALS: &str = "
    SELECT count(*), coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
           coalesce(sum(cache_read_tokens), 0)::bigint, coalesce(sum(cache_creation_tokens), 0)::bigint,
           coalesce(sum(reasoning_tokens), 0)::bigint, coalesce(sum(cost_usd * 1e9), 0)::bigint,
           count(*) FILTER (WHERE usage_missing)
    FROM llm_spans WHERE service_name = $1 AND billable";

/// What an agent exported in one case, and what the provider told.
struct Recording {
    /// `<agent>/<case>`, which is also the service that sends it here.
    name: String,
    traces: Vec<ExportTraceServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    truth: Json,
}

impl Recording {
    fn of(agent: &str, case: &Path) -> Self {
        let name = format!("{agent}/{}", case.file_name().unwrap().to_str().unwrap());
        let mut traces: Vec<ExportTraceServiceRequest> = messages(&case.join("traces.binpb"));
        let mut logs: Vec<ExportLogsServiceRequest> = messages(&case.join("logs.binpb"));
        let of_traces = traces.iter_mut().flat_map(|request| &mut request.resource_spans);
        let of_logs = logs.iter_mut().flat_map(|request| &mut request.resource_logs);
        of_traces.for_each(|group| rename(&mut group.resource, &name));
        of_logs.for_each(|group| rename(&mut group.resource, &name));
        let truth = serde_json::from_slice(&std::fs::read(case.join("truth.json")).unwrap()).unwrap();
        Self { name, traces, logs, truth }
    }

    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/genai/recordings");
        let of_agent = |agent| folders(&root.join(agent)).into_iter().map(move |case| Self::of(agent, &case));
        AGENTS.into_iter().flat_map(of_agent).collect()
    }

    /// What [`TOTALS`] should find.
    fn totals(&self) -> [i64; 8] {
        let calls = self.truth["calls"].as_array().unwrap();
        let is_told = |key: &str| self.truth["untold"].get(key).is_none();
        let sum = |key: &str| calls.iter().filter_map(|call| call[key].as_i64()).sum::<i64>();
        let reasoning = if is_told("reasoning_tokens") { sum("reasoning_tokens") } else { 0 };
        [
            calls.len() as i64,
            sum("input_tokens"),
            sum("output_tokens"),
            sum("cache_read_tokens"),
            sum("cache_write_tokens"),
            reasoning,
            calls.iter().filter_map(|call| self.cost(call)).sum(),
            0,
        ]
    }

    /// What a call costs, in billionths of a dollar; `None` for one that failed.
    fn cost(&self, call: &Json) -> Option<i64> {
        call["usage_on_wire"].as_bool().filter(|told| *told)?;
        let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
        reading.provider = Some(Text::from_static(match call["api"].as_str()? {
            "anthropic.messages" => "anthropic",
            "openai.responses" => "openai",
            _ => "gcp.gen_ai",
        }));
        reading.request_model = call["request_model"].as_str().map(Text::from);
        let count = |key: &str| call[key].as_i64();
        reading.usage.input = count("input_tokens");
        reading.usage.output = count("output_tokens");
        reading.usage.cache_read = count("cache_read_tokens");
        reading.usage.cache_creation = count("cache_write_tokens");
        reading.usage.reasoning = count("reasoning_tokens");
        // Claude Code's spans do not tell it.
        let told = self.traces.is_empty();
        reading.usage.cache_creation_1h = count("cache_write_1h_tokens").filter(|_| told);
        let book = PriceBook::new(Vec::new());
        let start = self.truth_time();
        Some(book.cost(ProjectId::DEFAULT, &reading, start, None).unwrap().amount)
    }

    fn truth_time(&self) -> UnixNanos {
        let records = self.logs.iter().flat_map(|request| &request.resource_logs);
        let records = records.flat_map(|group| &group.scope_logs).flat_map(|scope| &scope.log_records);
        UnixNanos(records.map(|record| record.observed_time_unix_nano).max().unwrap())
    }

    /// The same log records, each in a request of its own.
    fn logs_apart(&self) -> Vec<ExportLogsServiceRequest> {
        let mut apart = Vec::new();
        for group in self.logs.iter().flat_map(|request| &request.resource_logs) {
            for scope in &group.scope_logs {
                for record in &scope.log_records {
                    let mut group = group.clone();
                    let mut scope = scope.clone();
                    scope.log_records = vec![record.clone()];
                    group.scope_logs = vec![scope];
                    apart.push(ExportLogsServiceRequest { resource_logs: vec![group] });
                }
            }
        }
        apart
    }

    async fn send_traces(&self, exporter: &Exporter) {
        for request in &self.traces {
            assert_eq!(exporter.spans(request.clone()).await.unwrap(), None, "{}", self.name);
        }
    }
}

async fn send_logs(exporter: &Exporter, requests: &[ExportLogsServiceRequest]) {
    for request in requests {
        assert_eq!(exporter.records(request.clone()).await.unwrap(), None);
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

/// The messages of a file, each of which stands after its length; none if there is no file.
fn messages<M: Message + Default>(path: &Path) -> Vec<M> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let mut rest = &*bytes;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        messages.push(M::decode_length_delimited(&mut rest).unwrap());
    }
    messages
}

fn rename(resource: &mut Option<Resource>, service: &str) {
    let resource = resource.get_or_insert_default();
    resource.attributes.retain(|attribute| attribute.key != "service.name");
    resource.attributes.push(text("service.name", service));
}

/// Asserts that the calls of each recording are what the provider told.
async fn assert_totals(database: &TestDatabase, recordings: &[Recording]) {
    let client = database.client().await;
    eventually("traces are settled", async || {
        let notes: i64 = client.query_one("SELECT count(*) FROM llm_settling", &[]).await.unwrap().get(0);
        if notes == 0 { Ok(()) } else { Err(format!("{notes} wait")) }
    })
    .await;
    for recording in recordings {
        let row = client.query_one(TOTALS, &[&recording.name]).await.unwrap();
        let found: Vec<i64> = (0..8).map(|column| row.get(column)).collect();
        assert_eq!(found, recording.totals(), "{}", recording.name);
    }
}

async fn settling_at_once() -> (TestDatabase, Daemon, Exporter, Reader) {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_STORAGE__SETTLING__INTERVAL_MS", "50")
        .environment("OBSERVATORY_STORAGE__SETTLING__DELAY_MS", "0")
        .start();
    let (exporter, reader) = (Exporter::to(&daemon).await, Reader::of(&daemon).await);
    (database, daemon, exporter, reader)
}

#[tokio::test]
async fn each_call_counts_once_in_any_order_and_however_often_it_is_sent() {
    let recordings = Recording::all();
    assert!(recordings.len() >= 21);
    let (database, daemon, exporter, _reader) = settling_at_once().await;
    for recording in &recordings {
        recording.send_traces(&exporter).await;
        send_logs(&exporter, &recording.logs).await;
    }
    assert_totals(&database, &recordings).await;

    // Another exporter sends all of it again: the spans as they are, the records in other requests.
    let other = Exporter::to(&daemon).await;
    for recording in &recordings {
        send_logs(&other, &recording.logs_apart()).await;
        recording.send_traces(&other).await;
    }
    assert_totals(&database, &recordings).await;

    let (database, _daemon, exporter, _reader) = settling_at_once().await;
    for recording in &recordings {
        send_logs(&exporter, &recording.logs_apart()).await;
    }
    for recording in &recordings {
        recording.send_traces(&exporter).await;
    }
    assert_totals(&database, &recordings).await;
}

#[tokio::test]
async fn reading_everything_again_finds_the_same_calls() {
    let recordings = Recording::all();
    let (database, _daemon, exporter, _reader) = settling_at_once().await;
    for recording in &recordings {
        recording.send_traces(&exporter).await;
        send_logs(&exporter, &recording.logs).await;
    }
    assert_totals(&database, &recordings).await;
    let url = database.url();
    let reread = async || {
        let done = run(&["reread", "--database-url", &url, "--format", "json"], &[]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        serde_json::from_str::<Json>(&done.stdout).unwrap()["changed"].as_i64().unwrap()
    };
    assert_eq!(reread().await, 0, "what was read at the door is what is read from the tables");
    // A daemon that did not know these agents would have stored their records alone.
    let client = database.client().await;
    let dropped = client.execute("DELETE FROM trace_llm_spans WHERE log_id IS NOT NULL", &[]).await.unwrap();
    assert!(dropped > 10, "{dropped}");
    assert_eq!(reread().await, dropped.cast_signed());
    assert_totals(&database, &recordings).await;
}

#[tokio::test]
async fn a_call_of_a_log_record_is_asked_for_like_a_span() {
    let (database, _daemon, exporter, reader) = world().await;
    let recording = Recording::all().into_iter().find(|one| one.name == "claude-code/logs_only").unwrap();
    send_logs(&exporter, &recording.logs).await;

    let period = |request: ListLlmSpansRequest| ListLlmSpansRequest {
        start_time: BEGINNING,
        end_time: END,
        ..request
    };
    let session_id = "8dfdfbc0-598d-4ca4-b466-714e665cc14e".to_owned();
    let page =
        reader.llm_spans(period(ListLlmSpansRequest { session_id, ..Default::default() })).await.unwrap();
    let [listed] = &page.spans[..] else { panic!("{page:?}") };
    assert_eq!(
        (listed.name.as_str(), listed.service.as_str()),
        ("claude_code.api_request", &*recording.name)
    );
    assert_eq!(listed.duration.map(|duration| duration.nanos), Some(68_000_000));

    let known = "SELECT id::text FROM log_records WHERE attributes ->> 'event.name' = 'api_request'";
    let known: String = database.client().await.query_one(known, &[]).await.unwrap().get(0);
    assert_eq!(listed.log_id, known);

    let ids = || (listed.trace_id.clone(), listed.span_id.clone());
    let (trace_id, span_id) = ids();
    let whole = reader
        .llm_span(GetLlmSpanRequest { trace_id, span_id, ..GetLlmSpanRequest::default() })
        .await
        .unwrap();
    assert_eq!((whole.scope_name.as_str(), whole.log_record_count), ("com.anthropic.claude_code.events", 1));
    assert!(whole.attributes.iter().any(|attribute| attribute.key == "query_source"), "{whole:?}");
    assert_eq!(whole.span.as_ref().unwrap(), listed);

    let (trace_id, span_id) = ids();
    let explained = reader.explained(ExplainCostRequest { trace_id, span_id }).await.unwrap();
    assert!(explained.is_current, "{explained:?}");
    let trace = hex::decode(&listed.trace_id).unwrap();
    assert_eq!(reader.trace(&trace).await.unwrap_err().code(), Code::NotFound, "there is no such trace");

    // Its log record is dropped: the reading stays.
    database.client().await.batch_execute("DELETE FROM logs").await.unwrap();
    let (trace_id, span_id) = ids();
    let gone = reader
        .llm_span(GetLlmSpanRequest { trace_id, span_id, ..GetLlmSpanRequest::default() })
        .await
        .unwrap();
    assert_eq!((gone.log_record_count, gone.attributes.len()), (0, 0));
    assert_eq!(gone.span.as_ref().unwrap(), listed);
    let span_id = "00000000000000ff".to_owned();
    let unknown = GetLlmSpanRequest { trace_id: listed.trace_id.clone(), span_id, ..Default::default() };
    assert_eq!(reader.llm_span(unknown).await.unwrap_err().code(), Code::NotFound);
}

/// A response of Gemini CLI that took so many seconds until now.
fn response(prompt: i64, seconds: u64) -> LogRecord {
    LogRecord {
        attributes: vec![
            text("event.name", "gemini_cli.api_response"),
            text("session.id", "s-1"),
            text("model", "gemini-2.5-flash"),
            attribute("duration_ms", Value::IntValue((seconds * 1_000) as i64)),
            attribute("input_token_count", Value::IntValue(prompt)),
            attribute("output_token_count", Value::IntValue(1)),
        ],
        ..record("API response")
    }
}

#[tokio::test]
async fn a_day_without_partitions_of_traces_costs_the_reading_and_never_the_record() {
    let database = TestDatabase::new().await;
    let daemon =
        Options::on(database.url()).environment("OBSERVATORY_STORAGE__PARTITIONS__MAX_DAYS", "7").start();
    let (exporter, reader) = (Exporter::to(&daemon).await, Reader::of(&daemon).await);
    let day = 24 * 3_600;
    // Each begins on a day of its own, so that some find no room for their day.
    let sent: Vec<_> = (1..=20).map(|n| response(n, 10 * day * n.unsigned_abs())).collect();
    assert_eq!(exporter.records(records("gemini", sent)).await.unwrap(), None, "no record is rejected");

    let request = ListLogsRequest { start_time: BEGINNING, end_time: END, ..ListLogsRequest::default() };
    let found = reader.records(request).await.unwrap();
    let found = found.iter().flat_map(|group| &group.scope_logs).flat_map(|scope| &scope.log_records);
    assert_eq!(found.count(), 20);
    let client = database.client().await;
    let readings: i64 = client.query_one("SELECT count(*) FROM trace_llm_spans", &[]).await.unwrap().get(0);
    assert!((1..20).contains(&readings), "{readings} readings");
}

#[tokio::test]
async fn a_table_that_takes_no_reading_takes_the_record() {
    let (database, _daemon, exporter, _reader) = world().await;
    let client = database.client().await;
    let refuse = "ALTER TABLE trace_llm_spans ADD CONSTRAINT refused CHECK (input_tokens <> 13)";
    client.batch_execute(refuse).await.unwrap();
    let sent = vec![response(12, 1), response(13, 1), response(14, 1)];
    assert_eq!(exporter.records(records("gemini", sent)).await.unwrap(), None);
    let logs: i64 = client.query_one("SELECT count(*) FROM logs", &[]).await.unwrap().get(0);
    assert_eq!(logs, 3);
    let query = "SELECT input_tokens FROM trace_llm_spans";
    let stored: BTreeSet<i64> =
        client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(stored, BTreeSet::from([12, 14]));
}

#[tokio::test]
async fn calls_of_one_session_are_one_trace_and_the_same_call_is_one_row() {
    let (database, _daemon, exporter, _reader) = world().await;
    let first = response(1, 2);
    let later = LogRecord { time_unix_nano: now() + SECOND, ..first.clone() };
    exporter.records(records("gemini", vec![first.clone(), later.clone()])).await.unwrap();
    // Both stand in one request twice, beside one that is new.
    let again = vec![later.clone(), first.clone(), response(2, 2), first, later];
    exporter.records(records("gemini", again)).await.unwrap();
    let client = database.client().await;
    let query = "SELECT count(*), count(DISTINCT trace_id), count(DISTINCT span_id), \
                        (SELECT count(*) FROM traces), (SELECT count(*) FROM logs) FROM llm_spans WHERE is_from_log";
    let row = client.query_one(query, &[]).await.unwrap();
    let found: Vec<i64> = (0..5).map(|column| row.get(column)).collect();
    assert_eq!(found, [3, 1, 3, 0, 7]);
}
