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
use reth_node_api::{FullNodeTypes, NodeTypes};
use reth_node_builder::BuilderContext;
use reth_node_builder::components::PayloadServiceBuilder;
use reth_optimism_chainspec::OpChainSpec;
use reth_optimism_node::OpEngineTypes;
use reth_payload_builder::PayloadBuilderHandle;
use reth_payload_primitives::EngineApiMessageVersion;
use reth_provider::{BlockNumReader, CanonStateSubscriptions};
use reth_tasks::TaskExecutor;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::args::Settings;
use crate::commands::Commands;
use crate::host::{Chain, OpTransactions, RethHost};
use crate::miner::SetDaLimits;
use crate::rules::rules;
use crate::stored::Stored;

/// What of a running builder the node's servers need.
pub(crate) struct Running {
    pub(crate) rpc: BuilderRpc,
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) set_da_limits: SetDaLimits,
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
        let serving = streaming.spawn(server.run_until(ended(stopped.clone())));
        let registered = Registered::default();
        let (service, requests) = self.build(&parts, &publisher, &registered)?;
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
        let builder = requests.builder().clone();
        let running = Running {
            rpc: proposers.rpc,
            chain: parts.chain,
            set_da_limits: Arc::new(move |tx, block| builder.set_da_limits(tx, block)),
            listening: self.listening(flashblocks, &outlets),
        };
        // A node has one builder.
        let _ = self.running.set(running);
        let (sender, commands) = mpsc::unbounded_channel();
        let answering = Commands::new(commands, requests.clone(), builder_api.withholds_payloads);
        parts
            .executor
            .spawn_critical_task("payload builder commands", answering.run());
        let end = Ending {
            builder: requests.builder().clone(),
            service,
            publisher,
            stop,
            outlets,
            serving,
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

    /// The service, running until it is shut down and not with op-reth's tasks, which end without a word; and what
    /// asks it.
    fn build<P, Pool>(
        &self,
        parts: &Parts<P, Pool>,
        publisher: &Publisher,
        registered: &Registered,
    ) -> eyre::Result<(JoinHandle<()>, Requests<RethHost<P, Pool>>)>
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
        let service = tokio::spawn(service.run());
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
        Ok((service, Requests::new(config, deps)))
    }
}

/// What has to be ended in order.
struct Ending<P: Chain, Pool: OpTransactions> {
    builder: BuilderHandle<RethHost<P, Pool>>,
    service: JoinHandle<()>,
    publisher: Publisher,
    stop: watch::Sender<bool>,
    outlets: ProposerOutlets,
    /// The stream's server.
    serving: JoinHandle<()>,
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
        ended_cleanly(self.service).await;
        // How the last payloads ended is told before subscribers are let go.
        self.publisher.flush().await;
        self.stop.send_replace(true);
        self.outlets.ended().await;
        ended_cleanly(self.serving).await;
    }
}

async fn ended_cleanly(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "a part of the builder did not end cleanly");
    }
}
