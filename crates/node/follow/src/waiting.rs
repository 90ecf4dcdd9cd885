//! A block whose parent is not known yet.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_types::{PayloadId, UnixUs};

/// Flashblocks that are kept until their parent is the head.
const FLASHBLOCKS_MAX: usize = 1_024;
/// Bytes of their transactions.
const BYTES_MAX: usize = 64 << 20;

/// A flashblock and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) flashblock: Arc<OpFlashblockPayload>,
    pub(crate) at: UnixUs,
}

/// The flashblocks of one payload, until its parent is the head. Without them whoever joins a stream
/// in the middle of a block could never begin: index 0 of the next block comes before the block itself
/// is imported.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) payload_id: PayloadId,
    pub(crate) number: u64,
    pub(crate) parent: B256,
    pub(crate) flashblocks: Vec<Arrived>,
    size_bytes: usize,
}

impl Waiting {
    /// A payload that begins on `parent`.
    pub(crate) fn new(opening: Arrived, parent: B256) -> Self {
        let Arrived { flashblock, .. } = &opening;
        Self {
            payload_id: flashblock.payload_id,
            number: flashblock.metadata.block_number,
            parent,
            size_bytes: size_bytes(flashblock),
            flashblocks: vec![opening],
        }
    }

    /// Keeps the next one; `false` where there is no room.
    #[must_use]
    pub(crate) fn push(&mut self, next: Arrived) -> bool {
        let size_bytes = self.size_bytes.saturating_add(size_bytes(&next.flashblock));
        if self.flashblocks.len() >= FLASHBLOCKS_MAX || size_bytes > BYTES_MAX {
            return false;
        }
        self.size_bytes = size_bytes;
        self.flashblocks.push(next);
        true
    }
}

fn size_bytes(flashblock: &OpFlashblockPayload) -> usize {
    let transactions = flashblock.diff.transactions.iter();
    transactions.map(|tx| tx.len()).sum()
}
