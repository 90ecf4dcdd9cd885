//! A running node: its parts, wired.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use blockwright_chain::ChainSpec;
use blockwright_engine::{EmbeddedHost, Engine, EngineConfig, EngineDeps, JwtSecret};
use blockwright_outlets::{
    BuilderConfig, ProposerOutlets, Registered, ServerRuntime, ended, ended_cleanly,
};
use blockwright_pool::{Pool, PoolConfig};
use blockwright_seams::FlashblockSink;
use blockwright_service::{BuilderHandle, JobConfig, SystemClock};
use blockwright_state::{Genesis, Store, StoreConfig};
use blockwright_stream::Publisher;
use blockwright_types::SealedBlock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::datadir::DataDir;
use crate::error::{failed, flag};
use crate::follow::Following;
use crate::outlets::Outlets;
use crate::overlay::Preconfirmed;
use crate::servers::{RpcInputs, Servers, check_waits};
use crate::{Bound, Endpoints, LaunchError, NodeConfig, TxPoolConfig, metrics_server};

/// A node that listens everywhere. Ends with [`Node::stop`], or abruptly when dropped.
pub struct Node {
    endpoints: Endpoints,
    engine: Engine,
    builder: BuilderHandle<EmbeddedHost>,
    servers: Servers,
    shutdown: watch::Sender<bool>,
    service: JoinHandle<()>,
    publisher: Publisher,
    tasks: Vec<JoinHandle<()>>,
    for_proposers: ProposerOutlets,
    /// The flashblock stream lives on it.
    _streaming: ServerRuntime,
    /// Kept for its removal at the end where it is temporary.
    _datadir: DataDir,
}

/// Starts the node of the chain whose genesis JSON lies at `genesis`.
pub async fn start_node(genesis: &Path, config: NodeConfig) -> Result<Node, LaunchError> {
    let json = std::fs::read(genesis).map_err(|source| LaunchError::GenesisFile {
        path: genesis.to_path_buf(),
        source,
    })?;
    let chain = ChainSpec::from_genesis_json(&json).map_err(|source| LaunchError::Genesis {
        path: genesis.to_path_buf(),
        source,
    })?;
    let datadir = DataDir::open(config.datadir.as_deref())?;
    Node::start(chain, datadir, config).await
}

impl Node {
    pub(crate) async fn start(
        chain: ChainSpec,
        datadir: DataDir,
        config: NodeConfig,
    ) -> Result<Self, LaunchError> {
        let job = config.builder.job()?;
        check_waits(&config.rpc)?;
        // Before the first part that counts anything.
        let recorder = metrics_server::recorder()?;
        let (jwt, secret) = open_secret(&config, &datadir)?;
        let following = Following::open(&config.follow)?;
        let (chain, store, pool) = open_chain(chain, &datadir, &config)?;
        let (shutdown, stopped) = watch::channel(false);

        let makes_snapshots = (!following.is_on()).then_some((&store, &chain));
        let preconfirmed = Preconfirmed::start(&config, makes_snapshots)?;
        let outlets = Outlets::open(&config, recorder, &preconfirmed, &stopped).await?;
        let registered = Registered::default();
        let host = open_host(&config, &store, &pool, &registered)?;
        let sink = preconfirmed.beside(outlets.publisher.clone());
        let (service, builder) = start_builder(&config.builder, job, host, sink)?;
        let deps = EngineDeps {
            rival: config.rollup_builder.rival(chain.chain_id())?,
            chain,
            store,
            pool: pool.clone(),
            builder: builder.clone(),
            preconfirmed: following.preconfirmed(),
            clock: Arc::new(SystemClock),
        };
        let engine = start_engine(&config, deps)?;
        let follow =
            following.start(&engine, &pool, preconfirmed.feed(), ended(stopped.clone()))?;
        let settings = &config.builder_api;
        let until_end = ended(stopped.clone());
        let requests = engine.requests().clone();
        let proposers = settings.proposers(&requests, datadir.builder(), until_end)?;
        registered.tell(proposers.recipient);
        let mut tasks = outlets.tasks;
        tasks.push(tokio::spawn(preconfirmed.watch(ended(stopped.clone()))));
        tasks.push(tokio::spawn(follow));
        tasks.push(outlets.streaming.spawn(proposers.following));
        let inputs = RpcInputs {
            pool,
            handle: builder.clone(),
            builder: proposers.rpc,
            overlay: preconfirmed.overlay(),
        };
        let servers = Servers::start(&config, &engine, inputs, secret).await?;
        let streaming = outlets.streaming;
        let for_proposers =
            ProposerOutlets::start(settings, proposers.payloads, &requests, &streaming, stopped)
                .await?;
        let bound = servers.bound(outlets.flashblocks, outlets.metrics);
        let bound = with_outlets(bound, &config, &for_proposers);
        let endpoints = tell(&bound, jwt, config.endpoints.as_deref())?;
        let node = Self {
            endpoints,
            engine,
            builder,
            servers,
            shutdown,
            service,
            publisher: outlets.publisher,
            tasks,
            for_proposers,
            _streaming: streaming,
            _datadir: datadir,
        };
        Ok(node.announced())
    }

