//! Watches PostgreSQL in the background, and reports to `/readyz` and gRPC's health services whether requests should be
//! sent here.

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

/// How PostgreSQL is watched: the configuration section `health`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HealthConfig {
    /// Time between two probes, in milliseconds. If PostgreSQL closes the connection, the next probe comes at once.
    pub(crate) interval_ms: u64,
    /// Longest time that PostgreSQL may take to answer a probe, in milliseconds; then the daemon is not ready.
    pub(crate) timeout_ms: u64,
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
    /// Longest time that PostgreSQL may take to answer a probe.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// Whether requests should be sent here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// No: the daemon is starting.
    Starting,
    /// Yes.
    Serving,
    /// No: PostgreSQL does not answer, for this reason.
    Away(String),
    /// No: the daemon is stopping.
    Stopping,
}

/// Why the private PostgreSQL does not run; `None` while it runs.
pub(crate) type Trouble = watch::Receiver<Option<String>>;

/// Watches PostgreSQL, and reports the state to the health service of every port and to all receivers of the state.
#[derive(Debug)]
pub(crate) struct Watch {
    interval: Duration,
    state: watch::Sender<State>,
    /// That of a private PostgreSQL, if there is one.
    trouble: Option<Trouble>,
    ports: Vec<Port>,
}

/// The health of one port as a whole, and of each of its services.
#[derive(Debug)]
struct Port {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

/// gRPC's name for a server as a whole.
const WHOLE: &str = "";

impl Watch {
    /// A watch that does not run yet.
    pub(crate) fn new(config: &HealthConfig, trouble: Option<Trouble>) -> Self {
        let (state, _) = watch::channel(State::Starting);
        Self { interval: Duration::from_millis(config.interval_ms), state, trouble, ports: Vec::new() }
    }

    /// A receiver that always holds the present state.
    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// The health service of a port that has these services. It reports NOT_SERVING until [`Self::serving`].
    pub(crate) async fn port(&mut self, services: &[&'static str]) -> HealthServer<impl Health> {
        let (reporter, server) = tonic_health::server::health_reporter();
        let mut port = Port { reporter, services: [&[WHOLE], services].concat() };
        port.tell(ServingStatus::NotServing).await;
        self.ports.push(port);
        server
    }

    /// Reports that requests should be sent here: the daemon has just reached PostgreSQL.
    pub(crate) async fn serving(&mut self) {
        self.tell(State::Serving).await;
    }

    /// Probes PostgreSQL until `stop`, and then reports that the daemon is stopping.
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

    /// Why PostgreSQL does not answer: the error of the probe, and the trouble of a private PostgreSQL.
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
                tracing::error!(%cause, "PostgreSQL does not answer; requests are refused until it does")
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

    /// Ends the Watch calls of clients, which would otherwise last as long as their connections.
    async fn clear(&mut self) {
        for service in &self.services {
            self.reporter.clear_service_status(service).await;
        }
    }
}
