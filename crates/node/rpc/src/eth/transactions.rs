//! Transactions.

use alloy_consensus::transaction::TransactionInfo;
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use blockwright_types::RecoveredTx;
use op_alloy_consensus::OpReceipt;
use op_alloy_consensus::transaction::{OpDepositInfo, OpTransactionInfo};

use crate::EthApi;
use crate::eth::TransactionView;
use crate::overlay::Shown;

impl EthApi {
    /// The block that holds a transaction, preconfirmed or canonical, and its position there.
    pub(crate) fn transaction_place(&self, hash: B256) -> Option<(Shown, usize)> {
        let preconfirmed = self.unasked_moment().transaction(&hash);
        preconfirmed.or_else(|| {
            let (block, index) = self.deps.store.transaction(hash)?;
            Some((Shown::Stored(block), index))
        })
    }

    /// `eth_getTransactionByHash`: from a flashblock or the canonical chain, else from the pool.
    pub(crate) fn transaction_by_hash(&self, hash: B256) -> Option<TransactionView> {
        if let Some((shown, index)) = self.transaction_place(hash) {
            return transaction_at(&shown, index);
        }
        let pooled = self.deps.pool.get(&hash)?;
        Some(TransactionView::new(&pooled, OpTransactionInfo::default()))
    }

    /// `eth_getRawTransactionByHash`.
    pub(crate) fn raw_transaction_by_hash(&self, hash: B256) -> Option<Bytes> {
        if let Some((shown, index)) = self.transaction_place(hash) {
            let mut transactions = shown.block().transactions();
            return transactions.nth(index).map(|tx| tx.encoded.clone());
        }
        self.deps.pool.get(&hash).map(|tx| tx.encoded.clone())
    }

    /// `eth_getTransactionByBlock…AndIndex`.
    pub(crate) fn transaction_in_block(&self, id: BlockId, index: u64) -> Option<TransactionView> {
        let shown = self.shown(id)?;
        transaction_at(&shown, usize::try_from(index).ok()?)
    }
}

/// All transactions of a block.
pub(crate) fn block_transactions(shown: &Shown) -> Vec<TransactionView> {
    transactions_from(shown, 0)
}

/// The transactions of a block from position `first` on.
pub(crate) fn transactions_from(shown: &Shown, first: usize) -> Vec<TransactionView> {
    let block = shown.block();
    let all = block.transactions().zip(block.receipts()).enumerate();
    all.skip(first)
        .map(|(index, (tx, receipt))| TransactionView::new(tx, info(shown, index, tx, receipt)))
        .collect()
}

fn transaction_at(shown: &Shown, index: usize) -> Option<TransactionView> {
    let tx = shown.block().transactions().nth(index)?;
    let receipt = shown.block().receipts().nth(index)?;
    Some(TransactionView::new(tx, info(shown, index, tx, receipt)))
}

fn info(shown: &Shown, index: usize, tx: &RecoveredTx, receipt: &OpReceipt) -> OpTransactionInfo {
    let header = &shown.block().header;
    let deposit = match receipt {
        OpReceipt::Deposit(deposit) => OpDepositInfo {
            deposit_nonce: deposit.deposit_nonce,
            deposit_receipt_version: deposit.deposit_receipt_version,
        },
        _ => OpDepositInfo::default(),
    };
    let place = TransactionInfo {
        hash: Some(tx.hash),
        index: Some(index as u64),
        block_hash: shown.transaction_hash(index),
        block_number: Some(header.number),
        base_fee: header.base_fee_per_gas,
        block_timestamp: Some(header.timestamp),
    };
    OpTransactionInfo::new(place, deposit)
}
