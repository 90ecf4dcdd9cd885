//! The embedded node, as far as requests for blocks need it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_consensus::Header;
use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use blockwright_pool::Pool;
use blockwright_requests::BuildingNode;
use blockwright_state::Store;
use blockwright_types::{SealedBlock, SharedTx};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::senders::known;

/// Blocks, states and transactions that are held.
pub(crate) struct EmbeddedNode {
    store: Store,
    pool: Pool,
    /// Goes up whenever a block was imported.
    imports: watch::Sender<u64>,
    /// Whether a block is being written to the log before its fork choice.
    is_writing_ahead: Arc<AtomicBool>,
    /// The runtime that the engine was made on, if it was: work that somebody else's call gives rise to is
    /// done there, and not on the threads of whoever called.
    runtime: Option<Handle>,
}

impl EmbeddedNode {
    pub(crate) fn new(store: Store, pool: Pool) -> Self {
        Self {
            store,
            pool,
            imports: watch::Sender::new(0),
            is_writing_ahead: Arc::default(),
            runtime: Handle::try_current().ok(),
        }
    }

    /// Tells whoever waits for a block.
    pub(crate) fn tell_imported(&self) {
        self.imports.send_modify(|count| *count += 1);
    }

    /// Begins to write a block that was handed out to the log, so that the fork choice that is to
    /// name it need not wait for that. One at a time: should it not be begun, the fork choice does
    /// it.
    pub(crate) fn write_ahead(&self, block: &Arc<SealedBlock>) {
        if self.is_writing_ahead.swap(true, Ordering::AcqRel) {
            return;
        }
        let is_writing_ahead = Arc::clone(&self.is_writing_ahead);
        let (store, block) = (self.store.clone(), Arc::clone(block));
        let writing = move || {
            if let Err(error) = store.write_ahead(&block) {
                tracing::error!(hash = %block.hash, %error, "a block cannot be written to the log");
            }
            is_writing_ahead.store(false, Ordering::Release);
        };
        match &self.runtime {
            Some(runtime) => runtime.spawn_blocking(writing),
            None => tokio::task::spawn_blocking(writing),
        };
    }
}

impl BuildingNode for EmbeddedNode {
    fn header(&self, hash: B256) -> Option<Header> {
        self.store.header(hash)
    }

    fn has_state(&self, hash: B256) -> bool {
        self.store.contains(hash)
    }

    fn head(&self) -> BlockNumHash {
        let head = self.store.head();
        BlockNumHash::new(head.number, head.hash)
    }

    fn imports(&self) -> watch::Receiver<u64> {
        self.imports.subscribe()
    }

    fn transaction(&self, hash: &B256) -> Option<SharedTx> {
        known(&self.pool, &self.store, hash)
    }

    /// Its fork choice is then not slow.
    fn handed_out(&self, block: &Arc<SealedBlock>) {
        self.write_ahead(block);
    }
}
