//! Header assembly under the rules of every fork.

use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B64, B256, Bloom, U256};
use blockwright_types::{BlockContext, OpFork, Roots};

/// What executing a block's transactions puts into its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockTotals {
    /// Gas used.
    pub gas_used: u64,
    /// DA footprint in gas units (Jovian; zero before).
    pub da_footprint: u64,
    /// Root of the transactions trie.
    pub transactions_root: B256,
    /// Root of the receipts trie.
    pub receipts_root: B256,
    /// Bloom over all logs.
    pub logs_bloom: Bloom,
}

impl BlockTotals {
    /// `blobGasUsed` of the header: the DA footprint from Jovian, zero from Ecotone, absent before.
    pub fn blob_gas_used(&self, fork: OpFork) -> Option<u64> {
        (fork >= OpFork::Ecotone).then_some(if fork >= OpFork::Jovian {
            self.da_footprint
        } else {
            0
        })
    }
}

/// `withdrawalsRoot` of the header: the message passer's storage root from Isthmus, the root of no
/// withdrawals from Canyon, absent before.
pub fn withdrawals_root(fork: OpFork, roots: &Roots) -> Option<B256> {
    if fork >= OpFork::Isthmus {
        Some(roots.message_passer)
    } else {
        (fork >= OpFork::Canyon).then_some(EMPTY_WITHDRAWALS)
    }
}

/// Builds the header of a block.
pub fn assemble_header(context: &BlockContext, totals: &BlockTotals, roots: &Roots) -> Header {
    let fork = context.fork;
    Header {
        parent_hash: context.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: context.fee_recipient,
        state_root: roots.state,
        transactions_root: totals.transactions_root,
        receipts_root: totals.receipts_root,
        logs_bloom: totals.logs_bloom,
        difficulty: U256::ZERO,
        number: context.number,
        gas_limit: context.gas_limit,
        gas_used: totals.gas_used,
        timestamp: context.timestamp,
        extra_data: context.extra_data.clone(),
        mix_hash: context.prev_randao,
        nonce: B64::ZERO,
        base_fee_per_gas: Some(context.base_fee),
        withdrawals_root: withdrawals_root(fork, roots),
        blob_gas_used: totals.blob_gas_used(fork),
        excess_blob_gas: (fork >= OpFork::Ecotone).then_some(0),
        parent_beacon_block_root: (fork >= OpFork::Ecotone)
            .then(|| context.parent_beacon_block_root.unwrap_or_default()),
        requests_hash: (fork >= OpFork::Isthmus).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}
