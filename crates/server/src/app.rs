//! The daemon: built from its configuration, then spawned, then stopped.

use std::net::SocketAddr;
use std::time::Duration;

use llm_observatory_ingest::{Books, Metrics, Pipeline};
use llm_observatory_query::Query;
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::health::Probe;
use llm_observatory_storage::maintenance::job::Job;
use llm_observatory_storage::writers::{LogBatch, MetricBatch, TraceBatch};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::Router;

use crate::admin::Admin;
use crate::config::{Config, Role};
use crate::connections::{Connections, ConnectionsConfig, accept};
use crate::grpc::{ingest, query, reflection};
use crate::health::{Trouble, Watch};
use crate::jobs;
use crate::otlp::grpc::{self as otlp, ExportService};

/// The part of `shutdown_s` that is kept for background tasks, which end after the requests in flight.
const BACKGROUND_END: Duration = Duration::from_secs(2);

/// The sockets of the daemon. They are bound before anything else starts, so that a taken port ends the start at once.
#[derive(Debug)]
pub(crate) struct Listeners {
    ingest: Option<TcpListener>,
    query: Option<TcpListener>,
    admin: TcpListener,
}

/// The daemon can't listen on an address.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {source}; choose another address with --{flag}, or stop the program that uses this one"
)]
pub(crate) struct ListenError {
    address: SocketAddr,
    flag: &'static str,
    source: std::io::Error,
}

impl Listeners {
    /// Binds the addresses that the role needs. Port 0 takes any free port.
    ///
    /// # Errors
    /// [`ListenError`] when an address is taken, not permitted, or not one of this machine.
    pub(crate) async fn bind(config: &Config) -> Result<Self, ListenError> {
        let ingest = match config.role.ingests() {
            true => Some(listen(config.ingest_listen, "ingest-listen").await?),
            false => None,
        };
        let query = match config.role.answers() {
            true => Some(listen(config.query_listen, "query-listen").await?),
            false => None,
        };
        Ok(Self { ingest, query, admin: listen(config.admin_listen, "admin-listen").await? })
    }

    /// The addresses in one line, for people and scripts: `ingest=127.0.0.1:4317 query=… admin=…`.
    pub(crate) fn addresses(&self) -> String {
        let listeners =
            [("ingest", self.ingest.as_ref()), ("query", self.query.as_ref()), ("admin", Some(&self.admin))];
        let addresses: Vec<_> = listeners
            .into_iter()
            .filter_map(|(name, listener)| Some(format!("{name}={}", listener?.local_addr().ok()?)))
            .collect();
        addresses.join(" ")
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError { address, flag, source })
}

/// The jobs of a daemon of this role.
fn jobs(pool: &StoragePool, role: Role) -> Vec<Job> {
    let mut jobs = vec![Job::partitions(pool)];
    if role.ingests() {
        jobs.extend([Job::retention(pool), Job::statistics(pool), Job::settling(pool)]);
    }
    jobs
}

/// The daemon before it runs: all parts are connected, and none is started.
#[derive(Debug)]
pub(crate) struct App {
    config: Config,
    pool: StoragePool,
    listeners: Listeners,
    trouble: Option<Trouble>,
    pipelines: Option<Pipelines>,
    books: Option<Books>,
    query: Option<Query>,
    registry: Registry,
}

/// The pipeline of each signal.
#[derive(Debug, Clone)]
struct Pipelines {
    spans: Pipeline<TraceBatch>,
    points: Pipeline<MetricBatch>,
    logs: Pipeline<LogBatch>,
}

impl Pipelines {
    fn spawn(&self, tasks: &TaskTracker, force: &CancellationToken, failed: &CancellationToken) {
        self.spans.spawn(tasks, force, failed);
        self.points.spawn(tasks, force, failed);
        self.logs.spawn(tasks, force, failed);
    }

    fn close(&self) {
        self.spans.close();
        self.points.close();
        self.logs.close();
    }
}

/// The running daemon.
#[derive(Debug)]
pub(crate) struct Running {
    shutdown: Duration,
    pipelines: Option<Pipelines>,
    health: Option<JoinHandle<()>>,
    unwatch: CancellationToken,
    servers: TaskTracker,
    writers: TaskTracker,
    background: TaskTracker,
    stop: CancellationToken,
    force: CancellationToken,
    failed: CancellationToken,
}

impl App {
    /// Connects the parts. Nothing runs yet. `trouble` is that of a private PostgreSQL, if there is one.
    pub(crate) fn build(
        config: Config,
        pool: StoragePool,
        listeners: Listeners,
        trouble: Option<Trouble>,
    ) -> Self {
        let mut registry = Registry::default();
        let metrics = config.role.ingests().then(|| Metrics::register(&mut registry, pool.llm().clone()));
        let books = metrics.as_ref().map(|metrics| metrics.books().clone());
        let pipelines = metrics.map(|metrics| {
            let ingest = || config.ingest.clone();
            Pipelines {
                spans: Pipeline::build(ingest(), pool.clone(), metrics.clone()),
                points: Pipeline::build(ingest(), pool.clone(), metrics.clone()),
                logs: Pipeline::build(ingest(), pool.clone(), metrics),
            }
        });
        let query = config.role.answers().then(|| {
            let metrics = llm_observatory_query::Metrics::register(&mut registry, &pool);
            Query::new(pool.clone(), config.query.clone(), metrics)
        });
        Self { config, pool, listeners, trouble, pipelines, books, query, registry }
    }

