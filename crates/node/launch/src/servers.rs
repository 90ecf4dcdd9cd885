//! The three JSON-RPC servers.

use std::net::SocketAddr;
use std::sync::Arc;

use blockwright_builder_rpc::{BuilderRpc, builder_module, builder_subscription_module};
use blockwright_engine::{
    AuthRpcConfig, AuthRpcServer, EmbeddedHost, Engine, JwtSecret, engine_module, serve_authrpc,
};
use blockwright_forward::ForwardService;
use blockwright_outlets::ServerRuntime;
use blockwright_pool::Pool;
use blockwright_rpc::{
    EthApi, Namespace, Overlay, RpcDeps, RpcServer, ServerConfig, Sources, engine_port_module,
    serve_http, serve_ws,
};
use blockwright_service::BuilderHandle;
use blockwright_threads::Priority;
use jsonrpsee::Methods;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::{failed, flag};
use crate::{Bound, LaunchError, NodeConfig, RpcLimits};

/// HTTP, WebSocket and the authenticated port.
pub(crate) struct Servers {
    http: RpcServer,
    ws: RpcServer,
    authrpc: AuthRpcServer,
    copies: Option<Copies>,
    /// Dropped last: the servers for the public live on it.
    _rpc: ServerRuntime,
}

/// The running task that sends copies of transactions on.
struct Copies {
    /// Ends it.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// The `eth_` API, and what has to run for it.
pub(crate) struct RpcParts {
    api: EthApi,
    builder: BuilderRpc,
    copies: Option<ForwardService>,
}

/// What JSON-RPC stands on beside the engine.
pub(crate) struct RpcInputs {
    pub(crate) pool: Pool,
    pub(crate) handle: BuilderHandle<EmbeddedHost>,
    pub(crate) builder: BuilderRpc,
    /// Preconfirmed state.
    pub(crate) overlay: Option<Overlay>,
}

/// The `eth_` API over a node's parts.
fn rpc_parts(
    engine: &Engine,
    inputs: RpcInputs,
    config: &NodeConfig,
) -> Result<RpcParts, LaunchError> {
    let (forwarding, copies) = config.forward.start()?;
    let handle = inputs.handle;
    let heads = engine.heads().clone();
    let api = EthApi::new(RpcDeps {
        store: engine.store().clone(),
        pool: inputs.pool,
        chain: Arc::clone(engine.chain()),
        heads: Arc::new(move || heads.updates()),
        overlay: inputs.overlay,
        set_da_limits: Arc::new(move |tx, block| handle.set_da_limits(tx, block)),
        forwarding,
        client_version: format!(
            "Blockwright/v{}/{}-{}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH
        ),
        limits: blockwright_rpc::RpcLimits {
            call_gas_max: config.rpc.gas_cap,
            sync_timeout: config.rpc.sync_timeout,
            sync_timeout_max: config.rpc.sync_timeout_max,
            sync_waiting_max: config.rpc.sync_waiting_max,
            simulate_calls_max: config.rpc.simulate_calls_max,
            simulate_result_bytes_max: config.rpc.simulate_result_bytes_max,
            ..blockwright_rpc::RpcLimits::default()
        },
    });
    Ok(RpcParts {
        api,
        builder: inputs.builder,
        copies,
    })
}

/// Refuses waits that make no sense, before anything is started.
pub(crate) fn check_waits(limits: &RpcLimits) -> Result<(), LaunchError> {
    if limits.sync_timeout.is_zero() || limits.sync_timeout > limits.sync_timeout_max {
        let (asked, most) = (limits.sync_timeout, limits.sync_timeout_max);
        let reason = format!("{asked:?} is not between 1ms and --rpc.sync-timeout-max, {most:?}");
        return Err(flag("--rpc.sync-timeout", &reason));
    }
    let idle = ServerConfig::default().idle_timeout;
    if limits.sync_timeout_max >= idle {
        let most = limits.sync_timeout_max;
        let reason =
            format!("{most:?} is not below {idle:?}, after which idle connections are cut");
        return Err(flag("--rpc.sync-timeout-max", &reason));
    }
    Ok(())
}

impl Servers {
    pub(crate) async fn start(
        config: &NodeConfig,
        engine: &Engine,
        inputs: RpcInputs,
        secret: JwtSecret,
    ) -> Result<Self, LaunchError> {
        let RpcParts {
            api,
            builder,
            copies,
        } = rpc_parts(engine, inputs, config)?;
        let calls: Methods = builder_module(&builder).into();
        let all = merged([calls.clone(), builder_subscription_module(&builder).into()])?;
        let http_settings = server_config(config, config.apis.http.as_deref(), calls);
        let ws_settings = server_config(config, config.apis.ws.as_deref(), all.clone());
        let rpc = ServerRuntime::start("rpc", Priority::Requests)?;
        let (http_addr, ws_addr) = (config.listen.http.socket(), config.listen.ws.socket());
        let api_served = api.clone();
        let serve = async move {
            let http = serve_http(http_addr, &api_served, &http_settings)
                .await
                .map_err(|error| failed("http", error))?;
            let ws = serve_ws(ws_addr, &api_served, &ws_settings)
                .await
                .map_err(|error| failed("ws", error))?;
            Ok::<_, LaunchError>((http, ws))
        };
        let (http, ws) = rpc.run(serve).await?;
        let methods = merged([
            engine_module(engine.clone()).into(),
            engine_port_module(&api).into(),
            all,
        ])?;
        let authrpc = serve_authrpc(
            AuthRpcConfig::new(config.listen.authrpc.socket(), secret),
            engine.clone(),
            methods,
        )
        .await
        .map_err(|error| failed("authrpc", error))?;
        Ok(Self {
            http,
            ws,
            authrpc,
            copies: copies.map(|service| Copies::start(service, &rpc)),
            _rpc: rpc,
        })
    }

    pub(crate) fn bound(&self, flashblocks: SocketAddr, metrics: SocketAddr) -> Bound {
        Bound {
            http: self.http.local_addr(),
            ws: self.ws.local_addr(),
            authrpc: self.authrpc.local_addr(),
            flashblocks,
            flashblocks_tls: false,
            metrics,
            builder_api: None,
            builder_events: None,
            builder_api_tls: false,
        }
    }

    pub(crate) async fn stop(self) {
        tokio::join!(self.http.stop(), self.ws.stop(), self.authrpc.stop());
        if let Some(copies) = self.copies {
            copies.stop().await;
        }
    }
}

impl Copies {
    fn start(service: ForwardService, runtime: &ServerRuntime) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = runtime.spawn(service.run_until(async move {
            // An error says that the node is gone, which is an end as well.
            let _ = stopped.await;
        }));
        Self { stop, task }
    }

    async fn stop(self) {
        // It may have ended already.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "forwarding did not end cleanly");
        }
    }
}

/// A public server with these namespaces, where other ones than the usual are asked for, and these methods of
/// the builder's.
fn server_config(
    config: &NodeConfig,
    namespaces: Option<&[Namespace]>,
    builder: Methods,
) -> ServerConfig {
    let usual = ServerConfig::default();
    ServerConfig {
        connections_max: config.rpc.connections_max,
        batch_entries_max: config.rpc.batch_max,
        sources: Sources::new(config.forward.sources.clone()),
        namespaces: namespaces.map_or(usual.namespaces, <[_]>::to_vec),
        builder,
        ..usual
    }
}

fn merged<const N: usize>(parts: [Methods; N]) -> Result<Methods, LaunchError> {
    let mut methods = Methods::new();
    for part in parts {
        methods.merge(part).map_err(|error| failed("rpc", error))?;
    }
    Ok(methods)
}
