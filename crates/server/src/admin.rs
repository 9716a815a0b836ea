//! HTTP for the operator: `/metrics`, `/healthz`, `/readyz`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use llm_observatory_storage::StoragePool;
use prometheus_client::registry::Registry;

/// What the admin pages show.
#[derive(Debug, Clone)]
pub struct Admin {
    registry: Arc<Registry>,
    pool: StoragePool,
    ready: Readiness,
}

/// Whether requests should be sent here; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on, or no longer.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Admin {
    /// The pages over a registry that is complete.
    pub fn new(registry: Registry, pool: StoragePool, ready: Readiness) -> Self {
        Self { registry: Arc::new(registry), pool, ready }
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .with_state(self)
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &admin.registry) {
        Ok(()) => ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Ready when serving and when PostgreSQL answers; Redis may be away, everything still works.
async fn readyz(State(admin): State<Admin>) -> Response {
    if !admin.ready.get() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not serving\n").into_response();
    }
    match admin.pool.health_check().await.postgres.error {
        None => "ready\n".into_response(),
        Some(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}