    /// Starts the writers, the servers, the jobs and the watch over PostgreSQL.
    pub(crate) async fn spawn(self) -> Running {
        let mut running = Running {
            shutdown: self.config.shutdown(),
            pipelines: self.pipelines.clone(),
            health: None,
            unwatch: CancellationToken::new(),
            servers: TaskTracker::new(),
            writers: TaskTracker::new(),
            background: TaskTracker::new(),
            stop: CancellationToken::new(),
            force: CancellationToken::new(),
            failed: CancellationToken::new(),
        };
        let mut watch = Watch::new(&self.config.health, self.trouble);
        let connections = &self.config.connections;
        let most = connections.max_message_bytes;
        let stats = self.books.map(|books| ingest::service(books, most));
        if let (Some(listener), Some(pipelines)) = (self.listeners.ingest, self.pipelines) {
            pipelines.spawn(&running.writers, &running.force, &running.failed);
            let services = [&otlp::SERVICES[..], &[ingest::SERVICE]].concat();
            let health = watch.port(&services).await;
            let router = connections
                .server()
                .add_service(health.max_decoding_message_size(most))
                .add_service(ExportService::new(pipelines.spans))
                .add_service(ExportService::new(pipelines.points))
                .add_service(ExportService::new(pipelines.logs))
                .add_optional_service(stats.clone());
            let router = reflection::add(router, &services, most);
            running.serve("ingest", router, listener, connections);
        }
        if let (Some(listener), Some(query)) = (self.listeners.query, self.query) {
            let services =
                [&query::SERVICES[..], stats.as_ref().map_or(&[], |_| &[ingest::SERVICE])].concat();
            let health = watch.port(&services).await.max_decoding_message_size(most);
            let router = connections.server().add_service(health).add_optional_service(stats);
            let router = query::services(router, query, most);
            let router = reflection::add(router, &services, most);
            running.serve("query", router, listener, connections);
        }
        running.serve_admin(Admin::new(self.registry, watch.state()), self.listeners.admin);
        jobs::spawn(
            jobs(&self.pool, self.config.role),
            &self.config.jobs,
            &running.background,
            &running.stop,
        );
        watch.serving().await;
        let probe = Probe::new(self.pool, self.config.health.timeout());
        running.health = Some(tokio::spawn(watch.run(probe, running.unwatch.clone())));
        running
    }
}

impl Running {
    fn serve(
        &self,
        name: &'static str,
        router: Router,
        listener: TcpListener,
        connections: &ConnectionsConfig,
    ) {
        let (stop, failed) = (self.stop.clone(), self.failed.clone());
        let (accepting, incoming) =
            accept(name, listener, Connections::new(connections.clone()), stop.clone());
        self.servers.spawn(accepting);
        self.servers.spawn(async move {
            if let Err(error) = router.serve_with_incoming_shutdown(incoming, stop.cancelled()).await {
                tracing::error!(server = name, %error, "server ended");
                failed.cancel();
            }
        });
    }

    fn serve_admin(&self, admin: Admin, listener: TcpListener) {
        let (force, failed) = (self.force.clone(), self.failed.clone());
        self.background.spawn(async move {
            // Pages stay up while the daemon drains: that is when an operator looks.
            let serve = axum::serve(listener, admin.router()).with_graceful_shutdown(force.cancelled_owned());
            if let Err(error) = serve.await {
                tracing::error!(server = "admin", %error, "server ended");
                failed.cancel();
            }
        });
    }

    /// Waits until a server or a writer ends unexpectedly.
    pub(crate) async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Stops the daemon: it is no longer ready, accepts no connections, and answers the requests in flight. After
    /// `shutdown_s`, or when `now` completes, it gives the rest up. Returns whether all requests were answered.
    pub(crate) async fn stop(mut self, now: impl Future<Output = ()>) -> bool {
        self.unwatch.cancel();
        if let Some(health) = self.health.take()
            && let Err(error) = health.await
        {
            tracing::error!(%error, "the watch over PostgreSQL ended unexpectedly");
        }
        self.stop.cancel();
        self.servers.close();
        self.writers.close();
        self.background.close();
        let drained = async {
            self.servers.wait().await;
            if let Some(pipelines) = &self.pipelines {
                pipelines.close();
            }
            self.writers.wait().await;
        };
        let finished = tokio::select! {
            () = drained => true,
            () = tokio::time::sleep(self.shutdown.saturating_sub(BACKGROUND_END)) => false,
            () = now => false,
        };
        if !finished {
            tracing::warn!("giving up the requests that are still in flight; their clients will try again");
        }
        self.force.cancel();
        self.writers.wait().await;
        // A client that reads an admin page slowly must not hold up the end.
        let _ = tokio::time::timeout(BACKGROUND_END, self.background.wait()).await;
        finished
    }
}
