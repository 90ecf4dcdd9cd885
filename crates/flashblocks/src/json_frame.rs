//! Frames of the JSON dialects.

use alloy_primitives::{B256, FixedBytes};
use blockwright_types::{BlockPart, Flashblock, FlashblockBase};
use op_alloy_consensus::OpReceipt;

use crate::EncodeError;
use crate::balances::Balances;
use crate::form::MetadataDetail;
use crate::json::JsonWriter;
use crate::receipt::{RECEIPT_BYTES, logs_bytes, write_receipt};
use crate::sequence::{FlashblockId, Sequence};

/// Fixed part of a frame in bytes, the base and a full bloom included, rounded up.
const FRAME_FIXED_BYTES: usize = 2_048;

/// A builder's secp256k1 signature over a flashblock's hash: `r`, `s` and the recovery id (0 or 1).
pub type BuilderSignature = FixedBytes<65>;

/// What the JSON frames of a stream have in common: the sequence and the cumulative balances.
#[derive(Debug, Default)]
pub(crate) struct JsonState {
    sequence: Sequence,
    /// Post-state balances of all accounts touched by the running payload.
    balances: Balances,
    /// The last flashblock taken in.
    last: Option<FlashblockId>,
    /// The one before it, also in the block before.
    previous: Option<FlashblockId>,
}

/// What distinguishes the frames of one flashblock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameOptions {
    /// Leave out what needs the state trie.
    pub(crate) without_roots: bool,
    /// How much metadata to write.
    pub(crate) metadata: MetadataDetail,
    /// Write `prev_flashblock_id` where the metadata's keys do not require it.
    pub(crate) prev_id: bool,
    /// Write `builder_signature`.
    pub(crate) signature: Option<BuilderSignature>,
}

impl FrameOptions {
    /// The `v1` triple.
    pub(crate) const V1: Self = Self {
        without_roots: false,
        metadata: MetadataDetail::Full,
        prev_id: false,
        signature: None,
    };
}

impl JsonState {
    /// A state whose first flashblock follows `previous`.
    pub(crate) fn following(previous: Option<FlashblockId>) -> Self {
        Self {
            last: previous,
            ..Self::default()
        }
    }

    /// The last flashblock taken in.
    pub(crate) const fn last(&self) -> Option<FlashblockId> {
        self.last
    }

    /// Whether `flashblock` is the one last taken in.
    pub(crate) fn check_last(&self, flashblock: &Flashblock) -> Result<(), EncodeError> {
        self.sequence.check_last(flashblock)
    }

    /// Takes in the next flashblock; nothing is changed where it is refused.
    pub(crate) fn advance(&mut self, flashblock: &Flashblock) -> Result<(), EncodeError> {
        self.sequence.check(flashblock)?;
        if flashblock.index == 0 {
            self.balances.clear();
        }
        self.balances.update(&flashblock.part);
        self.sequence.advance(flashblock);
        self.previous = self.last.replace(FlashblockId::of(flashblock));
        Ok(())
    }

    /// Writes a frame of the flashblock last taken in.
    pub(crate) fn write(
        &self,
        flashblock: &Flashblock,
        options: &FrameOptions,
        memory: Vec<u8>,
    ) -> Vec<u8> {
        let transactions = flashblock.part.transactions_json();
        let mut capacity = FRAME_FIXED_BYTES + transactions.len();
        if options.metadata == MetadataDetail::Full {
            capacity += self.full_metadata_bytes(&flashblock.part);
        }
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
        write_diff(&mut json, flashblock, options.without_roots, &transactions);
        json.raw(",\"metadata\":{");
        match options.metadata {
            MetadataDetail::Full => self.write_full_metadata(&mut json, flashblock),
            MetadataDetail::Minimal => write_block_number(&mut json, flashblock),
            MetadataDetail::Empty => {
                write_block_number(&mut json, flashblock);
                json.raw(",\"new_account_balances\":{},\"receipts\":{}");
            }
        }
        self.write_tail(&mut json, options);
        json.raw("}}");
        json.into_bytes()
    }

    /// The keys and values of the `v1` triple.
    fn write_full_metadata(&self, json: &mut JsonWriter, flashblock: &Flashblock) {
        write_block_number(json, flashblock);
        json.raw(",\"new_account_balances\":{");
        json.raw_bytes(self.balances.text());
        json.raw("},\"receipts\":");
        let receipts = sorted_receipts(&flashblock.part);
        json.map(&receipts, |json, (hash, receipt)| {
            json.hex(hash.as_slice());
            json.raw(":");
            write_receipt(json, receipt);
        });
    }

    /// What consumers of the triple do not know, after what they do.
    fn write_tail(&self, json: &mut JsonWriter, options: &FrameOptions) {
        let wanted = options.prev_id || options.metadata == MetadataDetail::Minimal;
        if let Some(previous) = self.previous.filter(|_| wanted) {
            json.raw(",\"prev_flashblock_id\":\"");
            json.number(previous.block_number);
            json.raw("-");
            json.number(previous.index);
            json.raw("\"");
        }
        if let Some(signature) = &options.signature {
            json.raw(",\"builder_signature\":");
            json.hex(signature.as_slice());
        }
    }

    /// Roughly the bytes of [`Self::write_full_metadata`], rounded up.
    fn full_metadata_bytes(&self, part: &BlockPart) -> usize {
        let receipts: usize = part
            .receipts
            .iter()
            .map(|receipt| RECEIPT_BYTES + logs_bytes(receipt))
            .sum();
        receipts + self.balances.text().len()
    }
}

fn write_block_number(json: &mut JsonWriter, flashblock: &Flashblock) {
    json.raw("\"block_number\":");
    json.number(flashblock.block_number);
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

fn write_diff(
    json: &mut JsonWriter,
    flashblock: &Flashblock,
    without_roots: bool,
    transactions: &[u8],
) {
    let root = |root: B256| if without_roots { B256::ZERO } else { root };
    json.raw("{\"state_root\":");
    json.hex(root(flashblock.state_root).as_slice());
    json.raw(",\"receipts_root\":");
    json.hex(flashblock.receipts_root.as_slice());
    json.raw(",\"logs_bloom\":");
    json.hex(flashblock.logs_bloom.as_slice());
    json.raw(",\"gas_used\":");
    json.quantity(flashblock.gas_used);
    json.raw(",\"block_hash\":");
    json.hex(root(flashblock.block_hash).as_slice());
    json.raw(",\"transactions\":[");
    json.raw_bytes(transactions);
    // The OP Stack has no validator withdrawals; the key stays for consumers that require it.
    json.raw("],\"withdrawals\":[],\"withdrawals_root\":");
    json.hex(root(flashblock.withdrawals_root).as_slice());
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
