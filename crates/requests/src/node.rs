//! What is asked of the node that the builder stands in.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use blockwright_types::{SealedBlock, SharedTx};
use tokio::sync::watch;

/// A node that holds the builder. Calls come from any thread and are answered without waiting for building.
pub trait BuildingNode: Send + Sync + 'static {
    /// The header of a block that is known, on whichever branch.
    fn header(&self, hash: B256) -> Option<Header>;

    /// Whether the state after this block is held, so that it can be built on. A block may be there without
    /// having been chosen by a fork choice.
    fn has_state(&self, hash: B256) -> bool;

    /// The head of the chain.
    fn head(&self) -> BlockNumHash;

    /// Changes whenever a block was imported, after its state can be had.
    fn imports(&self) -> watch::Receiver<u64>;

    /// A transaction that is known with its sender, so that it need not be recovered; `None` costs only time.
    fn transaction(&self, hash: &B256) -> Option<SharedTx> {
        let _ = hash;
        None
    }

    /// A block was handed out to somebody, for the first time, and most likely comes back as a new payload. Must
    /// return at once. Called on threads of a tokio runtime.
    fn handed_out(&self, block: &Arc<SealedBlock>) {
        let _ = block;
    }
}
