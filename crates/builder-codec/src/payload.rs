//! Execution payloads, one container a fork, and their transactions.

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use ssz_derive::{Decode, Encode};
use ssz_types::VariableList;
use ssz_types::typenum::{U16, U32, U1048576, U1073741824};
use tree_hash_derive::TreeHash;

use crate::TransactionsTree;

/// A transaction as EIP-2718 bytes, at most 2^30.
pub type Transaction = VariableList<u8, U1073741824>;

/// At most 2^20 transactions.
pub type Transactions = VariableList<Transaction, U1048576>;

/// A transaction of more than 2^30 bytes, or more than 2^20 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transactions exceed what SSZ has for them: 2^20 of 2^30 bytes")]
pub struct TransactionTooLong;

/// The hash tree root of `transactions`, EIP-2718 bytes each.
///
/// # Errors
/// [`TransactionTooLong`], which no block that fits a network reaches.
pub fn transactions_root(transactions: &[Bytes]) -> Result<B256, TransactionTooLong> {
    let mut tree = TransactionsTree::new();
    for transaction in transactions {
        tree.push(transaction)?;
    }
    Ok(tree.root())
}

/// A withdrawal as the consensus layer encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Withdrawal {
    /// Running number.
    pub index: u64,
    /// The validator's.
    pub validator_index: u64,
    /// Who gets it.
    pub address: Address,
    /// In gwei.
    pub amount: u64,
}

/// The payload of a block before Canyon.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadBellatrix {
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
    /// The transactions.
    pub transactions: Transactions,
}

/// The payload of a block from Canyon on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadCapella {
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
    /// The transactions.
    pub transactions: Transactions,
    /// The withdrawals, of which an OP chain has none.
    pub withdrawals: VariableList<Withdrawal, U16>,
}

/// The payload of a block from Ecotone on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadDeneb {
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
    /// The transactions.
    pub transactions: Transactions,
    /// The withdrawals, of which an OP chain has none.
    pub withdrawals: VariableList<Withdrawal, U16>,
    /// Blob gas used; the DA footprint from Jovian on.
    pub blob_gas_used: u64,
    /// Excess blob gas.
    pub excess_blob_gas: u64,
}
