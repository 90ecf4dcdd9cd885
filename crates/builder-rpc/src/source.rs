//! Where blocks come from.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;
use tokio::sync::watch;

use crate::Bid;

/// Shows what is built, keyed by parent.
pub trait OfferSource: Send + Sync {
    /// Whether there is a block with this hash.
    fn is_known(&self, hash: B256) -> bool;

    /// The block on `parent_hash` as it is now; its building goes on. May compute for a while.
    ///
    /// # Errors
    /// [`NotOffered`].
    fn offer(&self, parent_hash: B256) -> Result<Arc<dyn OfferedBlock>, NotOffered>;

    /// Follows what is built: the newest bid.
    fn bids(&self) -> watch::Receiver<Option<Bid>>;

    /// The chain's head.
    fn head(&self) -> Head;

    /// Blocks that are being built.
    fn jobs(&self) -> usize;
}

/// A block that is shown, and may be handed out later.
pub trait OfferedBlock: Send + Sync {
    /// The block.
    fn block(&self) -> &Arc<SealedBlock>;

    /// Its fork.
    fn fork(&self) -> OpFork;

    /// What the block is worth to `fee_recipient`: the increase of its balance over the block, in wei.
    fn value_for(&self, fee_recipient: Address) -> U256;

    /// Hands the block out: building on its parent ends, and it is the block for everybody. The text of its
    /// execution payload, in pieces.
    fn reveal(&self) -> Vec<Bytes>;
}

/// Why no block is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOffered {
    /// Nothing was built on that parent, or not lately.
    NothingBuilt,
    /// Its building has only begun, or it cannot be completed.
    NotReady,
}

/// The chain's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number.
    pub number: u64,
    /// Hash.
    pub hash: B256,
}
