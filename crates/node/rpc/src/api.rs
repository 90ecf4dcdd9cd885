//! What the methods answer from.

use std::sync::Arc;
use std::time::Duration;

use blockwright_chain::ChainSpec;
use blockwright_pool::Pool;
use blockwright_state::{CanonUpdate, Store};
use tokio::sync::{Semaphore, broadcast};

use crate::intake::Intake;
use crate::{Forwarding, Overlay, RpcError, metrics};

/// Subscribes to changes of the canonical chain, each announced after it has become durable. A
/// subscriber that lags behind the channel's capacity is closed.
pub type HeadFeed = Arc<dyn Fn() -> broadcast::Receiver<Arc<CanonUpdate>> + Send + Sync>;

/// Takes over the limits set by `miner_setMaxDASize`: estimated compressed bytes of one transaction,
/// then of a block. Zero is no limit.
pub type SetDaLimits = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Bounds of single requests.
#[derive(Clone, Debug)]
pub struct RpcLimits {
    /// Gas of one `eth_call` or `eth_estimateGas`, and of all calls of an `eth_simulateV1`.
    pub call_gas_max: u64,
    /// Calls of one `eth_simulateV1`, over all its blocks.
    pub simulate_calls_max: usize,
    /// Bytes that the calls of one `eth_simulateV1` may return and log; 256 more for each log.
    pub simulate_result_bytes_max: usize,
    /// Calls, estimates and scans at once.
    pub workers: usize,
    /// Time a request may wait for a worker before it is refused.
    pub worker_wait: Duration,
    /// Time an `eth_sendRawTransactionSync` waits for its receipt unless it asks for another.
    pub sync_timeout: Duration,
    /// Longest time it may ask for.
    pub sync_timeout_max: Duration,
    /// Calls of it that may wait at once; more are refused.
    pub sync_waiting_max: usize,
    /// Blocks an `eth_getLogs` may span.
    pub logs_blocks_max: u64,
    /// Logs an `eth_getLogs` may return.
    pub logs_count_max: usize,
    /// Blocks an `eth_feeHistory` may span; more are cut to this, as the method allows.
    pub fee_history_blocks_max: u64,
    /// Tip in wei suggested while blocks are not full.
    pub suggested_tip_wei: u128,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            call_gas_max: 50_000_000,
            simulate_calls_max: 5_000,
            simulate_result_bytes_max: 16 << 20,
            workers: std::thread::available_parallelism()
                .map_or(2, usize::from)
                .max(2),
            worker_wait: Duration::from_secs(5),
            sync_timeout: Duration::from_secs(2),
            sync_timeout_max: Duration::from_secs(10),
            sync_waiting_max: 1_000,
            logs_blocks_max: 10_000,
            logs_count_max: 20_000,
            fee_history_blocks_max: 1_024,
            suggested_tip_wei: 1_000_000,
        }
    }
}

/// What [`EthApi`] stands on.
#[derive(Clone)]
pub struct RpcDeps {
    /// Blocks and states.
    pub store: Store,
    /// Pooled transactions.
    pub pool: Pool,
    /// The chain's rules.
    pub chain: Arc<ChainSpec>,
    /// Changes of the canonical chain.
    pub heads: HeadFeed,
    /// Preconfirmed state for `pending`; `None` answers it from the head.
    pub overlay: Option<Overlay>,
    /// Receives the builder's limits.
    pub set_da_limits: SetDaLimits,
    /// Who else gets the transactions sent here.
    pub forwarding: Forwarding,
    /// Answer of `web3_clientVersion`.
    pub client_version: String,
    /// Bounds of single requests.
    pub limits: RpcLimits,
}

/// The methods' implementation. Clones share everything.
#[derive(Clone)]
pub struct EthApi {
    pub(crate) deps: Arc<RpcDeps>,
    /// Takes the transactions that are sent.
    pub(crate) intake: Intake,
    workers: Arc<Semaphore>,
    sync_places: Arc<Semaphore>,
}

impl EthApi {
    /// The API over these parts.
    pub fn new(deps: RpcDeps) -> Self {
        metrics::describe();
        Self {
            intake: Intake::new(deps.pool.clone(), deps.forwarding.clone()),
            workers: Arc::new(Semaphore::new(deps.limits.workers)),
            sync_places: Arc::new(Semaphore::new(deps.limits.sync_waiting_max)),
            deps: Arc::new(deps),
        }
    }

    /// The same API, except that transactions sent to it are not forwarded.
    pub(crate) fn for_pool_alone(&self) -> Self {
        Self {
            intake: self.intake.for_pool_alone(),
            ..self.clone()
        }
    }

    /// Places of those who wait for a receipt.
    pub(crate) fn sync_places(&self) -> &Semaphore {
        &self.sync_places
    }

    /// Runs `work` on a blocking thread, a bounded number at a time.
    ///
    /// # Errors
    /// [`RpcError::Busy`] where no worker came free in time; else the work's own.
    pub(crate) async fn on_worker<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<R, RpcError> + Send + 'static,
    ) -> Result<R, RpcError> {
        let wait = self.deps.limits.worker_wait;
        let permit = Arc::clone(&self.workers).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(wait, permit).await else {
            metrics::worker_refused();
            return Err(RpcError::Busy);
        };
        let api = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&api);
            drop(permit);
            result
        });
        done.await
            .map_err(|_| RpcError::Internal("a worker ended unexpectedly".to_owned()))?
    }
}

impl std::fmt::Debug for EthApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EthApi")
            .field("chain_id", &self.deps.chain.chain_id())
            .field("limits", &self.deps.limits)
            .finish_non_exhaustive()
    }
}
