//! A client that sends bytes: requests are encoded before they are sent, and may hold what no encoder writes.

use std::time::Duration;

use bytes::Bytes;
use harness::Daemon;
use harness::eventually::deadline;
use harness::retry::{delay_asked_by, is_for_good};
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::codec::AsItIs;

/// The answer to an export. The three signals' responses are one and the same on the wire.
pub(crate) type Answer = ExportTraceServiceResponse;

/// One connection to a daemon. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Channel);

impl Caller {
    pub(crate) async fn to(daemon: &Daemon) -> Self {
        Self::try_to(daemon).await.unwrap()
    }

    pub(crate) async fn try_to(daemon: &Daemon) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{}", daemon.ingest())).unwrap();
        Ok(Self(endpoint.timeout(deadline()).connect().await?))
    }

    /// Sends a request once.
    pub(crate) async fn send(
        &self,
        method: &'static str,
        body: Bytes,
    ) -> Result<Option<ExportTracePartialSuccess>, Status> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await.map_err(|error| Status::unknown(format!("the connection broke: {error}")))?;
        let answer = grpc.unary(Request::new(body), PathAndQuery::from_static(method), AsItIs).await?;
        Ok(Answer::decode(answer.into_inner()).unwrap().partial_success)
    }

    /// Sends a request, as SDKs do, again for as long as the daemon asks for it, each time after the delay that it asks for.
    /// Returns how often the daemon refused it, and the last answer.
    pub(crate) async fn send_until_taken(
        &self,
        method: &'static str,
        body: Bytes,
    ) -> (u32, Result<Option<ExportTracePartialSuccess>, Status>) {
        let patient = async {
            let mut refusals = 0;
            loop {
                match self.send(method, body.clone()).await {
                    Err(status) if delay_asked_by(&status).is_some() => {
                        refusals += 1;
                        tokio::time::sleep(delay_asked_by(&status).unwrap()).await;
                    }
                    answer => return (refusals, answer),
                }
            }
        };
        tokio::time::timeout(deadline(), patient).await.expect("a request is taken in the end")
    }
}

/// Whether the connection broke: such a status was made on our side of the wire, and knows its source.
pub(crate) fn is_lost(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

/// Checks that the status makes clients try again, and returns the delay that it asks for.
#[track_caller]
pub(crate) fn assert_retryable(status: &Status) -> Duration {
    delay_asked_by(status).unwrap_or_else(|| panic!("clients drop what is refused like this: {status:?}"))
}

/// Checks that the request is refused for good.
#[track_caller]
pub(crate) fn assert_refused_for_good(status: &Status) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(is_for_good(status), "{status:?}");
}
