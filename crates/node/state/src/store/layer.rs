//! A block with the state it leaves.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_types::SealedBlock;
use parking_lot::RwLock;

use crate::ancestors::Ancestors;
use crate::delta::TrieDelta;
use crate::error::StateError;
use crate::fork_choice::BlockRef;
use crate::log::Location;
use crate::reader::StateReader;

/// A block with the state it leaves.
#[derive(Debug)]
pub(super) struct Layer {
    at: BlockRef,
    header: Header,
    body: RwLock<Body>,
    pub(super) delta: TrieDelta,
    ancestors: Ancestors,
}

/// Where the block itself is.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// In memory.
    Held(Arc<SealedBlock>),
    /// In the log, from where it can be read back.
    Logged(Location),
}

impl Layer {
    pub(super) fn new(block: Arc<SealedBlock>, delta: TrieDelta, ancestors: Ancestors) -> Self {
        Self {
            at: BlockRef {
                number: block.header.number,
                hash: block.hash,
            },
            header: block.header.clone(),
            body: RwLock::new(Body::Held(block)),
            delta,
            ancestors,
        }
    }

    pub(super) fn genesis(block: Arc<SealedBlock>, delta: TrieDelta) -> Self {
        let ancestors = Ancestors::genesis(block.header.number, block.hash);
        Self::new(block, delta, ancestors)
    }

    pub(super) fn child(
        parent: &Self,
        block: Arc<SealedBlock>,
        delta: TrieDelta,
    ) -> Result<Self, StateError> {
        if block.header.number != parent.number() + 1 {
            return Err(StateError::NumberGap {
                hash: block.hash,
                number: block.header.number,
                parent: parent.number(),
            });
        }
        let ancestors = parent.ancestors.child(block.hash);
        Ok(Self::new(block, delta, ancestors))
    }

    pub(super) fn reader(&self) -> StateReader {
        StateReader {
            state: self.delta.state.clone(),
            ancestors: self.ancestors.clone(),
        }
    }

    pub(super) const fn ancestors(&self) -> &Ancestors {
        &self.ancestors
    }

    pub(super) const fn number(&self) -> u64 {
        self.at.number
    }

    pub(super) const fn at(&self) -> BlockRef {
        self.at
    }

    pub(super) const fn hash(&self) -> B256 {
        self.at.hash
    }

    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    pub(super) const fn parent(&self) -> B256 {
        self.header.parent_hash
    }

    pub(super) fn body(&self) -> Body {
        self.body.read().clone()
    }

    /// Lets go of the block, which is durable at `place`; returns it if it was in memory.
    pub(super) fn release_body(&self, place: Location) -> Option<Arc<SealedBlock>> {
        let before = std::mem::replace(&mut *self.body.write(), Body::Logged(place));
        match before {
            Body::Held(block) => Some(block),
            Body::Logged(_) => None,
        }
    }
}
