//! The receipts of a block's transactions, as far as the metadata show them.

use alloy_consensus::Eip2718EncodableReceipt as _;
use alloy_consensus::TxReceipt as _;
use alloy_primitives::map::B256Set;
use alloy_primitives::{Bloom, Bytes};
use blockwright_flashblocks::{OpFlashblockPayload, OpFlashblockPayloadDelta};
use blockwright_ordered_trie::OrderedTrie;
use blockwright_types::SharedTx;
use op_alloy_consensus::OpReceipt;

use crate::BlockError;

/// Running totals of receipts.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    trie: OrderedTrie,
    logs_bloom: Bloom,
    gas_used: u64,
}

impl Receipts {
    /// Adds the receipts of one flashblock, which must be exactly those of its transactions.
    pub(crate) fn append(
        &mut self,
        flashblock: &OpFlashblockPayload,
        transactions: &[SharedTx],
    ) -> Result<(), BlockError> {
        let receipts = &flashblock.metadata.receipts;
        for tx in transactions {
            let receipt = receipts
                .get(&tx.hash)
                .ok_or(BlockError::ReceiptMissing { hash: tx.hash })?;
            self.append_one(tx, receipt)?;
        }
        // Hashes do not repeat, so a receipt too many is one that belongs to none of them.
        if receipts.len() > transactions.len() {
            let known: B256Set = transactions.iter().map(|tx| tx.hash).collect();
            if let Some(hash) = receipts.keys().find(|hash| !known.contains(*hash)) {
                return Err(BlockError::ReceiptUnknown { hash: *hash });
            }
        }
        Ok(())
    }

    fn append_one(&mut self, tx: &SharedTx, receipt: &OpReceipt) -> Result<(), BlockError> {
        let transaction = u8::from(tx.envelope.tx_type());
        let stated = u8::from(receipt.tx_type());
        if transaction != stated {
            return Err(BlockError::ReceiptType {
                hash: tx.hash,
                transaction,
                receipt: stated,
            });
        }
        let cumulative = receipt.cumulative_gas_used();
        let used = cumulative.checked_sub(self.gas_used);
        if used.is_none_or(|used| used > tx.gas_limit().0) {
            return Err(BlockError::ReceiptGas {
                hash: tx.hash,
                before: self.gas_used,
                cumulative,
                gas_limit: tx.gas_limit().0,
            });
        }
        self.gas_used = cumulative;
        let bloom = Bloom::from_iter(receipt.logs());
        self.logs_bloom |= bloom;
        self.trie.push(encode_for_root(receipt, &bloom));
        Ok(())
    }

    /// Compares the totals with what the flashblock states.
    pub(crate) fn check(&mut self, diff: &OpFlashblockPayloadDelta) -> Result<(), BlockError> {
        if diff.gas_used != self.gas_used {
            return Err(BlockError::GasUsed {
                stated: diff.gas_used,
                expected: self.gas_used,
            });
        }
        if diff.logs_bloom != self.logs_bloom {
            return Err(BlockError::LogsBloom {
                stated: Box::new(diff.logs_bloom),
                computed: Box::new(self.logs_bloom),
            });
        }
        let computed = self.trie.root();
        if diff.receipts_root != computed {
            return Err(BlockError::ReceiptsRoot {
                stated: diff.receipts_root,
                computed,
            });
        }
        Ok(())
    }
}

/// The bytes of a receipt in the trie. From Canyon they have a deposit's nonce and version; between
/// Regolith and Canyon a receipt shows the nonce, but the trie does not have it.
fn encode_for_root(receipt: &OpReceipt, bloom: &Bloom) -> Bytes {
    let mut encoded = Vec::with_capacity(receipt.eip2718_encoded_length_with_bloom(bloom));
    match receipt {
        OpReceipt::Deposit(deposit) if deposit.deposit_receipt_version.is_none() => {
            let mut bare = deposit.clone();
            bare.deposit_nonce = None;
            OpReceipt::Deposit(bare).eip2718_encode_with_bloom(bloom, &mut encoded);
        }
        receipt => receipt.eip2718_encode_with_bloom(bloom, &mut encoded),
    }
    encoded.into()
}
