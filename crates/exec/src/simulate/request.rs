//! What is asked of a simulation and of its host, and what it answers.

use alloy_consensus::Header;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, Log};
use blockwright_types::{Changes, OpFork, Roots, SealedBlock};

use crate::call::{CallRequest, CallStatus};
use crate::overrides::AccountOverride;

/// What a simulation needs to know of the chain beyond the state it begins with.
pub trait SimulationHost {
    /// The rules in force at `timestamp` (seconds since the Unix epoch).
    fn fork_at(&self, timestamp: u64) -> OpFork;

    /// The base fee in wei of a block at `timestamp` on `parent`.
    ///
    /// # Errors
    /// Where `parent` does not determine it.
    fn next_base_fee(
        &self,
        parent: &Header,
        timestamp: u64,
    ) -> Result<u64, Box<dyn core::error::Error + Send + Sync>>;

    /// The roots after one more block that changed this. Called once a block, in order.
    ///
    /// # Errors
    /// Where they cannot be computed.
    fn roots(
        &mut self,
        changes: &Changes,
    ) -> Result<Roots, Box<dyn core::error::Error + Send + Sync>>;
}

/// What is to be simulated, and on what.
#[derive(Clone, Debug)]
pub struct SimulationRequest {
    /// The block to build on.
    pub base: SimulationBase,
    /// The blocks, in order. Numbers they leave out become empty blocks.
    pub blocks: Vec<BlockCalls>,
    /// Ether transfers appear among the logs of the calls (but not in receipts and blooms).
    pub trace_transfers: bool,
    /// Nonces are checked, and fees against a base fee that follows the chain's rule. Otherwise the
    /// base fee is zero where no override sets it, and a call that offers nothing pays nothing.
    pub validation: bool,
    /// Gas that all calls together may use.
    pub gas_cap: u64,
    /// Calls that all blocks together may have.
    pub calls_max: usize,
    /// Bytes that all calls together may return and log; a log counts 256 bytes beside its data.
    pub result_bytes_max: usize,
}

/// The block a simulation builds on.
#[derive(Clone, Debug)]
pub struct SimulationBase {
    /// Its header.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas per estimated DA byte as its L1 attributes say; zero where they say nothing. Before Jovian
    /// it is of no consequence.
    pub da_footprint_gas_scalar: u64,
}

/// Calls of one block.
#[derive(Clone, Debug, Default)]
pub struct BlockCalls {
    /// What is different about the block.
    pub block: BlockOverrides,
    /// State that is different from this block on.
    pub state: AddressMap<AccountOverride>,
    /// The calls, in order.
    pub calls: Vec<CallRequest>,
}

/// Fields of a simulated block; what is `None` follows from the block before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockOverrides {
    /// Block number, above the one before.
    pub number: Option<u64>,
    /// Seconds since the Unix epoch, later than the block before.
    pub timestamp: Option<u64>,
    /// Gas limit; that of the block before where `None`.
    pub gas_limit: Option<u64>,
    /// Fee recipient; that of the block before where `None`.
    pub fee_recipient: Option<Address>,
    /// `mixHash`; zero where `None`.
    pub prev_randao: Option<B256>,
    /// Base fee in wei.
    pub base_fee: Option<u64>,
    /// What `BLOBBASEFEE` answers, in wei; 1 where `None`.
    pub blob_base_fee: Option<u128>,
    /// EIP-4788 root; zero where `None`.
    pub parent_beacon_block_root: Option<B256>,
}

/// A block that was simulated.
#[derive(Clone, Debug)]
pub struct SimulatedBlock {
    /// The block. Its transactions are the calls, without signatures.
    pub block: SealedBlock,
    /// What each call did.
    pub calls: Vec<SimulatedCall>,
}

/// What a simulated call did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedCall {
    /// How it ended.
    pub status: CallStatus,
    /// Gas used, refunds subtracted.
    pub gas_used: u64,
    /// The most gas it held at any time: used before refunds.
    pub gas_used_max: u64,
    /// Its logs, with the transfers of ether where they were asked for.
    pub logs: Vec<Log>,
    /// Its gas limit was lowered to what [`SimulationRequest::gas_cap`] left.
    pub gas_capped: bool,
}
