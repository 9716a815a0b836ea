//! A proxy between exporters and a daemon that loses answers: the daemon has committed and said OK, and the exporter hears
//! UNAVAILABLE.

use std::error::Error;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use bytes::Bytes;
use harness::retry::refuse_for_now;
use http_body_util::{BodyExt as _, Collected, Full};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tower_service::Service as _;

use crate::exporter::Target;
use crate::run::{Random, Run};

/// The delay that it asks the exporter for.
const DELAY: Duration = Duration::from_millis(500);

/// The proxy, as long as this lives.
pub(crate) struct LossyProxy {
    address: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    daemon: Channel,
    random: Mutex<Random>,
    lost_percent: AtomicU64,
    lost: AtomicU64,
    passed: AtomicU64,
}

impl LossyProxy {
    /// A proxy that passes all answers on, for now.
    pub(crate) async fn before(run: Run, daemon: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let endpoint = Endpoint::from_shared(format!("http://{daemon}")).unwrap();
        let shared = Arc::new(Shared {
            daemon: endpoint.connect().await.unwrap(),
            random: Mutex::new(run.random(2_000)),
            lost_percent: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            passed: AtomicU64::new(0),
        });
        let router = axum::Router::new().fallback(answer).with_state(shared.clone());
        let server = Server::builder().add_routes(Routes::from(router));
        let serving = tokio::spawn(async move {
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
        });
        Self { address, shared, serving }
    }

    pub(crate) fn target(&self) -> Target {
        Target::at(&self.address)
    }

    /// From now on loses `percent` of a hundred answers.
    pub(crate) fn loses(&self, percent: u64) {
        self.shared.lost_percent.store(percent, Ordering::Relaxed);
    }

    /// How many OKs of the daemon were lost, and how many passed on.
    pub(crate) fn lost_and_passed(&self) -> (u64, u64) {
        (self.shared.lost.load(Ordering::Relaxed), self.shared.passed.load(Ordering::Relaxed))
    }
}

impl Drop for LossyProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One call: its bytes go to the daemon as they are, and the daemon's answer comes back, or is lost.
async fn answer(
    State(shared): State<Arc<Shared>>,
    call: http::Request<axum::body::Body>,
) -> http::Response<Body> {
    // In a task of its own: the daemon hears the call to its end even when the exporter has given it up.
    let forwarding = tokio::spawn(forward(shared.daemon.clone(), call));
    let (head, answer) = match forwarding.await.unwrap() {
        Ok(response) => response.into_parts(),
        Err(error) => return refuse_for_now(DELAY, &error.to_string()).into_http(),
    };
    let status = answer.trailers().and_then(Status::from_header_map);
    if status.is_some_and(|status| status.code() == Code::Ok) {
        if shared.random.lock().unwrap().percent(shared.lost_percent.load(Ordering::Relaxed)) {
            shared.lost.fetch_add(1, Ordering::Relaxed);
            return refuse_for_now(DELAY, "the answer was lost").into_http();
        }
        shared.passed.fetch_add(1, Ordering::Relaxed);
    }
    let trailers = answer.trailers().cloned();
    let body = Full::new(answer.to_bytes()).with_trailers(async move { trailers.map(Ok) });
    http::Response::from_parts(head, Body::new(body))
}

async fn forward(
    mut daemon: Channel,
    call: http::Request<axum::body::Body>,
) -> Result<http::Response<Collected<Bytes>>, Box<dyn Error + Send + Sync>> {
    let (head, body) = call.into_parts();
    let frame = body.collect().await?.to_bytes();
    poll_fn(|context| daemon.poll_ready(context)).await?;
    let call = http::Request::from_parts(head, Body::new(Full::new(frame)));
    let (head, body) = daemon.call(call).await?.into_parts();
    Ok(http::Response::from_parts(head, body.collect().await?))
}
