//! HTTP and WebSocket servers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::server::middleware::rpc::RpcServiceBuilder;
use jsonrpsee::server::{
    BatchRequestConfig, PingConfig, Server, ServerConfig as InnerConfig, ServerConfigBuilder,
    ServerHandle,
};
use jsonrpsee::types::SubscriptionId;
use jsonrpsee::{Methods, RpcModule};
use tokio::net::TcpListener;

use crate::accept::serve_with_peers;
use crate::batch::{BatchLimits, Batching, MethodNames};
use crate::modules::{eth_module, subscription_module};
use crate::{EthApi, Namespace, Sources};

/// Limits of one server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Connections at once.
    pub connections_max: u32,
    /// Size of a request, batches included, in bytes.
    pub request_bytes_max: u32,
    /// Size of an answer, batches included, in bytes.
    pub response_bytes_max: u32,
    /// Requests in a batch.
    pub batch_entries_max: u32,
    /// Subscriptions of one WebSocket connection.
    pub subscriptions_max: u32,
    /// Answers and notifications that may wait for one WebSocket connection. Full: the connection's
    /// subscriptions wait, and are closed once they lag behind the chain. At least 1.
    pub outgoing_messages_max: u32,
    /// A connection that sent no request for this long is cut (HTTP), or pinged and cut after a
    /// second such time without an answer (WebSocket).
    pub idle_timeout: Duration,
    /// From where transactions are taken; everything else is answered to everybody.
    pub sources: Sources,
    /// Which methods are served.
    pub namespaces: Vec<Namespace>,
    /// The methods of [`Namespace::Builder`], which are not this crate's.
    pub builder: Methods,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            connections_max: 500,
            request_bytes_max: 16 * 1024 * 1024,
            response_bytes_max: 64 * 1024 * 1024,
            batch_entries_max: 1_000,
            subscriptions_max: 128,
            outgoing_messages_max: 1_024,
            idle_timeout: Duration::from_secs(30),
            sources: Sources::default(),
            namespaces: Namespace::PUBLIC.to_vec(),
            builder: Methods::new(),
        }
    }
}

/// A server cannot start.
#[derive(Debug, thiserror::Error)]
#[error("JSON-RPC server cannot listen on {addr}: {source}")]
pub struct ServeError {
    /// The address asked for.
    addr: SocketAddr,
    /// What the system said.
    #[source]
    source: std::io::Error,
}

/// A running server. It serves until it is stopped or dropped with all its handles.
#[derive(Debug)]
pub struct RpcServer {
    local_addr: SocketAddr,
    handle: ServerHandle,
}

impl RpcServer {
    /// The address that is really listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, ends the connections, and returns when they are gone.
    pub async fn stop(self) {
        // An error says that it has stopped already.
        let _ = self.handle.stop();
        self.handle.stopped().await;
    }
}

/// Serves the methods for users over HTTP alone.
///
/// # Errors
/// [`ServeError`] where the address cannot be listened on.
pub async fn serve_http(
    addr: SocketAddr,
    api: &EthApi,
    config: &ServerConfig,
) -> Result<RpcServer, ServeError> {
    let methods = served(eth_module(api), config);
    serve(addr, (methods, api), config, base(config).http_only()).await
}

/// Serves the methods for users and their subscriptions over WebSocket alone.
///
/// # Errors
/// [`ServeError`] where the address cannot be listened on.
pub async fn serve_ws(
    addr: SocketAddr,
    api: &EthApi,
    config: &ServerConfig,
) -> Result<RpcServer, ServeError> {
    let mut module = eth_module(api);
    module
        .merge(subscription_module(api))
        .expect("the modules of this crate share no method");
    let methods = served(module, config);
    let ping = PingConfig::new()
        .ping_interval(config.idle_timeout)
        .inactive_limit(config.idle_timeout)
        .max_failures(1);
    let inner = base(config)
        .ws_only()
        .max_subscriptions_per_connection(config.subscriptions_max)
        .set_message_buffer_capacity(config.outgoing_messages_max.max(1))
        .set_id_provider(HexIds)
        .enable_ws_ping(ping);
    serve(addr, (methods, api), config, inner).await
}

/// What of `module` the configuration asks for, and what else it does.
fn served(mut module: RpcModule<EthApi>, config: &ServerConfig) -> Methods {
    let namespaces = &config.namespaces;
    let is_served = |name: &str| namespaces.iter().any(|namespace| namespace.has(name));
    let names: Vec<&'static str> = module.method_names().collect();
    for name in names.into_iter().filter(|name| !is_served(name)) {
        module.remove_method(name);
    }
    if namespaces.contains(&Namespace::Builder) {
        let merged = module.merge(config.builder.clone());
        merged.expect("no method of this crate is in that namespace");
    }
    module.into()
}

fn base(config: &ServerConfig) -> ServerConfigBuilder {
    InnerConfig::builder()
        .max_connections(config.connections_max)
        .max_request_body_size(config.request_bytes_max)
        .max_response_body_size(config.response_bytes_max)
        .set_batch_request_config(BatchRequestConfig::Limit(config.batch_entries_max))
        .set_first_request_timeout(Some(config.idle_timeout))
        .set_keep_alive(Some(config.idle_timeout))
}

async fn serve(
    addr: SocketAddr,
    (methods, api): (Methods, &EthApi),
    config: &ServerConfig,
    inner: ServerConfigBuilder,
) -> Result<RpcServer, ServeError> {
    let error = |source| ServeError { addr, source };
    let limits = BatchLimits {
        entries_max: config.batch_entries_max as usize,
        response_bytes_max: config.response_bytes_max as usize,
    };
    let names: MethodNames = Arc::new(methods.method_names().map(|name| (name, name)).collect());
    let (intake, sources) = (api.intake.clone(), config.sources.clone());
    let middleware = RpcServiceBuilder::new().layer_fn(move |inner| Batching {
        inner,
        limits,
        names: Arc::clone(&names),
        intake: intake.clone(),
        sources: sources.clone(),
    });
    let builder = Server::builder()
        .set_config(inner.build())
        .set_rpc_middleware(middleware);
    if config.sources.is_limited() {
        let listener = TcpListener::bind(addr).await.map_err(error)?;
        let local_addr = listener.local_addr().map_err(error)?;
        let handle = serve_with_peers(listener, builder.to_service_builder(), methods);
        return Ok(RpcServer { local_addr, handle });
    }
    let server = builder.build(addr).await.map_err(error)?;
    let local_addr = server.local_addr().map_err(error)?;
    Ok(RpcServer {
        local_addr,
        handle: server.start(methods),
    })
}

/// Subscription ids as Ethereum's clients expect them: hex strings nobody can guess.
#[derive(Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        SubscriptionId::Str(format!("0x{:032x}", rand::random::<u128>()).into())
    }
}
