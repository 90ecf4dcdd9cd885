//! What a run does.

use std::path::PathBuf;
use std::time::Duration;

use blockwright_types::OpFork;
use serde::{Deserialize, Serialize};

use crate::{CrowdPlan, TroublePlan};

/// What each transaction of the load does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// 1 wei to an account that exists: a random sender, or one of the extra accounts where there are any.
    Transfers,
    /// ERC-20 `transfer` of one token to a holder that exists.
    Erc20,
    /// 1 wei to an address that never existed.
    FreshReceivers,
    /// Ten storage slots that were zero are written.
    NewSlots,
    /// A loop of arithmetic of about 1 Mgas.
    Compute,
    /// 60 % transfers, 30 % ERC-20, 5 % fresh receivers, 4 % new slots, 1 % compute.
    Mixed,
}

/// When transactions are sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Pace {
    /// Open loop: so many a second, whatever the builder does.
    Rate {
        /// Transactions a second, above 0.
        tx_per_s: f64,
    },
    /// As fast as the builder takes them, with at most `pending_max` sent and not yet sealed.
    Flood {
        /// Transactions in flight, at least 1.
        pending_max: u64,
    },
    /// All before the first block; nothing is sent after.
    Prefilled {
        /// Transactions in the pool at the start.
        count: u64,
    },
}

/// The chain the load runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPlan {
    /// Newest fork in force, from block 0 on; lower-case name.
    #[serde(with = "fork_name")]
    pub fork: OpFork,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Block gas limit, in genesis and in every payload attributes.
    pub gas_limit: u64,
    /// Accounts that send, at least 1.
    pub senders: u32,
    /// Further accounts in the state, each also a token holder; receivers are drawn from them where
    /// there are any.
    pub accounts: u32,
    /// Every key, address and choice follows from it.
    pub seed: u64,
}

/// The consensus client's clock and the builder's announced interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds between blocks, at least 1.
    pub block_time_s: u64,
    /// Flashblock interval the builder was configured with, in milliseconds.
    pub interval_ms: u64,
    /// How long before a block's timestamp its payload is asked for, in milliseconds. op-node: 50.
    pub seal_margin_ms: u64,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// Name in tables.
    pub name: String,
    /// What is sent.
    pub load: Load,
    /// When it is sent.
    pub pace: Pace,
    /// On which chain.
    pub chain: ChainPlan,
    /// At which rhythm.
    pub timing: Timing,
    /// Blocks under load.
    pub blocks: u64,
    /// Transactions a JSON-RPC batch, at least 1.
    pub batch: usize,
    /// HTTP connections that send; a sender's transactions stay on one connection.
    pub connections: usize,
    /// Whether a flashblock without a state root breaks a promise. It does where the builder is
    /// configured to put roots into every one.
    #[serde(default)]
    pub roots_required: bool,
    /// Further arguments for a builder that the meter starts itself; part of what was measured.
    #[serde(default)]
    pub builder_args: Vec<String>,
    /// Who else listens to the stream.
    #[serde(default)]
    pub crowd: CrowdPlan,
    /// What goes wrong on purpose.
    #[serde(default)]
    pub trouble: TroublePlan,
}

/// The builder to measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Engine API, `http://host:port`.
    pub engine_url: String,
    /// File with the JWT secret in hex.
    pub jwt_path: PathBuf,
    /// JSON-RPC that takes transactions, `http://host:port`.
    pub rpc_url: String,
    /// Flashblock stream in dialect v1, `ws://host:port`.
    pub stream_url: String,
    /// The builder's process, where it runs on this machine.
    pub pid: Option<u32>,
    /// Engine API of another node into which every block is replayed, with its own JWT secret.
    pub validate: Option<(String, PathBuf)>,
}

/// Why a plan cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A field is out of its range.
    #[error("{field} must be {expected}")]
    Range {
        /// The field, as in the plan.
        field: &'static str,
        /// Its range.
        expected: &'static str,
    },
}

impl Timing {
    /// Flashblocks a block is due to have after index 0.
    pub const fn flashblocks_per_block(&self) -> u64 {
        if self.interval_ms == 0 {
            return 0;
        }
        self.block_time_s * 1_000 / self.interval_ms
    }
}

impl RunPlan {
    /// How long the load lasts where no slot slips. Slots whose payload is dropped on purpose come on
    /// top of the blocks'.
    pub(crate) fn load_time(&self) -> Duration {
        let blocks_s = self.blocks.saturating_mul(self.timing.block_time_s);
        let built_percent = 100_u64.saturating_sub(self.trouble.dropped_payloads_percent.into());
        Duration::from_secs(blocks_s.saturating_mul(100).div_ceil(built_percent.max(1)))
    }

    /// Checks all ranges.
    pub fn validate(&self) -> Result<(), PlanError> {
        let positive = |field, value: u64| {
            let expected = "at least 1";
            (value > 0)
                .then_some(())
                .ok_or(PlanError::Range { field, expected })
        };
        positive("block time", self.timing.block_time_s)?;
        positive("flashblock interval", self.timing.interval_ms)?;
        positive("senders", u64::from(self.chain.senders))?;
        positive("blocks", self.blocks)?;
        positive("batch", self.batch as u64)?;
        positive("connections", self.connections as u64)?;
        if self.timing.seal_margin_ms >= self.timing.block_time_s.saturating_mul(1_000) {
            return Err(PlanError::Range {
                field: "seal margin",
                expected: "shorter than the block time",
            });
        }
        match self.pace {
            Pace::Rate { tx_per_s } if !(tx_per_s.is_finite() && tx_per_s > 0.0) => {
                Err(PlanError::Range {
                    field: "rate",
                    expected: "above 0",
                })
            }
            Pace::Rate { .. } => Ok(()),
            Pace::Flood { pending_max } => positive("flood's pending transactions", pending_max),
            Pace::Prefilled { count } => positive("prefilled transactions", count),
        }
    }
}

mod fork_name {
    //! A fork as its lower-case name.

    use blockwright_types::OpFork;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(fork: &OpFork, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&fork.to_string().to_lowercase())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OpFork, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(D::Error::custom)
    }
}
