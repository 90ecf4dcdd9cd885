//! The command line. Every flag is also an environment variable (`BLOCKWRIGHT_` + the flag in
//! capitals with underscores) and a key of the same name in the TOML file given by `--config`.

use std::net::IpAddr;
use std::path::PathBuf;

use blockwright_flags::{
    BuilderApiArgs, BuilderArgs, ContentArgs, LOOPBACK, PaymentArgs, StreamArgs, duration,
};
use blockwright_launch::{
    DevConfig, FollowSettings, Listen, Listeners, NodeConfig, RpcLimits, TxPoolConfig,
};
use clap::{Args, Parser, Subcommand};

use crate::api_args::ApiArgs;
use crate::bench::BenchArgs;
use crate::builder::BuilderVerbArgs;
use crate::follow_args::FollowArgs;
use crate::forward_args::ForwardArgs;
use crate::keys::KeysArgs;
use crate::mirror::MirrorArgs;
use crate::process_args::{OutletArgs, ProcessArgs};
use crate::rollup_builder_args::RollupBuilderArgs;
use crate::rpc_args::PendingArgs;
use crate::watch::WatchArgs;

/// An OP Stack block builder with its own execution node.
#[derive(Debug, Parser)]
#[command(name = "blockwright", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a development chain that drives itself: funded accounts, flashblocks, no other process.
    #[command(args_override_self = true)]
    Dev(Box<DevArgs>),
    /// Run a node driven by a rollup node (op-node) over the Engine API.
    #[command(args_override_self = true)]
    Node(Box<NodeArgs>),
    /// Measure a block builder from the outside: this one or any other.
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Bench(BenchArgs),
    /// Watch a stream of flashblocks: in the terminal, as JSON lines, proved block by block.
    Watch(WatchArgs),
    /// Make one stream of many: de-duplicated, resumed, served to any number of subscribers.
    #[command(args_override_self = true)]
    Mirror(Box<MirrorArgs>),
    /// Make, store, show and try the builder's keys.
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Keys(KeysArgs),
    /// Ask a builder by hand.
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Builder(BuilderVerbArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Block time: whole seconds ("2", "2s").
    #[arg(long, env = "BLOCKWRIGHT_BLOCK_TIME", default_value = "2s", value_name = "TIME",
          value_parser = duration::block_time)]
    block_time: u64,
    /// Fork in force from genesis: bedrock ... jovian, karst.
    #[arg(
        long,
        env = "BLOCKWRIGHT_FORK",
        default_value = "karst",
        value_name = "FORK"
    )]
    fork: blockwright_launch::OpFork,
    /// Chain id.
    #[arg(
        long,
        env = "BLOCKWRIGHT_CHAIN_ID",
        default_value_t = 901,
        value_name = "ID"
    )]
    chain_id: u64,
    /// Block gas limit.
    #[arg(
        long,
        env = "BLOCKWRIGHT_GAS_LIMIT",
        default_value_t = 60_000_000,
        value_name = "GAS",
        value_parser = clap::value_parser!(u64).range(GAS_LIMIT_MIN..=GAS_LIMIT_MAX)
    )]
    gas_limit: u64,
    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Genesis JSON of the chain, as op-geth and op-reth take it.
    #[arg(long, env = "BLOCKWRIGHT_CHAIN", value_name = "FILE")]
    pub(crate) chain: PathBuf,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SharedArgs {
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
    /// Data directory (default: a temporary one that goes with the process in `dev`, `./blockwright`
    /// in `node`).
    #[arg(long, env = "BLOCKWRIGHT_DATADIR", value_name = "DIR")]
    datadir: Option<PathBuf>,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    builder: BuilderArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    forward: ForwardArgs,
    #[command(flatten)]
    pending: PendingArgs,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    content: ContentArgs,
    #[command(flatten)]
    builder_api: BuilderApiArgs,
    #[command(flatten)]
    payment: PaymentArgs,
    #[command(flatten)]
    rollup_builder: RollupBuilderArgs,
}

