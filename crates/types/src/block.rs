//! Flashblocks and sealed blocks, made of shared parts so that sealing costs only what is new.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use alloy_rpc_types_engine::PayloadId;
use op_alloy_consensus::OpReceipt;

use crate::transactions_json::TransactionsJson;
use crate::{Changes, OpFork, SharedTx};

/// What one flashblock adds to the block: transactions, their receipts, and the post-values of
/// everything they (and the pre-block system calls, for index 0) changed.
#[derive(Clone, Debug, Default)]
pub struct BlockPart {
    /// Transactions in order.
    pub transactions: Vec<SharedTx>,
    /// Receipts in order; `cumulative_gas_used` counts from the block's start.
    pub receipts: Vec<OpReceipt>,
    /// Post-values of this part alone, in the order they arose; later sets override earlier ones.
    /// Kept as the shared pieces that went to the root session, so that nothing is copied.
    pub changes: Vec<Arc<Changes>>,
    json: TransactionsJson,
}

impl BlockPart {
    /// A part of these transactions, their receipts and the changes they made.
    pub fn new(
        transactions: Vec<SharedTx>,
        receipts: Vec<OpReceipt>,
        changes: Vec<Arc<Changes>>,
    ) -> Self {
        Self {
            transactions,
            receipts,
            changes,
            json: TransactionsJson::default(),
        }
    }

    /// The EIP-2718 bytes of the transactions as the items of a JSON list, `"0x…","0x…"`. Made at
    /// the first call (about a nanosecond for five bytes) and shared from then on; to be called
    /// once the transactions are complete.
    pub fn transactions_json(&self) -> Bytes {
        self.json.get(&self.transactions)
    }

    /// Lets go of what [`Self::transactions_json`] keeps: two bytes for each of the transactions'.
    pub fn forget_transactions_json(&self) {
        self.json.forget();
    }

    /// The net post-values of this part.
    pub fn net_changes(&self) -> Changes {
        merge(&self.changes)
    }
}

fn merge<'a>(pieces: impl IntoIterator<Item = &'a Arc<Changes>>) -> Changes {
    let mut all = Changes::default();
    for piece in pieces {
        all.extend(piece);
    }
    all
}

/// The roots that need the trie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// State root.
    pub state: B256,
    /// Storage root of the L2ToL1MessagePasser.
    pub message_passer: B256,
}

/// A complete block with its parts.
#[derive(Clone, Debug)]
pub struct SealedBlock {
    /// The header.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// What the flashblocks added, in order; their concatenation is the block.
    pub parts: Vec<Arc<BlockPart>>,
    /// Priority fees earned by the fee recipient, in wei (`blockValue` of getPayload).
    pub value: U256,
}

impl SealedBlock {
    /// All transactions in order.
    pub fn transactions(&self) -> impl Iterator<Item = &SharedTx> {
        self.parts.iter().flat_map(|part| part.transactions.iter())
    }

    /// All receipts in order.
    pub fn receipts(&self) -> impl Iterator<Item = &OpReceipt> {
        self.parts.iter().flat_map(|part| part.receipts.iter())
    }

    /// Number of transactions.
    pub fn transaction_count(&self) -> usize {
        self.parts.iter().map(|part| part.transactions.len()).sum()
    }

    /// Roughly what the block takes in memory, for limits: cheap, whatever the block's size. A
    /// transfer with its receipt and its changes takes about 1.5 KiB, and a byte of calldata or of
    /// a log costs no less than four gas.
    pub fn memory_bytes(&self) -> usize {
        memory_bytes(&self.header, &self.parts)
    }

    /// The net post-values of the whole block: its one revert set.
    pub fn changes(&self) -> Changes {
        merge(self.parts.iter().flat_map(|part| part.changes.iter()))
    }
}

/// A block of which all is known but the roots that need the trie.
#[derive(Clone, Debug)]
pub struct UnrootedBlock {
    /// The header with a zero state root; from Isthmus with a zero withdrawals root, too.
    pub header: Header,
    /// Rules of the block: they say which fields the roots fill.
    pub fork: OpFork,
    /// See [`SealedBlock::parts`].
    pub parts: Vec<Arc<BlockPart>>,
    /// See [`SealedBlock::value`].
    pub value: U256,
}

impl UnrootedBlock {
    /// The complete block. Costs the hash of a header.
    pub fn with_roots(&self, roots: &Roots) -> SealedBlock {
        let mut header = self.header.clone();
        header.state_root = roots.state;
        if self.fork >= OpFork::Isthmus {
            header.withdrawals_root = Some(roots.message_passer);
        }
        SealedBlock {
            hash: header.hash_slow(),
            header,
            parts: self.parts.clone(),
            value: self.value,
        }
    }

    /// Everything that changed, in the order it arose, as pieces for a root session.
    pub fn changes(&self) -> impl Iterator<Item = &Arc<Changes>> {
        self.parts.iter().flat_map(|part| part.changes.iter())
    }

    /// See [`SealedBlock::memory_bytes`].
    pub fn memory_bytes(&self) -> usize {
        memory_bytes(&self.header, &self.parts)
    }
}

fn memory_bytes(header: &Header, parts: &[Arc<BlockPart>]) -> usize {
    let gas_used = usize::try_from(header.gas_used).unwrap_or(usize::MAX);
    let transactions: usize = parts.iter().map(|part| part.transactions.len()).sum();
    1024 * (1 + transactions) + gas_used / 32
}

/// The immutable head of a block, sent with flashblock 0 only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashblockBase {
    /// EIP-4788 root (zero before Ecotone).
    pub parent_beacon_block_root: B256,
    /// Parent hash.
    pub parent_hash: B256,
    /// Fee recipient.
    pub fee_recipient: Address,
    /// `mixHash`.
    pub prev_randao: B256,
    /// Block number.
    pub block_number: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Extra data.
    pub extra_data: Bytes,
    /// Base fee in wei.
    pub base_fee_per_gas: U256,
}

/// One flashblock: an increment with the cumulative header fields of the block so far.
#[derive(Clone, Debug)]
pub struct Flashblock {
    /// Payload it belongs to.
    pub payload_id: PayloadId,
    /// Position in the block, contiguous from 0.
    pub index: u64,
    /// `Some` exactly at index 0.
    pub base: Option<FlashblockBase>,
    /// Block number.
    pub block_number: u64,
    /// State root of the block so far; zero where the flashblock carries no roots.
    pub state_root: B256,
    /// Receipts root of the block so far.
    pub receipts_root: B256,
    /// Bloom of the block so far.
    pub logs_bloom: Bloom,
    /// Gas used so far.
    pub gas_used: u64,
    /// Hash of the block so far; zero where the flashblock carries no roots.
    pub block_hash: B256,
    /// The header's withdrawals root; zero where the header has none (before Canyon)
    /// and where the flashblock carries no roots.
    pub withdrawals_root: B256,
    /// `blobGasUsed` of the header so far; `None` before Ecotone.
    pub blob_gas_used: Option<u64>,
    /// What this flashblock adds.
    pub part: Arc<BlockPart>,
}
