//! A daemon that takes recordings and tells what it read.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use harness::daemon::Options;
use harness::recordings::{Recording, trace_id};
use harness::{Daemon, TestDatabase, eventually};
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{GetLlmSpanRequest, ListLlmSpansRequest, LlmContent, LlmSpan};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tonic::transport::Channel;

use crate::client::{BEGINNING, END, Exporter, connect};
use crate::database::number;

/// How many exporters send, and how many readers ask.
const AT_ONCE: usize = 16;

/// One OTLP request.
#[derive(Clone)]
pub(super) enum Request {
    Spans(ExportTraceServiceRequest),
    Records(ExportLogsServiceRequest),
}

pub(super) struct World {
    exporter: Exporter,
    llm: LlmServiceClient<Channel>,
    client: Client,
    _daemon: Daemon,
    _database: TestDatabase,
}

impl World {
    /// A daemon that settles traces at once, and log records without a span once and then when the span comes.
    pub(super) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let settling = |name: &str| format!("OBSERVATORY_STORAGE__SETTLING__{name}");
        let daemon = Options::on(database.url())
            .environment(settling("INTERVAL_MS"), "50")
            .environment(settling("DELAY_MS"), "0")
            .environment(settling("SPAN_WAIT_US"), "0")
            .environment(settling("BACKOFF_MS"), "3600000")
            .start();
        Self {
            exporter: Exporter::to(&daemon).await,
            llm: LlmServiceClient::new(connect(daemon.query()).await),
            client: database.client().await,
            _daemon: daemon,
            _database: database,
        }
    }

    /// Sends all: each list in its order, several lists at a time.
    pub(super) async fn send(&self, lists: Vec<Vec<Request>>) {
        let lists = Arc::new(Mutex::new(VecDeque::from(lists)));
        let mut exporters = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (exporter, lists) = (self.exporter.clone(), lists.clone());
            exporters.spawn(async move {
                loop {
                    let next = lists.lock().unwrap().pop_front();
                    let Some(list) = next else { break };
                    for request in list {
                        export(&exporter, request).await;
                    }
                }
            });
        }
        exporters.join_all().await;
    }

    /// Waits until nothing is left to settle. Log records whose span is not there go on waiting for it, which takes longer
    /// than any test.
    pub(super) async fn settled(&self) {
        let due = "SELECT count(*) FROM llm_settling WHERE due < now() + interval '10 minutes'";
        eventually("all traces are settled", async || match number(&self.client, due).await {
            0 => Ok(()),
            due => Err(format!("{due} are not")),
        })
        .await;
    }

    /// All LLM spans, without what was said in them.
    pub(super) async fn llm_spans(&self) -> LlmSpans {
        let mut spans = LlmSpans::default();
        let mut request = ListLlmSpansRequest {
            start_time: BEGINNING,
            end_time: END,
            page_size: 1_000,
            ..ListLlmSpansRequest::default()
        };
        loop {
            let page = self.llm.clone().list_llm_spans(request.clone()).await.unwrap().into_inner();
            for span in page.spans {
                spans.0.entry(span.service.clone()).or_default().push(span);
            }
            if page.next_page_token.is_empty() {
                return spans;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The spans, with what was said in them.
    pub(super) async fn with_content(&self, spans: Vec<LlmSpan>) -> Vec<Found> {
        let mut found = JoinSet::new();
        for span in spans {
            let mut llm = self.llm.clone();
            let request = GetLlmSpanRequest {
                trace_id: span.trace_id.clone(),
                span_id: span.span_id.clone(),
                max_value_bytes: 0,
            };
            found.spawn(async move {
                let answer = llm.get_llm_span(request).await.unwrap().into_inner();
                let found = answer.span.unwrap();
                // The list leaves out why a span failed.
                let listed = LlmSpan { status_message: found.status_message.clone(), ..span };
                assert_eq!(listed, found, "GetLlmSpan tells what ListLlmSpans tells");
                Found { span: found, content: answer.content.unwrap_or_default() }
            });
        }
        let mut found = found.join_all().await;
        found.sort_by_key(|found| found.start());
        found
    }
}

async fn export(exporter: &Exporter, request: Request) {
    let rejected = match request {
        Request::Spans(request) => {
            exporter.spans(request).await.unwrap().map_or(0, |partial| partial.rejected_spans)
        }
        Request::Records(request) => {
            exporter.records(request).await.unwrap().map_or(0, |partial| partial.rejected_log_records)
        }
    };
    assert_eq!(rejected, 0);
}

/// LLM spans by their service.
#[derive(Default)]
pub(super) struct LlmSpans(HashMap<String, Vec<LlmSpan>>);

impl LlmSpans {
    /// Those of a take of a recording.
    pub(super) fn of(&self, recording: &Recording, take: u8) -> Vec<LlmSpan> {
        self.0.get(&recording.service(take)).cloned().unwrap_or_default()
    }
}

/// An LLM span with what was said in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) span: LlmSpan,
    pub(super) content: LlmContent,
}

impl Found {
    pub(super) fn reading(&self) -> &llm_observatory_proto::v1::LlmReading {
        self.span.reading.as_ref().unwrap()
    }

    pub(super) fn billing(&self) -> &llm_observatory_proto::v1::LlmBilling {
        self.span.billing.as_ref().unwrap()
    }

    pub(super) fn usage(&self) -> llm_observatory_proto::v1::TokenUsage {
        self.reading().usage.unwrap_or_default()
    }

    /// A span of which only the reading is asked.
    pub(super) fn silent(span: LlmSpan) -> Self {
        Self { span, content: LlmContent::default() }
    }

    /// The same with the ids and the service of take 0. The call of a log record has ids that follow from all that the record
    /// is, its service among it, and the id of the record follows from its request: they are left out.
    pub(super) fn told_as_take_0(mut self, take: u8, recording: &Recording) -> Self {
        self.span.trace_id = hex::encode(trace_id(&hex::decode(&self.span.trace_id).unwrap(), take));
        self.span.service = recording.service(0);
        // Records of one moment have no order but that of their request.
        self.content.input.sort_by_cached_key(|message| format!("{message:?}"));
        if !recording.has_span(&hex::decode(&self.span.span_id).unwrap()) {
            self.span.trace_id.clear();
            self.span.span_id.clear();
            self.span.log_id.clear();
        }
        self
    }

    /// Its start, in nanoseconds.
    pub(super) fn start(&self) -> i64 {
        self.span.start_time.map_or(0, |time| time.seconds * 1_000_000_000 + i64::from(time.nanos))
    }

    /// The first lines in which it differs from another one.
    pub(super) fn difference(&self, other: &Self) -> String {
        let (own, others) = (format!("{self:#?}"), format!("{other:#?}"));
        let differ = own.lines().zip(others.lines()).filter(|(own, other)| own != other).take(4);
        let shown: Vec<_> =
            differ.map(|(own, other)| format!("{} NOT {}", own.trim(), other.trim())).collect();
        format!("{}: {}", self.span.name, shown.join("; "))
    }
}
