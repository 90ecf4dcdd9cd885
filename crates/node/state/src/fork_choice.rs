//! Fork choices and what they change.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_types::SealedBlock;

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Number.
    pub number: u64,
    /// Hash.
    pub hash: B256,
}

/// What the consensus client says about the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkChoice {
    /// The new head.
    pub head: B256,
    /// The safe block; zero leaves it as it is.
    pub safe: B256,
    /// The finalized block; zero leaves it as it is.
    pub finalized: B256,
}

/// How a fork choice changed the canonical chain.
#[derive(Clone, Debug, Default)]
pub struct CanonUpdate {
    /// Blocks that left it, highest first.
    pub reverted: Vec<Arc<SealedBlock>>,
    /// Blocks that joined it, lowest first.
    pub new: Vec<Arc<SealedBlock>>,
}

/// The three labelled blocks, as they are made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    pub(crate) head: BlockRef,
    pub(crate) safe: Option<BlockRef>,
    pub(crate) finalized: Option<BlockRef>,
}
