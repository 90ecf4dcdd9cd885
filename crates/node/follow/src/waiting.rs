//! A block whose parent is not known yet.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_types::PayloadId;

/// Flashblocks that are kept until their parent is the head.
const FLASHBLOCKS_MAX: usize = 1_024;
/// Bytes of their transactions.
const BYTES_MAX: usize = 64 << 20;

/// The flashblocks of one payload, until its parent is the head. Without them whoever joins a stream
/// in the middle of a block could never begin: index 0 of the next block comes before the block itself
/// is imported.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) payload_id: PayloadId,
    pub(crate) number: u64,
    pub(crate) parent: B256,
    pub(crate) flashblocks: Vec<Arc<OpFlashblockPayload>>,
    size_bytes: usize,
}

impl Waiting {
    /// A payload that begins on `parent`.
    pub(crate) fn new(opening: &Arc<OpFlashblockPayload>, parent: B256) -> Self {
        Self {
            payload_id: opening.payload_id,
            number: opening.metadata.block_number,
            parent,
            flashblocks: vec![Arc::clone(opening)],
            size_bytes: size_bytes(opening),
        }
    }

    /// Keeps the next one; `false` where there is no room.
    #[must_use]
    pub(crate) fn push(&mut self, next: &Arc<OpFlashblockPayload>) -> bool {
        let size_bytes = self.size_bytes.saturating_add(size_bytes(next));
        if self.flashblocks.len() >= FLASHBLOCKS_MAX || size_bytes > BYTES_MAX {
            return false;
        }
        self.size_bytes = size_bytes;
        self.flashblocks.push(Arc::clone(next));
        true
    }
}

fn size_bytes(flashblock: &OpFlashblockPayload) -> usize {
    let transactions = flashblock.diff.transactions.iter();
    transactions.map(|tx| tx.len()).sum()
}
