//! Execution payload headers, one container a fork, and the signed bid.

use alloy_primitives::{Address, B256, FixedBytes, U256};
use ethereum_hashing::hash32_concat;
use ssz_derive::{Decode, Encode};
use ssz_types::VariableList;
use ssz_types::typenum::U32;
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

/// The header of a block before Canyon.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadHeaderBellatrix {
    /// Parent hash.
    pub parent_hash: B256,
    /// Fee recipient (the coinbase).
    pub fee_recipient: Address,
    /// State root.
    pub state_root: B256,
    /// Receipts root.
    pub receipts_root: B256,
    /// Bloom of the logs.
    pub logs_bloom: FixedBytes<256>,
    /// `mixHash`.
    pub prev_randao: B256,
    /// Block number.
    pub block_number: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Extra data, at most 32 bytes.
    pub extra_data: VariableList<u8, U32>,
    /// Base fee in wei.
    pub base_fee_per_gas: U256,
    /// Block hash.
    pub block_hash: B256,
    /// Hash tree root of the transactions.
    pub transactions_root: B256,
}

/// The header of a block from Canyon on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadHeaderCapella {
    /// Parent hash.
    pub parent_hash: B256,
    /// Fee recipient (the coinbase).
    pub fee_recipient: Address,
    /// State root.
    pub state_root: B256,
    /// Receipts root.
    pub receipts_root: B256,
    /// Bloom of the logs.
    pub logs_bloom: FixedBytes<256>,
    /// `mixHash`.
    pub prev_randao: B256,
    /// Block number.
    pub block_number: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Extra data, at most 32 bytes.
    pub extra_data: VariableList<u8, U32>,
    /// Base fee in wei.
    pub base_fee_per_gas: U256,
    /// Block hash.
    pub block_hash: B256,
    /// Hash tree root of the transactions.
    pub transactions_root: B256,
    /// Hash tree root of the withdrawals, of which an OP chain has none.
    pub withdrawals_root: B256,
}

/// The header of a block from Ecotone on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadHeaderDeneb {
    /// Parent hash.
    pub parent_hash: B256,
    /// Fee recipient (the coinbase).
    pub fee_recipient: Address,
    /// State root.
    pub state_root: B256,
    /// Receipts root.
    pub receipts_root: B256,
    /// Bloom of the logs.
    pub logs_bloom: FixedBytes<256>,
    /// `mixHash`.
    pub prev_randao: B256,
    /// Block number.
    pub block_number: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Extra data, at most 32 bytes.
    pub extra_data: VariableList<u8, U32>,
    /// Base fee in wei.
    pub base_fee_per_gas: U256,
    /// Block hash.
    pub block_hash: B256,
    /// Hash tree root of the transactions.
    pub transactions_root: B256,
    /// Hash tree root of the withdrawals, of which an OP chain has none.
    pub withdrawals_root: B256,
    /// Blob gas used; the DA footprint from Jovian on.
    pub blob_gas_used: u64,
    /// Excess blob gas.
    pub excess_blob_gas: u64,
}

/// A header of any fork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecutionPayloadHeader {
    /// Before Canyon.
    Bellatrix(ExecutionPayloadHeaderBellatrix),
    /// From Canyon on.
    Capella(ExecutionPayloadHeaderCapella),
    /// From Ecotone on.
    Deneb(ExecutionPayloadHeaderDeneb),
}

impl ExecutionPayloadHeader {
    /// The hash tree root, which is that of the payload as well.
    pub fn root(&self) -> B256 {
        match self {
            Self::Bellatrix(header) => header.tree_hash_root(),
            Self::Capella(header) => header.tree_hash_root(),
            Self::Deneb(header) => header.tree_hash_root(),
        }
    }
}

/// The hash tree root of the bid `Response { payload, value }`; `value` in wei.
pub fn bid_root(header: &ExecutionPayloadHeader, value: U256) -> B256 {
    hash32_concat(header.root().as_slice(), value.tree_hash_root().as_slice()).into()
}
