//! Where payloads come from.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;

/// Hands out what was built, keyed by parent.
pub trait PayloadSource: Send + Sync {
    /// The block built on `parent_hash`, from memory, without waiting for a better one. It is released by
    /// this: nothing is added to it from now on, and the next call with this parent gives it again.
    ///
    /// # Errors
    /// [`NotReleased`]; nothing is released then.
    fn release(&self, parent_hash: B256, number: u64) -> Result<Released, NotReleased>;

    /// Whether [`Self::release`] with this parent computes nothing first. Where it does (a block without
    /// roots), it belongs on a thread that may be busy for a while.
    fn is_at_hand(&self, parent_hash: B256) -> bool;
}

/// A block that is handed out.
#[derive(Clone, Debug)]
pub struct Released {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// Fork at its parent's timestamp.
    pub parent_fork: OpFork,
    /// The JSON text of its execution payload, in pieces that others may own as well.
    pub payload_json: Vec<Bytes>,
}

/// Why no block is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReleased {
    /// Nothing was built on that parent, or not lately.
    NothingBuilt,
    /// The block on that parent has this number and not the one asked for.
    OtherNumber(u64),
    /// Its building has only begun, or it cannot be completed.
    NotReady,
}
