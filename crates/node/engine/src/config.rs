//! Settings and parts of the engine.

use std::sync::Arc;

use blockwright_chain::ChainSpec;
use blockwright_pool::Pool;
use blockwright_seams::Clock;
use blockwright_service::BuilderHandle;
use blockwright_state::Store;

use crate::{EmbeddedHost, Preconfirmed, Rival};

/// Settings of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// First byte of the payload ids of `engine_forkchoiceUpdatedV3`. Sidecars compare ids with the
    /// ones of their other client: 3 (the default) for sidecars up to 0.7.16, 4 from 0.7.17.
    pub payload_id_version: u8,
    /// Most payloads with unknown parents that are remembered. When full, the oldest is forgotten
    /// (and counted); the consensus client sends it again. Default 256.
    pub orphans_max: usize,
    /// Most transaction bytes of remembered payloads, by the same rule. Default 64 MiB.
    pub orphans_size_bytes_max: usize,
    /// Most invalid blocks that are remembered; the oldest is forgotten, and would be found invalid
    /// again. Default 512.
    pub invalid_max: usize,
    /// Whether `engine_getPayload` answers as if it knew no payload: who is to have blocks gets them by
    /// [`Requests::release`](blockwright_requests::Requests::release) and
    /// [`Requests::offer`](blockwright_requests::Requests::offer). Default false.
    pub withholds_payloads: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            payload_id_version: 3,
            orphans_max: 256,
            orphans_size_bytes_max: 64 << 20,
            invalid_max: 512,
            withholds_payloads: false,
        }
    }
}

/// What the engine works with.
pub struct EngineDeps {
    /// Chain rules.
    pub chain: Arc<ChainSpec>,
    /// Blocks and states.
    pub store: Store,
    /// Transaction pool.
    pub pool: Pool,
    /// The builder.
    pub builder: BuilderHandle<EmbeddedHost>,
    /// Blocks that are executed ahead of their payloads, where somebody does that.
    pub preconfirmed: Option<Arc<dyn Preconfirmed>>,
    /// Another builder, where this node is a proposer's that asks one.
    pub rival: Option<Arc<dyn Rival>>,
    /// Wall clock, for the arrival time of fork choices.
    pub clock: Arc<dyn Clock>,
}
