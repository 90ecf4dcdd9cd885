//! Transactions.

use alloy_consensus::transaction::{Recovered, TransactionInfo};
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use blockwright_types::{RecoveredTx, SealedBlock};
use op_alloy_consensus::OpReceipt;
use op_alloy_consensus::transaction::{OpDepositInfo, OpTransactionInfo};
use op_alloy_rpc_types::Transaction;

use crate::EthApi;

impl EthApi {
    /// `eth_getTransactionByHash`: from the canonical chain, else from the pool.
    pub(crate) fn transaction_by_hash(&self, hash: B256) -> Option<Transaction> {
        if let Some((block, index)) = self.deps.store.transaction(hash) {
            return transaction_at(&block, index);
        }
        let pooled = self.deps.pool.get(&hash)?;
        Some(view(&pooled, OpTransactionInfo::default()))
    }

    /// `eth_getRawTransactionByHash`.
    pub(crate) fn raw_transaction_by_hash(&self, hash: B256) -> Option<Bytes> {
        if let Some((block, index)) = self.deps.store.transaction(hash) {
            return block.transactions().nth(index).map(|tx| tx.encoded.clone());
        }
        self.deps.pool.get(&hash).map(|tx| tx.encoded.clone())
    }

    /// `eth_getTransactionByBlock…AndIndex`.
    pub(crate) fn transaction_in_block(&self, id: BlockId, index: u64) -> Option<Transaction> {
        let block = self.find_block(id)?;
        transaction_at(&block, usize::try_from(index).ok()?)
    }
}

/// All transactions of a block.
pub(crate) fn block_transactions(block: &SealedBlock) -> Vec<Transaction> {
    block
        .transactions()
        .zip(block.receipts())
        .enumerate()
        .map(|(index, (tx, receipt))| view(tx, info(block, index, tx, receipt)))
        .collect()
}

fn transaction_at(block: &SealedBlock, index: usize) -> Option<Transaction> {
    let tx = block.transactions().nth(index)?;
    let receipt = block.receipts().nth(index)?;
    Some(view(tx, info(block, index, tx, receipt)))
}

fn info(
    block: &SealedBlock,
    index: usize,
    tx: &RecoveredTx,
    receipt: &OpReceipt,
) -> OpTransactionInfo {
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
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        base_fee: block.header.base_fee_per_gas,
        block_timestamp: Some(block.header.timestamp),
    };
    OpTransactionInfo::new(place, deposit)
}

fn view(tx: &RecoveredTx, info: OpTransactionInfo) -> Transaction {
    let recovered = Recovered::new_unchecked(tx.envelope.clone(), tx.sender);
    Transaction::from_transaction(recovered, info)
}
