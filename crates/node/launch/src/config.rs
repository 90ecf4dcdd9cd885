//! What a node is told to do, after command line, environment and file were merged.

use std::path::PathBuf;
use std::time::Duration;

use blockwright_outlets::{
    BuilderApiSettings, BuilderConfig, Listen, PaymentSettings, StreamSettings,
};
use blockwright_rpc::Namespace;
use blockwright_types::OpFork;

use crate::{FollowSettings, ForwardSettings, PendingSettings, RollupBuilderSettings};

/// The five servers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// JSON-RPC over HTTP (8545).
    pub http: Listen,
    /// JSON-RPC over WebSocket (8546).
    pub ws: Listen,
    /// Engine API (8551).
    pub authrpc: Listen,
    /// Flashblock stream (1111).
    pub flashblocks: Listen,
    /// Prometheus metrics and health (9001).
    pub metrics: Listen,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            http: Listen::loopback(8545),
            ws: Listen::loopback(8546),
            authrpc: Listen::loopback(8551),
            flashblocks: Listen::loopback(1111),
            metrics: Listen::loopback(9001),
        }
    }
}

/// The transaction pool's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxPoolConfig {
    /// Most transactions held.
    pub count_max: usize,
    /// Most bytes of transactions held.
    pub size_bytes_max: u64,
    /// Most transactions of one sender.
    pub account_slots_max: usize,
    /// Lowest priority fee accepted, in wei.
    pub min_tip_wei: u128,
}

impl Default for TxPoolConfig {
    fn default() -> Self {
        Self {
            count_max: 500_000,
            size_bytes_max: 512 << 20,
            account_slots_max: 1_024,
            min_tip_wei: 0,
        }
    }
}

/// The public JSON-RPC's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcLimits {
    /// Most gas of one `eth_call` or `eth_estimateGas`, and of all calls of an `eth_simulateV1`.
    pub gas_cap: u64,
    /// Most calls of one `eth_simulateV1`.
    pub simulate_calls_max: usize,
    /// Most bytes that the calls of one `eth_simulateV1` return and log.
    pub simulate_result_bytes_max: usize,
    /// Most entries of one batch.
    pub batch_max: u32,
    /// Most connections to each of HTTP and WebSocket.
    pub connections_max: u32,
    /// How long `eth_sendRawTransactionSync` waits unless it asks for another time.
    pub sync_timeout: Duration,
    /// The longest time it may ask for.
    pub sync_timeout_max: Duration,
    /// Most calls of it that wait at once.
    pub sync_waiting_max: usize,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            gas_cap: 50_000_000,
            simulate_calls_max: 5_000,
            simulate_result_bytes_max: 16 << 20,
            batch_max: 1_000,
            connections_max: 1_000,
            sync_timeout: Duration::from_secs(2),
            sync_timeout_max: Duration::from_secs(10),
            sync_waiting_max: 1_000,
        }
    }
}

/// Which methods the public JSON-RPC servers have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiSettings {
    /// Over HTTP; `None` is everything but `builder`, which a development chain has as well.
    pub http: Option<Vec<Namespace>>,
    /// Over WebSocket; `None` as for HTTP.
    pub ws: Option<Vec<Namespace>>,
}

impl ApiSettings {
    /// As they are for a development chain.
    pub(crate) fn for_development(self) -> Self {
        let all = || Some(Namespace::ALL.to_vec());
        Self {
            http: self.http.or_else(all),
            ws: self.ws.or_else(all),
        }
    }
}

/// Settings shared by every way to run a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeConfig {
    /// Servers.
    pub listen: Listeners,
    /// Data directory; `None` uses a temporary one that goes with the process.
    pub datadir: Option<PathBuf>,
    /// JWT secret file; `None` is `jwt.hex` in the data directory, made when missing.
    pub jwt_secret: Option<PathBuf>,
    /// Where to write what is really listening.
    pub endpoints: Option<PathBuf>,
    /// Builder.
    pub builder: BuilderConfig,
    /// Pool.
    pub txpool: TxPoolConfig,
    /// Stream.
    pub stream: StreamSettings,
    /// Somebody else's stream.
    pub follow: FollowSettings,
    /// JSON-RPC.
    pub rpc: RpcLimits,
    /// Methods of the public servers.
    pub apis: ApiSettings,
    /// Where transactions go and come from.
    pub forward: ForwardSettings,
    /// Builder API.
    pub builder_api: BuilderApiSettings,
    /// The builder that is asked for blocks.
    pub rollup_builder: RollupBuilderSettings,
    /// What is paid for blocks.
    pub payment: PaymentSettings,
    /// JSON-RPC's `pending`.
    pub pending: PendingSettings,
}

/// A development chain that drives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevConfig {
    /// Chain id.
    pub chain_id: u64,
    /// Fork in force from genesis.
    pub fork: OpFork,
    /// Block time in whole seconds, at least 1.
    pub block_time_s: u64,
    /// Block gas limit.
    pub gas_limit: u64,
}

impl Default for DevConfig {
    fn default() -> Self {
        Self {
            chain_id: 901,
            fork: OpFork::Karst,
            block_time_s: 2,
            gas_limit: 60_000_000,
        }
    }
}
