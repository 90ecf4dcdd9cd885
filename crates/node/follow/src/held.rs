//! What the store holds because of the stream.

use blockwright_state::{BlockRef, Store};

/// Blocks off the chain that are held at a time. A stream that invents blocks must not fill the
/// memory: each may be as large as the gas limit allows.
const HELD_MAX: usize = 64;
/// The store lets go of what is this far below the head.
const WINDOW_BLOCKS: u64 = 256;

/// Blocks that were put into the store before their import, and are not in the chain (yet).
#[derive(Debug, Default)]
pub(crate) struct Held {
    blocks: Vec<BlockRef>,
}

impl Held {
    /// Whether one more may be held.
    pub(crate) const fn has_room(&self) -> bool {
        self.blocks.len() < HELD_MAX
    }

    /// One more is.
    pub(crate) fn add(&mut self, block: BlockRef) {
        self.blocks.push(block);
    }

    /// The head moved: what it made part of the chain is an import like any other.
    pub(crate) fn set_head(&mut self, head: BlockRef, store: &Store) {
        let is_held = |block: &BlockRef| {
            !store.is_canonical(block.hash)
                && block.number.saturating_add(WINDOW_BLOCKS) > head.number
        };
        self.blocks.retain(is_held);
    }
}
