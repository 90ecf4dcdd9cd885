//! Places in the stream, and what a resuming subscriber says of its own.

use blockwright_types::PayloadId;

/// Where a flashblock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) payload_id: PayloadId,
    pub(crate) block_number: u64,
    pub(crate) index: u64,
}

/// The last flashblock that a resuming subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastSeen {
    pub(crate) block_number: u64,
    pub(crate) index: u64,
    /// Tells apart two payloads for one block number, where the subscriber says it.
    pub(crate) payload_id: Option<PayloadId>,
}

impl LastSeen {
    /// Whether the flashblock at `position` may be the one meant.
    pub(crate) fn is(&self, position: &Position) -> bool {
        self.block_number == position.block_number
            && self.index == position.index
            && self.payload_id.is_none_or(|id| id == position.payload_id)
    }
}
