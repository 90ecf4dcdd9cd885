//! `/metrics` for Prometheus and `/health` for load balancers.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use blockwright_outlets::{Listen, OutletError};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::LaunchError;

/// Buckets for durations in seconds, from 50 µs to 10 s.
const DURATION_BUCKETS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// Buckets for durations in microseconds, from 50 µs to 10 s.
const MICROS_BUCKETS: &[f64] = &[
    50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 5e6,
    1e7,
];

/// Installs the process's recorder. Later calls in one process (tests start several nodes) reuse the
/// first one.
pub(crate) fn recorder() -> Result<PrometheusHandle, LaunchError> {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    static INSTALL: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = INSTALL
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let failed =
        |error: metrics_exporter_prometheus::BuildError| LaunchError::Metrics(error.to_string());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS)
        .map_err(failed)?
        .set_buckets_for_metric(Matcher::Suffix("_us".to_owned()), MICROS_BUCKETS)
        .map_err(failed)?
        .install_recorder()
        .map_err(failed)?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Binds the server; the future serves until `stop` resolves. `/health` answers 200 with the
/// text that `health` gives, or 503 with the reason.
pub(crate) async fn bind(
    listen: Listen,
    handle: PrometheusHandle,
    health: impl Fn() -> Result<String, String> + Clone + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(SocketAddr, impl Future<Output = ()> + Send), LaunchError> {
    let failed = |source| OutletError::Listen {
        server: "metrics",
        addr: listen.socket(),
        source,
    };
    let listener = TcpListener::bind(listen.socket()).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let router = Router::new()
        .route(
            "/metrics",
            get(move || {
                let handle = handle.clone();
                async move {
                    handle.run_upkeep();
                    handle.render()
                }
            }),
        )
        .route(
            "/health",
            get(move || {
                let health = health();
                async move {
                    match health {
                        Ok(body) => (StatusCode::OK, body),
                        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
                    }
                }
            }),
        );
    let serve = async move {
        if let Err(error) = axum::serve(listener, router)
            .with_graceful_shutdown(stop)
            .await
        {
            tracing::error!(%error, "metrics server stopped");
        }
    };
    Ok((addr, serve))
}