    fn announced(self) -> Self {
        let head = self.engine.store().head();
        let Endpoints {
            http,
            ws,
            authrpc,
            flashblocks,
            metrics,
            builder_api,
            builder_events,
            ..
        } = &self.endpoints;
        let builder_api = builder_api.as_deref();
        let builder_events = builder_events.as_deref();
        tracing::info!(
            %http, %ws, %authrpc, %flashblocks, %metrics, builder_api, builder_events,
            chain_id = self.engine.chain().chain_id(),
            head = head.number,
            hash = %head.hash,
            "ready"
        );
        self
    }

    /// What really listens.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The engine, for whoever drives the node from inside.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The latest head.
    pub fn heads(&self) -> watch::Receiver<Option<Arc<SealedBlock>>> {
        self.engine.heads().head()
    }

    /// Stops taking requests, ends jobs and waits for everything to close.
    pub async fn stop(self) {
        self.servers.stop().await;
        self.builder.shutdown().await;
        ended_cleanly(self.service).await;
        // How the last payloads ended is told before subscribers are let go.
        self.publisher.flush().await;
        self.shutdown.send_replace(true);
        self.for_proposers.ended().await;
        for task in self.tasks {
            ended_cleanly(task).await;
        }
        tracing::info!("stopped");
    }
}

/// What listens, with what is for subscribers and proposers.
fn with_outlets(bound: Bound, config: &NodeConfig, proposers: &ProposerOutlets) -> Bound {
    Bound {
        flashblocks_tls: config.stream.is_tls(),
        builder_api: proposers.builder_api(),
        builder_api_tls: config.builder_api.tls.is_given(),
        builder_events: proposers.events(),
        ..bound
    }
}

/// What listens, written to `file` where there is to be one.
fn tell(bound: &Bound, jwt: PathBuf, file: Option<&Path>) -> Result<Endpoints, LaunchError> {
    let endpoints = Endpoints::new(bound, jwt);
    if let Some(file) = file {
        endpoints.write(file)?;
    }
    Ok(endpoints)
}

/// The chain with what is known of it, and a pool for its transactions.
fn open_chain(
    chain: ChainSpec,
    datadir: &DataDir,
    config: &NodeConfig,
) -> Result<(Arc<ChainSpec>, Store, Pool), LaunchError> {
    let chain = Arc::new(chain);
    let store = open_store(&chain, datadir)?;
    let pool = Pool::new(pool_config(chain.chain_id(), &config.txpool));
    Ok((chain, store, pool))
}

/// The Engine API's secret, and the file it is in.
fn open_secret(
    config: &NodeConfig,
    datadir: &DataDir,
) -> Result<(PathBuf, JwtSecret), LaunchError> {
    let file = config.jwt_secret.clone().unwrap_or_else(|| datadir.jwt());
    let secret =
        JwtSecret::read_or_create(&file).map_err(|error| LaunchError::Jwt(Box::new(error)))?;
    Ok((file, secret))
}

fn open_host(
    config: &NodeConfig,
    store: &Store,
    pool: &Pool,
    registered: &Registered,
) -> Result<EmbeddedHost, LaunchError> {
    let host = EmbeddedHost::new(store.clone(), pool.clone());
    let closing = config.payment.closing(registered, &config.builder_api)?;
    Ok(match closing {
        Some(closing) => host.closed_by(closing),
        None => host,
    })
}

fn start_builder(
    config: &BuilderConfig,
    job: JobConfig,
    host: EmbeddedHost,
    sink: Arc<dyn FlashblockSink>,
) -> Result<(JoinHandle<()>, BuilderHandle<EmbeddedHost>), LaunchError> {
    let (service, builder) = config.service(job, host, sink)?;
    Ok((tokio::spawn(service.run()), builder))
}

fn start_engine(config: &NodeConfig, deps: EngineDeps) -> Result<Engine, LaunchError> {
    let withholds_payloads = config.builder_api.withholds_payloads;
    if withholds_payloads && deps.rival.is_some() {
        let reason = "with --builder-api.disable-get-payload nobody gets its blocks";
        return Err(flag("--rollup.builder-url", &reason));
    }
    if withholds_payloads {
        tracing::info!("engine_getPayload is disabled: proposers alone get blocks");
    }
    let config = EngineConfig {
        payload_id_version: config.builder.payload_id_version,
        withholds_payloads,
        ..EngineConfig::default()
    };
    Engine::new(config, deps).map_err(|error| failed("engine", error))
}

fn open_store(chain: &ChainSpec, datadir: &DataDir) -> Result<Store, LaunchError> {
    let genesis = Genesis {
        header: chain.genesis_header().clone(),
        hash: chain.genesis_hash(),
        changes: chain.genesis_changes().clone(),
    };
    Ok(Store::open(
        StoreConfig::in_directory(datadir.state()),
        genesis,
    )?)
}

fn pool_config(chain_id: u64, config: &TxPoolConfig) -> PoolConfig {
    PoolConfig {
        min_tip_wei: config.min_tip_wei,
        count_max: config.count_max,
        size_bytes_max: config.size_bytes_max,
        sender_slots_max: config.account_slots_max,
        ..PoolConfig::new(chain_id)
    }
}
