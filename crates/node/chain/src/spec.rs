//! The rules and the beginning of one chain.

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_types::{Changes, OpFork};

use crate::ForkSchedule;

/// EIP-1559 constants of a chain (`config.optimism`); all are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptimismParams {
    /// Elasticity multiplier: gas limit over gas target.
    pub elasticity: u32,
    /// Base fee change denominator before Canyon.
    pub denominator: u32,
    /// Base fee change denominator from Canyon; `None` only where Canyon is not scheduled.
    pub denominator_canyon: Option<u32>,
}

impl OptimismParams {
    /// The denominator in force before (`false`) or from (`true`) Canyon.
    pub const fn denominator_at(&self, canyon_active: bool) -> u32 {
        match self.denominator_canyon {
            Some(denominator) if canyon_active => denominator,
            _ => self.denominator,
        }
    }
}

/// One chain: its id, its forks, its fee constants and its genesis block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSpec {
    pub(crate) chain_id: u64,
    pub(crate) forks: ForkSchedule,
    pub(crate) optimism: OptimismParams,
    pub(crate) genesis_header: Header,
    pub(crate) genesis_hash: B256,
    pub(crate) genesis_changes: Changes,
}

impl ChainSpec {
    /// EIP-155 chain id.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The fork schedule.
    pub const fn forks(&self) -> &ForkSchedule {
        &self.forks
    }

    /// The chain's EIP-1559 constants.
    pub const fn optimism(&self) -> &OptimismParams {
        &self.optimism
    }

    /// The newest fork whose rules hold in a block with this timestamp (seconds).
    pub fn fork_at(&self, timestamp: u64) -> OpFork {
        self.forks.fork_at(timestamp)
    }

    /// The fork that a block activates; see [`ForkSchedule::activation`].
    pub fn activation(&self, parent_timestamp: u64, timestamp: u64) -> Option<OpFork> {
        self.forks.activation(parent_timestamp, timestamp)
    }

    /// Header of block 0.
    pub const fn genesis_header(&self) -> &Header {
        &self.genesis_header
    }

    /// Hash of block 0.
    pub const fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    /// The state after block 0: the allocation as post-values on an empty state, with all code.
    /// Accounts without nonce, balance and code are part of it where the genesis lists them.
    pub const fn genesis_changes(&self) -> &Changes {
        &self.genesis_changes
    }
}