/// The L1-attributes deposit alone asks for a million gas.
const GAS_LIMIT_MIN: u64 = 5_000_000;
/// Largest gas limit a header may state.
const GAS_LIMIT_MAX: u64 = i64::MAX as u64;

#[derive(Debug, Args)]
#[command(next_help_heading = "Servers")]
struct ListenArgs {
    /// JSON-RPC over HTTP: interface.
    #[arg(long = "http.addr", env = "BLOCKWRIGHT_HTTP_ADDR", default_value = LOOPBACK)]
    http_addr: IpAddr,
    /// JSON-RPC over HTTP: port, 0 for a free one.
    #[arg(
        long = "http.port",
        env = "BLOCKWRIGHT_HTTP_PORT",
        default_value_t = 8545
    )]
    http_port: u16,
    /// JSON-RPC over WebSocket: interface.
    #[arg(long = "ws.addr", env = "BLOCKWRIGHT_WS_ADDR", default_value = LOOPBACK)]
    ws_addr: IpAddr,
    /// JSON-RPC over WebSocket: port, 0 for a free one.
    #[arg(long = "ws.port", env = "BLOCKWRIGHT_WS_PORT", default_value_t = 8546)]
    ws_port: u16,
    /// Engine API: interface.
    #[arg(long = "authrpc.addr", env = "BLOCKWRIGHT_AUTHRPC_ADDR", default_value = LOOPBACK)]
    authrpc_addr: IpAddr,
    /// Engine API: port, 0 for a free one.
    #[arg(
        long = "authrpc.port",
        env = "BLOCKWRIGHT_AUTHRPC_PORT",
        default_value_t = 8551
    )]
    authrpc_port: u16,
    /// Engine API: file with the 32-byte hex secret shared with the rollup node (default:
    /// `jwt.hex` in the data directory, made when missing).
    #[arg(
        long = "authrpc.jwtsecret",
        env = "BLOCKWRIGHT_AUTHRPC_JWTSECRET",
        value_name = "FILE"
    )]
    authrpc_jwtsecret: Option<PathBuf>,
    #[command(flatten)]
    apis: ApiArgs,
    #[command(flatten)]
    outlets: OutletArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Most transactions in the pool.
    #[arg(long = "txpool.max-count", env = "BLOCKWRIGHT_TXPOOL_MAX_COUNT",
          default_value_t = TxPoolConfig::default().count_max, value_name = "N")]
    txpool_max_count: usize,
    /// Most bytes of transactions in the pool.
    #[arg(long = "txpool.max-size", env = "BLOCKWRIGHT_TXPOOL_MAX_SIZE",
          default_value_t = TxPoolConfig::default().size_bytes_max, value_name = "BYTES")]
    txpool_max_size: u64,
    /// Most pooled transactions of one sender.
    #[arg(long = "txpool.account-slots", env = "BLOCKWRIGHT_TXPOOL_ACCOUNT_SLOTS",
          default_value_t = TxPoolConfig::default().account_slots_max, value_name = "N")]
    txpool_account_slots: usize,
    /// Lowest priority fee accepted, in wei.
    #[arg(
        long = "txpool.min-tip",
        env = "BLOCKWRIGHT_TXPOOL_MIN_TIP",
        default_value_t = 0,
        value_name = "WEI"
    )]
    txpool_min_tip: u128,
    /// Most gas of one eth_call or eth_estimateGas, and of all calls of an eth_simulateV1.
    #[arg(long = "rpc.gascap", env = "BLOCKWRIGHT_RPC_GASCAP",
          default_value_t = RpcLimits::default().gas_cap, value_name = "GAS")]
    rpc_gascap: u64,
    /// Most calls of one eth_simulateV1, over all its blocks.
    #[arg(long = "rpc.simulate-calls-max", env = "BLOCKWRIGHT_RPC_SIMULATE_CALLS_MAX",
          default_value_t = RpcLimits::default().simulate_calls_max, value_name = "N")]
    rpc_simulate_calls_max: usize,
    /// Most bytes that the calls of one eth_simulateV1 return and log; each log counts 256 more.
    #[arg(long = "rpc.simulate-result-max", env = "BLOCKWRIGHT_RPC_SIMULATE_RESULT_MAX",
          default_value_t = RpcLimits::default().simulate_result_bytes_max, value_name = "BYTES")]
    rpc_simulate_result_max: usize,
    /// Most entries of one JSON-RPC batch.
    #[arg(long = "rpc.max-batch", env = "BLOCKWRIGHT_RPC_MAX_BATCH",
          default_value_t = RpcLimits::default().batch_max, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    rpc_max_batch: u32,
    /// Most connections to each JSON-RPC server.
    #[arg(long = "rpc.max-connections", env = "BLOCKWRIGHT_RPC_MAX_CONNECTIONS",
          default_value_t = RpcLimits::default().connections_max, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    rpc_max_connections: u32,
}

