//! The authenticated port.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonrpsee::Methods;
use jsonrpsee::server::{
    BatchRequestConfig, HttpBody, HttpRequest, HttpResponse, Server, ServerConfig, ServerHandle,
};
use tower::{Layer, Service};

use crate::splice::SpliceLayer;
use crate::{Engine, JwtSecret, metrics};

/// Settings of the authenticated port.
#[derive(Clone, Debug)]
pub struct AuthRpcConfig {
    /// Where to listen.
    pub addr: SocketAddr,
    /// The secret shared with the consensus client.
    pub secret: JwtSecret,
    /// Largest request and response in bytes. A block of deposits alone can be several megabytes.
    pub body_bytes_max: u32,
    /// Most connections.
    pub connections_max: u32,
    /// Most calls of one batch.
    pub batch_max: u32,
}

impl AuthRpcConfig {
    /// Defaults: 128 MiB bodies, 128 connections, batches of 100.
    pub const fn new(addr: SocketAddr, secret: JwtSecret) -> Self {
        Self {
            addr,
            secret,
            body_bytes_max: 128 << 20,
            connections_max: 128,
            batch_max: 100,
        }
    }
}

/// The port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}")]
pub struct ServeError {
    /// The address asked for.
    pub addr: SocketAddr,
    /// The system's answer.
    #[source]
    pub source: std::io::Error,
}

/// A running authenticated port; it closes when dropped or stopped.
#[derive(Debug)]
pub struct AuthRpcServer {
    addr: SocketAddr,
    handle: ServerHandle,
}

impl AuthRpcServer {
    /// What it really listens on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends it; requests under way are answered.
    pub async fn stop(self) {
        // It may have stopped already.
        let _ = self.handle.stop();
        self.handle.stopped().await;
    }
}

/// Serves `methods`, those of `engine` among them, behind JWT authentication, over HTTP and
/// WebSocket. Over HTTP the transactions of our own blocks are neither written as JSON for an
/// answer nor read from a request; they pass as text that is shared with the flashblocks.
pub async fn serve_authrpc(
    config: AuthRpcConfig,
    engine: Engine,
    methods: impl Into<Methods>,
) -> Result<AuthRpcServer, ServeError> {
    let failed = |source| ServeError {
        addr: config.addr,
        source,
    };
    let settings = ServerConfig::builder()
        .max_request_body_size(config.body_bytes_max)
        .max_response_body_size(config.body_bytes_max)
        .max_connections(config.connections_max)
        .set_batch_request_config(BatchRequestConfig::Limit(config.batch_max))
        .build();
    let splice = SpliceLayer {
        engine,
        body_bytes_max: config.body_bytes_max,
    };
    let middleware = tower::ServiceBuilder::new()
        .layer(AuthLayer(config.secret.clone()))
        .layer(splice);
    let server = Server::builder()
        .set_config(settings)
        .set_http_middleware(middleware)
        .build(config.addr)
        .await
        .map_err(failed)?;
    let addr = server.local_addr().map_err(failed)?;
    Ok(AuthRpcServer {
        addr,
        handle: server.start(methods),
    })
}

#[derive(Clone)]
struct AuthLayer(JwtSecret);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth {
            secret: self.0.clone(),
            inner,
        }
    }
}

/// Answers 401 where the token is missing or wrong.
#[derive(Clone)]
struct Auth<S> {
    secret: JwtSecret,
    inner: S,
}

impl<S, B> Service<HttpRequest<B>> for Auth<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let authorization = request
            .headers()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let now_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.as_secs());
        if let Err(error) = self.secret.check(authorization, now_s) {
            metrics::auth_refused();
            tracing::warn!(%error, "engine request refused");
            let response = HttpResponse::builder()
                .status(401)
                .header("content-type", "text/plain; charset=utf-8")
                .header("www-authenticate", "Bearer")
                .body(HttpBody::from(format!("{error}\n")))
                .expect("status and headers are valid constants");
            return Box::pin(std::future::ready(Ok(response)));
        }
        Box::pin(self.inner.call(request))
    }
}
