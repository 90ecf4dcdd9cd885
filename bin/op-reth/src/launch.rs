//! The node: op-reth's, with the builder in it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use blockwright_builder_rpc::{builder_module, builder_subscription_module};
use eyre::{OptionExt as _, WrapErr as _, ensure};
use jsonrpsee::Methods;
use reth_db::DatabaseEnv;
use reth_node_api::{FullNodeComponents, NodeTypes};
use reth_node_builder::rpc::{RethRpcServerHandles, RpcContext};
use reth_node_builder::{Node as _, NodeBuilder, NodeConfig, WithLaunchContext};
use reth_optimism_chainspec::OpChainSpec;
use reth_optimism_node::{OpEngineTypes, OpNode};
use reth_rpc_eth_api::EthApiTypes;
use reth_rpc_server_types::{RethRpcModule, RpcModuleSelection};
use serde_json::json;

use crate::args::{BUILDER, HostArgs};
use crate::engine_api::karst_methods;
use crate::miner::miner_methods;
use crate::payload_service::{Blockwright, Running};

type Builder = WithLaunchContext<NodeBuilder<DatabaseEnv, OpChainSpec>>;

/// Runs the node until it ends.
pub(crate) async fn launch(node: Builder, args: HostArgs) -> eyre::Result<()> {
    let (rollup, settings) = args.split();
    ensure!(
        !rollup.proofs_history,
        "--proofs-history: a node that builds keeps no history of proofs; give it to one that does not build"
    );
    let op = OpNode::new(rollup);
    let running = Arc::new(OnceLock::new());
    let file = settings.endpoints.clone();
    let (serving, told) = (Arc::clone(&running), Arc::clone(&running));
    let builder = Blockwright { settings, running };
    let handle = node
        .with_types::<OpNode>()
        .with_components(op.components().payload(builder))
        .with_add_ons(op.add_ons())
        .extend_rpc_modules(move |ctx| add_methods(ctx, running_in(&serving)?))
        .on_rpc_started(move |ctx, servers| {
            let config = ctx.config();
            let jwt = config.rpc.auth_jwtsecret.clone();
            let jwt = jwt.unwrap_or_else(|| config.datadir().jwt());
            let metrics = config.metrics.prometheus;
            tell(file.as_deref(), &servers, running_in(&told)?, metrics, &jwt)
        })
        .launch_with_debug_capabilities()
        .await?;
    handle.node_exit_future.await
}

fn running_in(cell: &OnceLock<Running>) -> eyre::Result<&Running> {
    cell.get()
        .ok_or_eyre("the builder does not run: op-reth made no payload service")
}

/// The builder's methods: on the authenticated port always, elsewhere where they are named.
fn add_methods<N, E>(ctx: RpcContext<'_, N, E>, running: &Running) -> eyre::Result<()>
where
    N: FullNodeComponents<Types: NodeTypes<Payload = OpEngineTypes>>,
    E: EthApiTypes,
{
    let payloads = ctx.node().payload_builder_handle().clone();
    let karst = karst_methods(Arc::clone(&running.chain), payloads)?;
    ctx.auth_module.replace_auth_methods(karst)?;
    let miner = miner_methods(Arc::clone(&running.set_da_limits))?.remove_context();
    if ctx
        .modules
        .module_config()
        .contains_any(&RethRpcModule::Miner)
    {
        ctx.auth_module.replace_auth_methods(miner.clone())?;
    }
    ctx.modules
        .add_or_replace_if_module_configured(RethRpcModule::Miner, miner)?;
    let methods = Methods::from(builder_module(&running.rpc).remove_context());
    ctx.auth_module.merge_auth_methods(methods.clone())?;
    let modules = ctx.modules.module_config();
    let (on_http, on_ws) = (names_ours(modules.http()), names_ours(modules.ws()));
    if on_http {
        ctx.modules.merge_http(methods.clone())?;
    }
    if on_ws {
        let subscriptions = builder_subscription_module(&running.rpc).remove_context();
        // Where the two share a port, HTTP's methods are what is served on it.
        if share_a_port(ctx.config()) {
            ctx.modules.merge_http(subscriptions.clone())?;
        }
        ctx.modules.merge_ws(methods)?;
        ctx.modules.merge_ws(subscriptions)?;
    }
    Ok(())
}

/// Whether the namespace of proposers is named; `all` means op-reth's.
fn names_ours(selection: Option<&RpcModuleSelection>) -> bool {
    let ours = RethRpcModule::Other(BUILDER.to_owned());
    matches!(selection, Some(RpcModuleSelection::Selection(named)) if named.contains(&ours))
}

/// Whether HTTP and WebSocket are one server.
fn share_a_port<C>(config: &NodeConfig<C>) -> bool {
    let rpc = &config.rpc;
    rpc.http && rpc.ws && (rpc.http_addr, rpc.http_port) == (rpc.ws_addr, rpc.ws_port)
}

/// What listens, in the log and in `file`. The names are those of `blockwright --endpoints`.
fn tell(
    file: Option<&Path>,
    servers: &RethRpcServerHandles,
    running: &Running,
    metrics: Option<SocketAddr>,
    jwt: &Path,
) -> eyre::Result<()> {
    let url =
        |scheme: &str, addr: Option<SocketAddr>| addr.map(|addr| format!("{scheme}://{addr}"));
    let listening = &running.listening;
    let endpoints = json!({
        "http": url("http", servers.rpc.http_local_addr()),
        "ws": url("ws", servers.rpc.ws_local_addr()),
        "authrpc": url("http", Some(servers.auth.local_addr())),
        "flashblocks": url(listening.stream_scheme, Some(listening.flashblocks)),
        "metrics": metrics.map(|addr| format!("http://{addr}/metrics")),
        "builder_api": url(listening.api_scheme, listening.builder_api),
        "builder_events": url(listening.api_scheme, listening.builder_events),
        "jwt": jwt,
    });
    if let Some(file) = file {
        write_whole(file, endpoints.to_string().as_bytes())
            .wrap_err_with(|| format!("--endpoints {}", file.display()))?;
    }
    tracing::info!(%endpoints, "ready");
    Ok(())
}

/// Under its name the file is never half written.
fn write_whole(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let unfinished = file.with_extension("unfinished");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(unfinished, file)
}
