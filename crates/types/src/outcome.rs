//! Expected outcomes of building, as values.

use alloy_primitives::B256;
use alloy_rpc_types_engine::PayloadId;

use crate::{Dimension, Gas};

/// Why a candidate did not enter the block (now or ever).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// Its nonce is already used.
    #[error("nonce {tx} is below the account's {state}")]
    NonceTooLow {
        /// The transaction's nonce.
        tx: u64,
        /// The account's nonce.
        state: u64,
    },
    /// Earlier nonces are missing.
    #[error("nonce {tx} is above the account's {state}")]
    NonceTooHigh {
        /// The transaction's nonce.
        tx: u64,
        /// The account's nonce.
        state: u64,
    },
    /// The fee cap is below the block's base fee.
    #[error("fee cap is below the base fee")]
    FeeCapBelowBaseFee,
    /// The sender cannot pay for gas, value, L1 data fee and operator fee.
    #[error("insufficient funds")]
    InsufficientFunds,
    /// The transaction does not fit the running budget.
    #[error("over the budget in {0:?}")]
    OverBudget(Dimension),
    /// It could not finish before its slot's deadline at the measured gas rate.
    #[error("could overrun the slot")]
    WouldOverrun,
    /// A policy refused it.
    #[error("refused by policy: {0}")]
    Policy(&'static str),
    /// The rules of the current fork forbid it.
    #[error("invalid: {0}")]
    Invalid(String),
}

impl SkipReason {
    /// Whether no later block can include the transaction either.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::NonceTooLow { .. } | Self::Invalid(_) => true,
            Self::NonceTooHigh { .. }
            | Self::FeeCapBelowBaseFee
            | Self::InsufficientFunds
            | Self::OverBudget(_)
            | Self::WouldOverrun
            | Self::Policy(_) => false,
        }
    }
}

/// What the builder decided about a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In the block.
    Committed {
        /// Gas used.
        gas: Gas,
        /// Whether execution succeeded.
        success: bool,
    },
    /// Not in this block; the pool decides by [`SkipReason::is_final`] whether to keep it.
    Rejected(SkipReason),
    /// Not now; to be offered again from the given flashblock index on.
    Deferred {
        /// Why it has to wait.
        reason: SkipReason,
        /// First flashblock index at which it may be tried again.
        until_index: u64,
    },
}

/// Why a job ended. The first reason given wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The payload was handed to the consensus client.
    Resolved,
    /// A newer fork choice made it pointless.
    Superseded,
    /// Its deadline passed without anybody asking for it.
    Expired,
    /// Execution, roots or a panic ended it; the last published state stays available.
    Failed,
    /// The node shuts down.
    Shutdown,
}

impl StopReason {
    /// Stable lower-case label for metrics and logs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What became of a payload of which flashblocks were published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadEnd {
    /// The payload.
    pub payload_id: PayloadId,
    /// Number of its block.
    pub block_number: u64,
    /// Hash of the block that all of the published flashblocks make; zero where the last of them
    /// carries no roots and the block was not asked for.
    pub block_hash: B256,
    /// Index of the last flashblock published.
    pub last_index: u64,
    /// How it ended.
    pub outcome: PayloadOutcome,
}

/// How a payload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadOutcome {
    /// Its block was handed to the consensus client.
    Sealed,
    /// Nothing more is published of it, and nobody has asked for its block. Never with
    /// [`StopReason::Resolved`].
    Abandoned(StopReason),
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The same call may succeed later.
    Retry,
    /// The payload is lost, the node goes on.
    AbandonJob,
    /// The node cannot go on.
    Fatal,
}
