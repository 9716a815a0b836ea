//! Whether requests should be sent here: watched in the background, and told by `/readyz` and by gRPC's health services.

use std::time::Duration;

use llm_observatory_config::{Problems, Validate};
use llm_observatory_storage::Error;
use llm_observatory_storage::health::Probe;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;

/// How PostgreSQL is watched.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthConfig {
    /// Time between two looks, in milliseconds. A connection that PostgreSQL closes is noticed at once.
    pub interval_ms: u64,
    /// Longest time that PostgreSQL may take to answer a look, in milliseconds; then it counts as away.
    pub timeout_ms: u64,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { interval_ms: 1_000, timeout_ms: 2_000 }
    }
}

impl Validate for HealthConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("interval_ms", self.interval_ms, 1);
        problems.at_least("timeout_ms", self.timeout_ms, 1);
    }
}

impl HealthConfig {
    /// Longest time that PostgreSQL may take to answer a look.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// Whether requests should be sent here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not yet.
    Starting,
    /// They should.
    Serving,
    /// PostgreSQL does not answer, for this reason.
    Away(String),
    /// Not any more.
    Stopping,
}

/// Why the private PostgreSQL does not run, while it does not.
pub type Trouble = watch::Receiver<Option<String>>;

/// Watches PostgreSQL, and tells every port's health service and whoever has a receiver of the state.
#[derive(Debug)]
pub(crate) struct Watch {
    interval: Duration,
    state: watch::Sender<State>,
    /// Of a private PostgreSQL.
    trouble: Option<Trouble>,
    ports: Vec<Port>,
}

/// The health of one port: of it as a whole, and of each of its services.
#[derive(Debug)]
struct Port {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

/// gRPC's name for a server as a whole.
const WHOLE: &str = "";

impl Watch {
    /// A watch that does not look yet.
    pub(crate) fn new(config: &HealthConfig, trouble: Option<Trouble>) -> Self {
        let (state, _) = watch::channel(State::Starting);
        Self { interval: Duration::from_millis(config.interval_ms), state, trouble, ports: Vec::new() }
    }

    /// The state as it is at any time.
    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// The health service of a port that has these services. It says that none is served until [`Self::serving`].
    pub(crate) async fn port(&mut self, services: &[&'static str]) -> HealthServer<impl Health> {
        let (reporter, server) = tonic_health::server::health_reporter();
        let mut port = Port { reporter, services: [&[WHOLE], services].concat() };
        port.tell(ServingStatus::NotServing).await;
        self.ports.push(port);
        server
    }

    /// Says that requests should come, as PostgreSQL has just answered.
    pub(crate) async fn serving(&mut self) {
        self.tell(State::Serving).await;
    }

    /// Looks again and again until `stop`, and says then that nothing is served any more.
    pub(crate) async fn run(mut self, mut probe: Probe, stop: CancellationToken) {
        while let Some(looked) = stop.run_until_cancelled(probe.look()).await {
            let state = match looked {
                Ok(()) => State::Serving,
                Err(error) => State::Away(self.cause(&error)),
            };
            self.tell(state).await;
            if stop.run_until_cancelled(probe.pause(self.interval)).await.is_none() {
                break;
            }
        }
        self.tell(State::Stopping).await;
        for port in &mut self.ports {
            port.clear().await;
        }
    }

    /// Why PostgreSQL does not answer: what the driver says, and what is known of a private server beside it.
    fn cause(&self, error: &Error) -> String {
        match self.trouble.as_ref().and_then(|trouble| trouble.borrow().clone()) {
            Some(trouble) => format!("{error}; {trouble}"),
            None => error.to_string(),
        }
    }

    async fn tell(&mut self, state: State) {
        let before = self.state.send_replace(state.clone());
        if before == state {
            return;
        }
        match (&before, &state) {
            (_, State::Away(cause)) => {
                tracing::error!(%cause, "PostgreSQL does not answer; clients are told to try again")
            }
            (State::Away(_), State::Serving) => tracing::info!("PostgreSQL answers again"),
            _ => {}
        }
        let status = match state {
            State::Serving => ServingStatus::Serving,
            State::Starting | State::Away(_) | State::Stopping => ServingStatus::NotServing,
        };
        for port in &mut self.ports {
            port.tell(status).await;
        }
    }
}

impl Port {
    async fn tell(&mut self, status: ServingStatus) {
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Ends every call that watches, which would otherwise last as long as its connection.
    async fn clear(&mut self) {
        for service in &self.services {
            self.reporter.clear_service_status(service).await;
        }
    }
}
