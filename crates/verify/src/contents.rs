//! What was said before, within bounds, so that a second content for one place is noticed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use alloy_primitives::{B256, Keccak256};
use blockwright_flashblocks::{
    OpFlashblockPayload, OpFlashblockPayloadBase, OpFlashblockPayloadDelta,
    OpFlashblockPayloadMetadata,
};
use blockwright_types::PayloadId;

/// How much of the past is remembered in order to notice equivocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Payloads, the running one included; at least 1. The oldest is forgotten first.
    pub payloads_max: usize,
    /// Flashblocks of one payload; what comes at further places is not remembered.
    pub flashblocks_max: usize,
    /// Estimated bytes of kept contents. Beyond it the oldest contents are let go, and only their
    /// digests stay.
    pub bytes_max: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            payloads_max: 8,
            flashblocks_max: 1_024,
            bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// Hash of what a flashblock contributes to the block: payload id, index, block number, `base` and
/// `diff`. Metadata are left out, because one flashblock is served with more or fewer of them.
pub fn content_digest(flashblock: &OpFlashblockPayload) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(flashblock.payload_id.0);
    hasher.update(flashblock.index.to_be_bytes());
    hasher.update(flashblock.metadata.block_number.to_be_bytes());
    hasher.update([u8::from(flashblock.base.is_some())]);
    if let Some(base) = &flashblock.base {
        hash_base(&mut hasher, base);
    }
    hash_diff(&mut hasher, &flashblock.diff);
    hasher.finalize()
}

fn hash_base(hasher: &mut Keccak256, base: &OpFlashblockPayloadBase) {
    hasher.update(base.parent_beacon_block_root);
    hasher.update(base.parent_hash);
    hasher.update(base.fee_recipient);
    hasher.update(base.prev_randao);
    for number in [base.block_number, base.gas_limit, base.timestamp] {
        hasher.update(number.to_be_bytes());
    }
    hash_bytes(hasher, &base.extra_data);
    hasher.update(base.base_fee_per_gas.to_be_bytes::<32>());
}

fn hash_diff(hasher: &mut Keccak256, diff: &OpFlashblockPayloadDelta) {
    hasher.update(diff.state_root);
    hasher.update(diff.receipts_root);
    hasher.update(diff.logs_bloom);
    hasher.update(diff.gas_used.to_be_bytes());
    hasher.update(diff.block_hash);
    hasher.update((diff.transactions.len() as u64).to_be_bytes());
    for tx in &diff.transactions {
        hash_bytes(hasher, tx);
    }
    hasher.update((diff.withdrawals.len() as u64).to_be_bytes());
    for withdrawal in &diff.withdrawals {
        hasher.update(withdrawal.index.to_be_bytes());
        hasher.update(withdrawal.validator_index.to_be_bytes());
        hasher.update(withdrawal.address);
        hasher.update(withdrawal.amount.to_be_bytes());
    }
    hasher.update(diff.withdrawals_root);
    hasher.update([u8::from(diff.blob_gas_used.is_some())]);
    hasher.update(diff.blob_gas_used.unwrap_or_default().to_be_bytes());
}

fn hash_bytes(hasher: &mut Keccak256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

/// What is known of a flashblock's place.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Nothing.
    Never,
    /// The same content.
    Same,
    /// Another content, with its digest.
    Other(B256, Option<Arc<OpFlashblockPayload>>),
}

#[derive(Debug)]
struct Content {
    digest: B256,
    body: Option<Arc<OpFlashblockPayload>>,
    size_bytes: usize,
}

#[derive(Debug)]
struct Payload {
    id: PayloadId,
    by_index: BTreeMap<u64, Content>,
}

/// Contents of the last few payloads.
#[derive(Debug)]
pub(crate) struct Contents {
    limits: MemoryLimits,
    /// Oldest first.
    payloads: VecDeque<Payload>,
    size_bytes: usize,
}

impl Contents {
    pub(crate) const fn new(limits: MemoryLimits) -> Self {
        Self {
            limits,
            payloads: VecDeque::new(),
            size_bytes: 0,
        }
    }

    /// Whether anything of `payload` is remembered at `index`.
    pub(crate) fn knows(&self, payload: PayloadId, index: u64) -> bool {
        self.find(payload, index).is_some()
    }

