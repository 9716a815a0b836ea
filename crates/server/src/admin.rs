//! HTTP pages for the operator: `/metrics`, `/healthz`, `/readyz`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::health;

/// The admin pages.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    registry: Arc<Registry>,
    state: watch::Receiver<health::State>,
}

impl Admin {
    /// The pages over a registry that has all metrics, and the state of the daemon.
    pub(crate) fn new(registry: Registry, state: watch::Receiver<health::State>) -> Self {
        Self { registry: Arc::new(registry), state }
    }

    /// The routes.
    pub(crate) fn router(self) -> Router {
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

/// Answers 200 while requests should be sent here, and 503 with the cause otherwise. It answers from the state, without
/// asking PostgreSQL. Redis does not matter: everything works without it.
async fn readyz(State(admin): State<Admin>) -> Response {
    let state = admin.state.borrow().clone();
    let why_not = match state {
        health::State::Serving => return "ready\n".into_response(),
        health::State::Starting => "the daemon is starting".to_owned(),
        health::State::Stopping => "the daemon is stopping".to_owned(),
        health::State::Away(cause) => cause,
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why_not}\n")).into_response()
}
