//! Exporters as OTLP wants them: they send the same bytes again until they are acknowledged: at once after a lost
//! connection, and after the delay that a refusal asks for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use harness::daemon::Options;
use harness::eventually::deadline;
use harness::raw;
use harness::retry::retry_delay;
use http::uri::PathAndQuery;
use llm_observatory_core::Signal;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::codec::AsItIs;
use crate::oracle::{Oracle, Request};
use crate::run::Run;

/// As the Collector: an attempt without an answer is given up after this time.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Before a lost connection is opened again.
const RECONNECT: Duration = Duration::from_millis(20);
/// Exporters of each signal, each with a connection of its own.
const EXPORTERS: u64 = 2;
const MOST_RECORDS: u64 = 60;
/// Calls that are under way at once on one connection; more would wait for each other, and be given up.
const CALLS: usize = 32;

/// A daemon that asks for retries after 100 ms, since these tests are about what the retries find.
pub(crate) fn daemon_on(database_url: impl Into<String>) -> Options {
    Options::on(database_url).environment("OBSERVATORY_INGEST__RETRY_DELAY_MS", "100")
}

/// Where the daemon is now: it has another port after each restart.
#[derive(Debug, Clone)]
pub(crate) struct Target(Arc<Mutex<String>>);

impl Target {
    pub(crate) fn at(address: impl Into<String>) -> Self {
        Self(Arc::new(Mutex::new(address.into())))
    }

    pub(crate) fn moves_to(&self, address: impl Into<String>) {
        *self.0.lock().unwrap() = address.into();
    }

    fn uri(&self) -> String {
        format!("http://{}", self.0.lock().unwrap())
    }
}

/// How often each kind of answer was seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<BTreeMap<String, u64>>>);

impl Answers {
    fn count(&self, answer: &str) {
        *self.0.lock().unwrap().entry(answer.to_owned()).or_default() += 1;
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap();
        let counts: Vec<_> = counts.iter().map(|(answer, count)| format!("{answer} {count}")).collect();
        f.write_str(&counts.join(", "))
    }
}

/// Why an attempt was not acknowledged, and when to try again.
#[derive(Debug)]
pub(crate) struct Unacknowledged {
    why: String,
    delay: Duration,
}

/// One exporter's connection. Clones share it, as long as it lasts.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    target: Target,
    answers: Answers,
    calls: Arc<Semaphore>,
    channel: Option<Channel>,
}

impl Connection {
    pub(crate) fn to(target: &Target, answers: &Answers) -> Self {
        let calls = Arc::new(Semaphore::new(CALLS));
        Self { target: target.clone(), answers: answers.clone(), calls, channel: None }
    }

    /// Sends the request until it is acknowledged, and tells the oracle.
    pub(crate) async fn deliver(&mut self, oracle: &Oracle, request: &Request) {
        let mut last = String::new();
        let delivered = tokio::time::timeout(deadline(), async {
            while let Err(Unacknowledged { why, delay }) = self.attempt(oracle, request).await {
                last = why;
                tokio::time::sleep(delay).await; // what RetryInfo asks for
            }
        });
        let delivered = delivered.await;
        assert!(delivered.is_ok(), "not acknowledged within {:?}, at last: {last}", deadline());
    }

    /// Sends the request once, and tells the oracle if it is acknowledged. Panics when the daemon answers with anything
    /// that makes clients drop their data.
    pub(crate) async fn attempt(&mut self, oracle: &Oracle, request: &Request) -> Result<(), Unacknowledged> {
        let calls = self.calls.clone();
        let _permit = calls.acquire().await.unwrap();
        let answer = match tokio::time::timeout(ATTEMPT, self.call(request)).await {
            Ok(answer) => answer,
            Err(_) => return Err(self.lost("no answer", format!("no answer within {ATTEMPT:?}"))),
        };
        match answer {
            Ok(answer) => {
                // Its partial_success has the same fields in all signals.
                let answer = ExportTraceServiceResponse::decode(answer).unwrap();
                assert_eq!(answer.partial_success, None, "nothing here is to be rejected");
                self.answers.count("OK");
                oracle.acknowledge(request);
                Ok(())
            }
            Err(Lost::Connection(why)) => Err(self.lost("connection lost", why)),
            Err(Lost::Refused(status)) => {
                let retryable = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
                let delay = retry_delay(&status).filter(|_| retryable);
                let delay = delay.unwrap_or_else(|| panic!("clients would drop their data: {status:?}"));
                self.answers.count(&format!("{:?}", status.code()));
                Err(Unacknowledged { why: status.to_string(), delay })
            }
        }
    }

    fn lost(&mut self, kind: &str, why: String) -> Unacknowledged {
        self.answers.count(kind);
        self.channel = None;
        Unacknowledged { why, delay: RECONNECT }
    }

    async fn call(&mut self, request: &Request) -> Result<Bytes, Lost> {
        let channel = match &self.channel {
            Some(channel) => channel.clone(),
            None => {
                let endpoint = Endpoint::from_shared(self.target.uri()).unwrap();
                let channel =
                    endpoint.connect().await.map_err(|error| Lost::Connection(error.to_string()))?;
                self.channel.insert(channel).clone()
            }
        };
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.map_err(|error| Lost::Connection(error.to_string()))?;
        let path = PathAndQuery::from_static(raw::method(request.signal));
        let answer = grpc.unary(tonic::Request::new(request.bytes.clone()), path, AsItIs).await;
        answer.map(tonic::Response::into_inner).map_err(Lost::from)
    }
}

/// Why a request was not acknowledged.
enum Lost {
    Connection(String),
    Refused(Status),
}

impl From<Status> for Lost {
    fn from(status: Status) -> Self {
        // A status that has a source was made on our side of the wire, of a connection's error.
        match std::error::Error::source(&status) {
            Some(_) => Self::Connection(status.to_string()),
            None => Self::Refused(status),
        }
    }
}

/// Exporters of all three signals, which send new records until they are told to finish.
pub(crate) struct Exporters {
    tasks: JoinSet<()>,
    answers: Answers,
    finish: watch::Sender<bool>,
}

impl Exporters {
    pub(crate) fn start(run: Run, oracle: &Arc<Oracle>, target: &Target) -> Self {
        let (finish, finished) = watch::channel(false);
        let mut exporters = Self { tasks: JoinSet::new(), answers: Answers::default(), finish };
        for number in 0..EXPORTERS * Signal::ALL.len() as u64 {
            let signal = Signal::ALL[number as usize % Signal::ALL.len()];
            let mut random = run.random(1_000 + number);
            let mut connection = Connection::to(target, &exporters.answers);
            let (oracle, finished) = (oracle.clone(), finished.clone());
            exporters.tasks.spawn(async move {
                while !*finished.borrow() {
                    let request = oracle.new_request(signal, random.within(1..MOST_RECORDS + 1));
                    connection.deliver(&oracle, &request).await;
                }
            });
        }
        exporters
    }

    /// Waits until every exporter has delivered the request that it has begun.
    pub(crate) async fn finish(self) -> Answers {
        self.finish.send_replace(true);
        self.tasks.join_all().await;
        self.answers
    }
}

/// Delivers a new record of each signal.
pub(crate) async fn deliver_fresh_records(oracle: &Oracle, target: &Target) {
    let mut connection = Connection::to(target, &Answers::default());
    for signal in Signal::ALL {
        connection.deliver(oracle, &oracle.new_request(signal, 1)).await;
    }
}
