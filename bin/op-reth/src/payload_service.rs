//! The builder as a component of op-reth, in place of its payload service.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use blockwright_builder_rpc::BuilderRpc;
use blockwright_chain::ChainSpec;
use blockwright_outlets::{ProposerOutlets, Registered, ServerRuntime, ended};
use blockwright_requests::{Requests, RequestsConfig, RequestsDeps};
use blockwright_seams::Clock;
use blockwright_service::{BuilderHandle, SystemClock};
use blockwright_stream::Publisher;
use reth_chainspec::EthChainSpec as _;
use reth_node_api::{FullNodeTypes, NodeTypes};
use reth_node_builder::BuilderContext;
use reth_node_builder::components::PayloadServiceBuilder;
use reth_optimism_chainspec::OpChainSpec;
use reth_optimism_node::OpEngineTypes;
use reth_optimism_payload_builder::config::OpDAConfig;
use reth_payload_builder::PayloadBuilderHandle;
use reth_payload_primitives::EngineApiMessageVersion;
use reth_provider::{BlockNumReader, CanonStateSubscriptions};
use reth_tasks::TaskExecutor;
use tokio::sync::{mpsc, watch};

use crate::args::Settings;
use crate::commands::{Commands, Limits};
use crate::host::{Chain, OpTransactions, RethHost};
use crate::stored::Stored;

/// What of a running builder the node's servers need.
pub(crate) struct Running {
    pub(crate) rpc: BuilderRpc,
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) listening: Listening,
}

/// Where the builder's own servers listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listening {
    pub(crate) flashblocks: SocketAddr,
    pub(crate) builder_api: Option<SocketAddr>,
    pub(crate) builder_events: Option<SocketAddr>,
    /// `ws` or `wss`.
    pub(crate) stream_scheme: &'static str,
    /// `http` or `https`.
    pub(crate) api_scheme: &'static str,
}

/// Makes the builder when op-reth makes its components.
pub(crate) struct Blockwright {
    pub(crate) settings: Settings,
    /// What `miner_setMaxDASize` writes to.
    pub(crate) limits: OpDAConfig,
    /// Told once the builder runs.
    pub(crate) running: Arc<OnceLock<Running>>,
}

impl<Node, Pool, Evm> PayloadServiceBuilder<Node, Pool, Evm> for Blockwright
where
    Node: FullNodeTypes<Types: NodeTypes<Payload = OpEngineTypes, ChainSpec = OpChainSpec>>,
    Node::Provider: Chain + CanonStateSubscriptions + BlockNumReader,
    Pool: OpTransactions,
    Evm: Send,
{
    async fn spawn_payload_builder_service(
        self,
        ctx: &BuilderContext<Node>,
        pool: Pool,
        _evm: Evm,
    ) -> eyre::Result<PayloadBuilderHandle<OpEngineTypes>> {
        let chain = Arc::new(rules(&ctx.chain_spec())?);
        let folder = ctx.config().datadir().data_dir().join("builder");
        let parts = Parts {
            provider: ctx.provider().clone(),
            pool,
            chain,
            executor: ctx.task_executor().clone(),
            folder,
        };
        self.start(parts).await
    }
}

/// The chain's rules as the builder has them.
fn rules(spec: &OpChainSpec) -> eyre::Result<ChainSpec> {
    let config = serde_json::to_vec(&spec.genesis().config)?;
    Ok(ChainSpec::from_config_json(
        &config,
        spec.genesis_header().clone(),
    )?)
}

/// The node's parts that the builder stands on.
struct Parts<P, Pool> {
    provider: P,
    pool: Pool,
    chain: Arc<ChainSpec>,
    executor: TaskExecutor,
    /// Registrations and reveals are kept in it.
    folder: std::path::PathBuf,
}

