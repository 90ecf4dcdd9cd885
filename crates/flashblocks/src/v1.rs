//! Writing dialect `v1`.

use alloy_primitives::B256;
use blockwright_types::{BlockPart, Flashblock, FlashblockBase, PayloadId};
use op_alloy_consensus::OpReceipt;

use crate::EncodeError;
use crate::balances::Balances;
use crate::json::JsonWriter;
use crate::receipt::{RECEIPT_BYTES, logs_bytes, write_receipt};

/// Fixed part of a frame in bytes, the base and a full bloom included, rounded up.
const FRAME_FIXED_BYTES: usize = 2_048;

/// Encodes the flashblocks of a stream, in publishing order.
///
/// Transactions and receipts in a frame are those of its flashblock alone, while
/// `new_account_balances` lists every account the block has touched so far. The encoder keeps
/// those balances for the running payload as finished text, and the transactions' text is the
/// part's own, which others share: a flashblock costs what is new in it, and copying what is old.
/// Index 0 of any payload starts anew.
#[derive(Debug, Default)]
pub struct V1Encoder {
    /// Payload and index that continue the sequence.
    next: Option<(PayloadId, u64)>,
    /// Post-state balances of all accounts touched by the running payload.
    balances: Balances,
}

impl V1Encoder {
    /// An encoder that expects an index 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the frame of `flashblock`.
    ///
    /// # Errors
    /// [`EncodeError`] where the flashblock does not continue the sequence or contradicts itself;
    /// nothing is changed then.
    pub fn encode(&mut self, flashblock: &Flashblock) -> Result<Vec<u8>, EncodeError> {
        self.encode_into(flashblock, Vec::new())
    }

    /// As [`Self::encode`], in the memory of a frame that is needed no more.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_into(
        &mut self,
        flashblock: &Flashblock,
        memory: Vec<u8>,
    ) -> Result<Vec<u8>, EncodeError> {
        self.check(flashblock)?;
        if flashblock.index == 0 {
            self.balances.clear();
        }
        self.balances.update(&flashblock.part);
        self.next = Some((flashblock.payload_id, flashblock.index.saturating_add(1)));

        let transactions = flashblock.part.transactions_json();
        let capacity = self.estimate_bytes(&flashblock.part, transactions.len());
        let mut json = JsonWriter::in_memory(memory, capacity);
        json.raw("{\"payload_id\":");
        json.hex(flashblock.payload_id.0.as_slice());
        json.raw(",\"index\":");
        json.number(flashblock.index);
        if let Some(base) = &flashblock.base {
            json.raw(",\"base\":");
            write_base(&mut json, base);
        }
        json.raw(",\"diff\":");
        write_diff(&mut json, flashblock, &transactions);
        json.raw(",\"metadata\":");
        self.write_metadata(&mut json, flashblock);
        json.raw("}");
        Ok(json.into_bytes())
    }

    fn check(&self, flashblock: &Flashblock) -> Result<(), EncodeError> {
        let Flashblock {
            payload_id, index, ..
        } = *flashblock;
        if index != 0 && self.next != Some((payload_id, index)) {
            return Err(EncodeError::NotContiguous {
                payload_id,
                index,
                expected: self.next,
            });
        }
        if flashblock.base.is_some() != (index == 0) {
            return Err(EncodeError::Base {
                payload_id,
                index,
                present: flashblock.base.is_some(),
            });
        }
        let part = &flashblock.part;
        if part.transactions.len() != part.receipts.len() {
            return Err(EncodeError::ReceiptCount {
                payload_id,
                index,
                transactions: part.transactions.len(),
                receipts: part.receipts.len(),
            });
        }
        Ok(())
    }

    fn write_metadata(&self, json: &mut JsonWriter, flashblock: &Flashblock) {
        json.raw("{\"block_number\":");
        json.number(flashblock.block_number);
        json.raw(",\"new_account_balances\":{");
        json.raw_bytes(self.balances.text());
        json.raw("},\"receipts\":");
        let receipts = sorted_receipts(&flashblock.part);
        json.map(&receipts, |json, (hash, receipt)| {
            json.hex(hash.as_slice());
            json.raw(":");
            write_receipt(json, receipt);
        });
        json.raw("}");
    }

    fn estimate_bytes(&self, part: &BlockPart, transactions: usize) -> usize {
        let receipts: usize = part
            .receipts
            .iter()
            .map(|receipt| RECEIPT_BYTES + logs_bytes(receipt))
            .sum();
        FRAME_FIXED_BYTES + transactions + receipts + self.balances.text().len()
    }
}

fn write_base(json: &mut JsonWriter, base: &FlashblockBase) {
    json.raw("{\"parent_beacon_block_root\":");
    json.hex(base.parent_beacon_block_root.as_slice());
    json.raw(",\"parent_hash\":");
    json.hex(base.parent_hash.as_slice());
    json.raw(",\"fee_recipient\":");
    json.hex(base.fee_recipient.as_slice());
    json.raw(",\"prev_randao\":");
    json.hex(base.prev_randao.as_slice());
    json.raw(",\"block_number\":");
    json.quantity(base.block_number);
    json.raw(",\"gas_limit\":");
    json.quantity(base.gas_limit);
    json.raw(",\"timestamp\":");
    json.quantity(base.timestamp);
    json.raw(",\"extra_data\":");
    json.hex(&base.extra_data);
    json.raw(",\"base_fee_per_gas\":");
    json.quantity_u256(&base.base_fee_per_gas);
    json.raw("}");
}

fn write_diff(json: &mut JsonWriter, flashblock: &Flashblock, transactions: &[u8]) {
    json.raw("{\"state_root\":");
    json.hex(flashblock.state_root.as_slice());
    json.raw(",\"receipts_root\":");
    json.hex(flashblock.receipts_root.as_slice());
    json.raw(",\"logs_bloom\":");
    json.hex(flashblock.logs_bloom.as_slice());
    json.raw(",\"gas_used\":");
    json.quantity(flashblock.gas_used);
    json.raw(",\"block_hash\":");
    json.hex(flashblock.block_hash.as_slice());
    json.raw(",\"transactions\":[");
    json.raw_bytes(transactions);
    // The OP Stack has no validator withdrawals; the key stays for consumers that require it.
    json.raw("],\"withdrawals\":[],\"withdrawals_root\":");
    json.hex(flashblock.withdrawals_root.as_slice());
    if let Some(blob_gas_used) = flashblock.blob_gas_used {
        json.raw(",\"blob_gas_used\":");
        json.quantity(blob_gas_used);
    }
    json.raw("}");
}

/// Hashes by value: sorting must not follow a reference for each comparison.
fn sorted_receipts(part: &BlockPart) -> Vec<(B256, &OpReceipt)> {
    let hashes = part.transactions.iter().map(|tx| tx.hash);
    let mut receipts: Vec<_> = hashes.zip(&part.receipts).collect();
    receipts.sort_unstable_by_key(|(hash, _)| *hash);
    receipts
}