impl DevArgs {
    /// Splits into the chain's and the node's settings.
    pub(crate) fn into_config(self) -> (DevConfig, NodeConfig) {
        let dev = DevConfig {
            chain_id: self.chain_id,
            fork: self.fork,
            block_time_s: self.block_time,
            gas_limit: self.gas_limit,
        };
        (dev, self.shared.into_config())
    }

    pub(crate) const fn process(&self) -> &ProcessArgs {
        &self.shared.process
    }
}

impl NodeArgs {
    /// The node's settings; a node keeps its data where a second start finds it.
    pub(crate) fn into_config(self) -> NodeConfig {
        let mut config = self.shared.into_config();
        config
            .datadir
            .get_or_insert_with(|| PathBuf::from("blockwright"));
        config.follow = self.follow.settings();
        config
    }

    pub(crate) const fn process(&self) -> &ProcessArgs {
        &self.shared.process
    }
}

impl SharedArgs {
    fn into_config(self) -> NodeConfig {
        NodeConfig {
            listen: self.listen.config(),
            datadir: self.datadir,
            jwt_secret: self.listen.authrpc_jwtsecret,
            endpoints: self.process.endpoints,
            builder: self.builder.config(),
            txpool: self.limits.txpool(),
            stream: self.content.settings(self.stream.settings()),
            apis: self.listen.apis.settings(),
            follow: FollowSettings::default(),
            rpc: self.pending.limits(&self.limits.rpc()),
            forward: self.forward.settings(),
            builder_api: self.builder_api.settings(),
            payment: self.payment.settings(),
            rollup_builder: self.rollup_builder.settings(),
            pending: self.pending.settings(),
        }
    }
}

impl ListenArgs {
    const fn config(&self) -> Listeners {
        Listeners {
            http: Listen {
                addr: self.http_addr,
                port: self.http_port,
            },
            ws: Listen {
                addr: self.ws_addr,
                port: self.ws_port,
            },
            authrpc: Listen {
                addr: self.authrpc_addr,
                port: self.authrpc_port,
            },
            flashblocks: self.outlets.flashblocks(),
            metrics: self.outlets.metrics(),
        }
    }
}

impl LimitArgs {
    fn rpc(&self) -> RpcLimits {
        RpcLimits {
            gas_cap: self.rpc_gascap,
            simulate_calls_max: self.rpc_simulate_calls_max,
            simulate_result_bytes_max: self.rpc_simulate_result_max,
            batch_max: self.rpc_max_batch,
            connections_max: self.rpc_max_connections,
            ..RpcLimits::default()
        }
    }

    const fn txpool(&self) -> TxPoolConfig {
        TxPoolConfig {
            count_max: self.txpool_max_count,
            size_bytes_max: self.txpool_max_size,
            account_slots_max: self.txpool_account_slots,
            min_tip_wei: self.txpool_min_tip,
        }
    }
}