impl Blockwright {
    async fn start<P, Pool>(
        self,
        parts: Parts<P, Pool>,
    ) -> eyre::Result<PayloadBuilderHandle<OpEngineTypes>>
    where
        P: Chain + CanonStateSubscriptions + BlockNumReader,
        Pool: OpTransactions,
    {
        let Settings {
            listen,
            stream,
            builder_api,
            ..
        } = &self.settings;
        let (stop, stopped) = watch::channel(false);
        let (streaming, server, publisher) = stream.open(*listen).await?;
        let flashblocks = server.local_addr();
        streaming.spawn(server.run_until(ended(stopped.clone())));
        let registered = Registered::default();
        let requests = self.build(&parts, &publisher, &registered)?;
        let until_end = ended(stopped.clone());
        let proposers = builder_api.proposers(&requests, parts.folder, until_end)?;
        registered.tell(proposers.recipient);
        streaming.spawn(proposers.following);
        let outlets = ProposerOutlets::start(
            builder_api,
            proposers.payloads,
            &requests,
            &streaming,
            stopped,
        )
        .await?;
        let running = Running {
            rpc: proposers.rpc,
            chain: parts.chain,
            listening: self.listening(flashblocks, &outlets),
        };
        // A node has one builder.
        let _ = self.running.set(running);
        let (sender, commands) = mpsc::unbounded_channel();
        let limits = Limits::new(self.limits.clone());
        let serving = Commands::new(
            commands,
            requests.clone(),
            limits,
            builder_api.withholds_payloads,
        );
        parts
            .executor
            .spawn_critical_task("payload builder commands", serving.run());
        let end = Ending {
            builder: requests.builder().clone(),
            publisher,
            stop,
            outlets,
            _streaming: streaming,
        };
        end.with(&parts.executor);
        Ok(PayloadBuilderHandle::new(sender))
    }

    fn listening(&self, flashblocks: SocketAddr, outlets: &ProposerOutlets) -> Listening {
        let is_tls = self.settings.builder_api.tls.is_given();
        Listening {
            flashblocks,
            builder_api: outlets.builder_api(),
            builder_events: outlets.events(),
            stream_scheme: if self.settings.stream.is_tls() {
                "wss"
            } else {
                "ws"
            },
            api_scheme: if is_tls { "https" } else { "http" },
        }
    }

    /// The service, running, and what asks it.
    fn build<P, Pool>(
        &self,
        parts: &Parts<P, Pool>,
        publisher: &Publisher,
        registered: &Registered,
    ) -> eyre::Result<Requests<RethHost<P, Pool>>>
    where
        P: Chain + CanonStateSubscriptions + BlockNumReader,
        Pool: OpTransactions,
    {
        let Settings {
            builder,
            payment,
            builder_api,
            ..
        } = &self.settings;
        let closing = payment.closing(registered, builder_api)?;
        let host = RethHost::new(parts.provider.clone(), parts.pool.clone(), closing);
        let (service, handle) =
            builder.service(builder.job()?, host.clone(), Arc::new(publisher.clone()))?;
        parts.executor.spawn_critical_task("builder", service.run());
        let (stored, following) = Stored::follow(parts.provider.clone(), handle.clone());
        parts
            .executor
            .spawn_critical_task("builder's view of the chain", following);
        let config = RequestsConfig {
            // As op-reth numbers the ids that it answers.
            payload_id_version: EngineApiMessageVersion::default() as u8,
        };
        let deps = RequestsDeps {
            chain: Arc::clone(&parts.chain),
            node: Arc::new(stored),
            host,
            builder: handle,
            clock: Arc::new(SystemClock) as Arc<dyn Clock>,
        };
        Ok(Requests::new(config, deps))
    }
}

/// What has to be ended in order.
struct Ending<P: Chain, Pool: OpTransactions> {
    builder: BuilderHandle<RethHost<P, Pool>>,
    publisher: Publisher,
    stop: watch::Sender<bool>,
    outlets: ProposerOutlets,
    /// The stream lives on it.
    _streaming: ServerRuntime,
}

impl<P: Chain, Pool: OpTransactions> Ending<P, Pool> {
    /// Ends when the node does.
    fn with(self, executor: &TaskExecutor) {
        executor.spawn_critical_with_graceful_shutdown_signal(
            "builder's end",
            |shutdown| async move {
                let _guard = shutdown.await;
                self.now().await;
            },
        );
    }

    async fn now(self) {
        self.builder.shutdown().await;
        // How the last payloads ended is told before subscribers are let go.
        self.publisher.flush().await;
        self.stop.send_replace(true);
        self.outlets.ended().await;
    }
}