    /// Compares with what stood at the same place before.
    pub(crate) fn compare(&self, flashblock: &Arc<OpFlashblockPayload>, digest: B256) -> Seen {
        let Some(first) = self.find(flashblock.payload_id, flashblock.index) else {
            return Seen::Never;
        };
        let metadata_agree = first
            .body
            .as_ref()
            .is_none_or(|body| agree(&body.metadata, &flashblock.metadata));
        if first.digest == digest && metadata_agree {
            Seen::Same
        } else {
            Seen::Other(first.digest, first.body.clone())
        }
    }

    /// Remembers a content at a place that is still empty. Nothing of `running` is forgotten.
    pub(crate) fn remember(
        &mut self,
        flashblock: &Arc<OpFlashblockPayload>,
        digest: B256,
        running: PayloadId,
    ) {
        let Some(at) = self.place(flashblock.payload_id, running) else {
            return;
        };
        let by_index = &mut self.payloads[at].by_index;
        if by_index.len() >= self.limits.flashblocks_max {
            return;
        }
        let size_bytes = size_bytes(flashblock);
        by_index.entry(flashblock.index).or_insert_with(|| Content {
            digest,
            body: Some(Arc::clone(flashblock)),
            size_bytes,
        });
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        self.let_go();
    }

    /// Bytes of contents kept, as estimated.
    #[cfg(test)]
    pub(crate) const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    fn find(&self, payload: PayloadId, index: u64) -> Option<&Content> {
        let payload = self.payloads.iter().find(|known| known.id == payload)?;
        payload.by_index.get(&index)
    }

    /// Position of a payload, made if need be.
    fn place(&mut self, id: PayloadId, running: PayloadId) -> Option<usize> {
        if let Some(at) = self.payloads.iter().position(|known| known.id == id) {
            return Some(at);
        }
        while self.payloads.len() >= self.limits.payloads_max.max(1) {
            let oldest = self.payloads.iter().position(|known| known.id != running)?;
            let forgotten = self.payloads.remove(oldest)?;
            let contents = forgotten.by_index.values();
            let freed: usize = contents
                .filter(|content| content.body.is_some())
                .map(|content| content.size_bytes)
                .sum();
            self.size_bytes = self.size_bytes.saturating_sub(freed);
        }
        self.payloads.push_back(Payload {
            id,
            by_index: BTreeMap::new(),
        });
        Some(self.payloads.len() - 1)
    }

    /// Keeps only digests of the oldest contents where there are too many bytes.
    fn let_go(&mut self) {
        let contents = self.payloads.iter_mut();
        for content in contents.flat_map(|payload| payload.by_index.values_mut()) {
            if self.size_bytes <= self.limits.bytes_max {
                return;
            }
            if content.body.take().is_some() {
                self.size_bytes = self.size_bytes.saturating_sub(content.size_bytes);
            }
        }
    }
}

/// Whether two sets of metadata can be those of one flashblock: a map that is empty was left out.
fn agree(one: &OpFlashblockPayloadMetadata, two: &OpFlashblockPayloadMetadata) -> bool {
    let receipts = one.receipts.is_empty() || two.receipts.is_empty();
    let balances = one.new_account_balances.is_empty() || two.new_account_balances.is_empty();
    (receipts || one.receipts == two.receipts)
        && (balances || one.new_account_balances == two.new_account_balances)
}

/// Memory of a flashblock, estimated from the lengths of its lists.
fn size_bytes(flashblock: &OpFlashblockPayload) -> usize {
    const FIXED: usize = 1_024;
    const ENTRY: usize = 96;
    let transactions = flashblock.diff.transactions.iter();
    let transactions: usize = transactions.map(|tx| tx.len() + ENTRY).sum();
    let receipts = flashblock.metadata.receipts.values();
    let receipts: usize = receipts
        .map(|receipt| {
            let logs = receipt.as_receipt().logs.iter();
            let logs = logs.map(|log| ENTRY + 32 * log.topics().len() + log.data.data.len());
            2 * ENTRY + logs.sum::<usize>()
        })
        .sum();
    FIXED + transactions + receipts + ENTRY * flashblock.metadata.new_account_balances.len()
}
