//! What a block consists of so far, with everything its header needs kept up to date.

use std::sync::Arc;

use alloy_consensus::TxReceipt as _;
use alloy_primitives::{Bloom, U256};
use blockwright_ordered_trie::OrderedTrie;
use blockwright_types::{BlockPart, Changes, SharedTx, Usage};
use op_alloy_consensus::OpReceipt;

use crate::header::BlockTotals;
use crate::log_bloom::LogBlooms;
use crate::receipt::encode_for_root;

/// Transactions, receipts and running totals of a block under construction.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// What came since the last [`Ledger::take_part`].
    part: BlockPart,
    usage: Usage,
    value: U256,
    logs_bloom: Bloom,
    blooms: LogBlooms,
    transactions: OrderedTrie,
    receipts: OrderedTrie,
}

impl Ledger {
    pub(crate) const fn usage(&self) -> Usage {
        self.usage
    }

    /// Priority fees so far, in wei.
    pub(crate) const fn value(&self) -> U256 {
        self.value
    }

    /// Adds a transaction with its receipt.
    pub(crate) fn append(&mut self, tx: SharedTx, receipt: OpReceipt, usage: Usage, value: U256) {
        self.usage = self.usage.plus(usage);
        self.value = self.value.saturating_add(value);
        let bloom = self.blooms.of(receipt.logs());
        self.logs_bloom |= bloom;
        self.receipts.push(encode_for_root(&receipt, &bloom));
        self.transactions.push(tx.encoded.clone());
        self.part.transactions.push(tx);
        self.part.receipts.push(receipt);
    }

    /// Adds a piece of post-values.
    pub(crate) fn append_changes(&mut self, changes: Arc<Changes>) {
        self.part.changes.push(changes);
    }

    /// What the header says about all transactions so far. Hashes what is new since the last call.
    pub(crate) fn totals(&mut self) -> BlockTotals {
        BlockTotals {
            gas_used: self.usage.gas.0,
            da_footprint: self.usage.da_footprint.0,
            transactions_root: self.transactions.root(),
            receipts_root: self.receipts.root(),
            logs_bloom: self.logs_bloom,
        }
    }

    /// Ends a part: all that came since the last call.
    pub(crate) fn take_part(&mut self) -> BlockPart {
        core::mem::take(&mut self.part)
    }
}
