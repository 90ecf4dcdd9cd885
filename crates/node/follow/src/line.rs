//! Preconfirmed blocks between the head and the block that grows.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_pending::PendingBlock;
use blockwright_state::BlockRef;

/// Blocks that may be preconfirmed above the head. With a consensus client further behind than this
/// the stream is not followed until it has caught up.
pub(crate) const AHEAD_MAX: usize = 8;

/// A complete preconfirmed block. The store holds it, off the canonical chain.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) hash: B256,
    pub(crate) parent: B256,
    pub(crate) pending: Arc<PendingBlock>,
}

/// What a new block stands on.
#[derive(Clone, Debug)]
pub(crate) enum Footing {
    /// The head.
    Head,
    /// A preconfirmed block above it.
    Preconfirmed(Arc<PendingBlock>),
}

/// The head, and preconfirmed blocks on it: each the parent of the next one.
#[derive(Debug)]
pub(crate) struct Line {
    head: BlockRef,
    links: Vec<Link>,
}

impl Line {
    pub(crate) const fn new(head: BlockRef) -> Self {
        Self {
            head,
            links: Vec::new(),
        }
    }

    pub(crate) const fn head(&self) -> BlockRef {
        self.head
    }

    /// Blocks above the head.
    pub(crate) const fn len(&self) -> usize {
        self.links.len()
    }

    /// What a block on `parent` stands on, if that is the head or leads to it.
    pub(crate) fn footing(&self, parent: B256) -> Option<Footing> {
        if parent == self.head.hash {
            return Some(Footing::Head);
        }
        let place = self.links.iter().position(|link| link.hash == parent)?;
        // Made anew of what is above the head now: what a snapshot once stood on may be long imported,
        // and must not be kept by its descendants for ever.
        let lineage = self.links[..=place].iter().fold(None, |parent, link| {
            let mut block = PendingBlock::clone(&link.pending);
            block.parent = parent;
            Some(Arc::new(block))
        });
        lineage.map(Footing::Preconfirmed)
    }

    /// A new block stands on `parent`: what stood there before is given up.
    pub(crate) fn fork_at(&mut self, parent: B256) {
        let place = self.links.iter().position(|link| link.hash == parent);
        self.links.truncate(place.map_or(0, |place| place + 1));
    }

    /// Whether one more fits.
    pub(crate) const fn has_room(&self) -> bool {
        self.links.len() < AHEAD_MAX
    }

    /// Adds a block whose parent has a footing here.
    pub(crate) fn push(&mut self, link: Link) {
        self.fork_at(link.parent);
        self.links.push(link);
    }

    /// The head moved. Keeps what leads on from it.
    pub(crate) fn set_head(&mut self, head: BlockRef) {
        self.head = head;
        if let Some(place) = self.links.iter().position(|link| link.hash == head.hash) {
            self.links.drain(..=place);
        } else if self
            .links
            .first()
            .is_none_or(|link| link.parent != head.hash)
        {
            self.links.clear();
        }
    }
}
