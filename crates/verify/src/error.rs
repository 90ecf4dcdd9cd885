//! Why flashblocks do not make the block they say they make.

use alloy_primitives::{B256, Bloom, U256};
use blockwright_chain::ExtraDataError;
use blockwright_types::{OpFork, TxDecodeError};

/// A statement of a flashblock that its own contents, the ones before it or the fork's rules refute.
/// Positions count from 0 within the flashblock.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// A flashblock before this one was refuted, and this one is built on it.
    #[error("an earlier flashblock of the payload was refuted")]
    Broken,
    /// It is not the next one. The accumulator is as before.
    #[error("flashblock {got} where {expected} comes next")]
    Index {
        /// Index that comes next.
        expected: u64,
        /// Index of the flashblock.
        got: u64,
    },
    /// A base fee beyond 64 bits, which no header can hold.
    #[error("base_fee_per_gas {0} exceeds 64 bits")]
    BaseFee(U256),
    /// `extra_data` does not follow the fork's format.
    #[error(transparent)]
    ExtraData(#[from] ExtraDataError),
    /// Before Ecotone there is no parent beacon block root.
    #[error("parent_beacon_block_root must be zero under {fork}, got {got}")]
    BeaconRoot {
        /// Fork of the block.
        fork: OpFork,
        /// Root stated.
        got: B256,
    },
    /// Bytes that are no transaction, or a signature that recovers to nobody.
    #[error("transaction {position}: {source}")]
    Transaction {
        /// Position of the transaction.
        position: usize,
        /// What is wrong.
        source: TxDecodeError,
    },
    /// The decoded transactions that were handed in are not those of the flashblock.
    #[error("the transactions handed in differ from the flashblock's at {position}")]
    Given {
        /// First position at which they differ.
        position: usize,
    },
    /// A transaction that the block already has.
    #[error("transaction {position} repeats {hash} of flashblock {first_index}")]
    Repeated {
        /// Position of the repetition.
        position: usize,
        /// Its hash.
        hash: B256,
        /// Index of the flashblock that had it first.
        first_index: u64,
    },
    /// More transactions than a block is allowed to take in memory.
    #[error("the transactions exceed {max_bytes} bytes")]
    Size {
        /// Most bytes allowed.
        max_bytes: usize,
    },
    /// The OP Stack has no validator withdrawals.
    #[error("withdrawals must be empty, got {0}")]
    Withdrawals(usize),
    /// More gas was used than the block may use.
    #[error("gas_used {gas_used} exceeds gas_limit {gas_limit}")]
    GasLimit {
        /// Gas stated as used.
        gas_used: u64,
        /// Limit of the base.
        gas_limit: u64,
    },
    /// `gas_used` is not what the receipts add up to, or fell, or changed without a transaction.
    #[error("gas_used {stated}, expected {expected}")]
    GasUsed {
        /// Gas stated.
        stated: u64,
        /// Gas by the receipts; where there are none, the least that is possible.
        expected: u64,
    },
    /// Receipts are required, and there are none.
    #[error("the metadata have no receipts for {transactions} transactions")]
    ReceiptsAbsent {
        /// Transactions of the flashblock.
        transactions: usize,
    },
    /// A transaction without a receipt, although others have one.
    #[error("transaction {hash} has no receipt")]
    ReceiptMissing {
        /// Hash of the transaction.
        hash: B256,
    },
    /// A receipt of a transaction that is not in the flashblock.
    #[error("receipt of {hash}, which is not in the flashblock")]
    ReceiptUnknown {
        /// Key of the receipt.
        hash: B256,
    },
    /// A receipt of another transaction type.
    #[error("receipt of {hash} has type {receipt:#04x}, the transaction {transaction:#04x}")]
    ReceiptType {
        /// Hash of the transaction.
        hash: B256,
        /// EIP-2718 type of the transaction.
        transaction: u8,
        /// EIP-2718 type of the receipt.
        receipt: u8,
    },
    /// Cumulative gas fell, or rose by more than the transaction's gas limit.
    #[error("receipt of {hash}: cumulative gas {cumulative} after {before}, gas limit {gas_limit}")]
    ReceiptGas {
        /// Hash of the transaction.
        hash: B256,
        /// Cumulative gas before it.
        before: u64,
        /// Cumulative gas after it, as the receipt has it.
        cumulative: u64,
        /// Gas limit of the transaction.
        gas_limit: u64,
    },
    /// `receipts_root` is not the root of the receipts.
    #[error("receipts_root {stated}, computed {computed}")]
    ReceiptsRoot {
        /// Root stated.
        stated: B256,
        /// Root of the block's receipts so far.
        computed: B256,
    },
    /// `logs_bloom` is not the bloom of the receipts' logs.
    #[error("logs_bloom {stated}, computed {computed}")]
    LogsBloom {
        /// Bloom stated.
        stated: Box<Bloom>,
        /// Bloom of the block's logs so far.
        computed: Box<Bloom>,
    },
    /// `blob_gas_used` is not what the fork prescribes: absent before Ecotone, zero before Jovian,
    /// then the DA footprint.
    #[error("blob_gas_used {stated:?}, under {fork} {expected:?}")]
    BlobGasUsed {
        /// Fork of the block.
        fork: OpFork,
        /// Value stated.
        stated: Option<u64>,
        /// Value by the rules.
        expected: Option<u64>,
    },
    /// `withdrawals_root` is not what the fork prescribes: zero before Canyon, the root of no
    /// withdrawals before Isthmus.
    #[error("withdrawals_root {stated}, under {fork} {expected}")]
    WithdrawalsRoot {
        /// Fork of the block.
        fork: OpFork,
        /// Root stated.
        stated: B256,
        /// Root by the rules.
        expected: B256,
    },
    /// Roots are required, and `state_root` is zero.
    #[error("state_root is zero")]
    RootsAbsent,
    /// `block_hash` is not the hash of the header that the flashblocks make.
    #[error("block_hash {stated}, computed {computed}")]
    BlockHash {
        /// Hash stated.
        stated: B256,
        /// Hash of the header assembled from the flashblocks.
        computed: B256,
    },
}
