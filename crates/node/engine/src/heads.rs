//! News of the canonical chain for everybody beside the pool.

use std::sync::Arc;

use blockwright_state::CanonUpdate;
use blockwright_types::SealedBlock;
use tokio::sync::{broadcast, watch};

/// Updates a slow subscriber may fall behind before it loses the oldest (and is told how many).
const UPDATES_CAPACITY: usize = 256;

/// The latest head and the stream of canonical changes. Clones share everything.
#[derive(Clone, Debug)]
pub struct Heads {
    head: watch::Sender<Option<Arc<SealedBlock>>>,
    updates: broadcast::Sender<Arc<CanonUpdate>>,
}

impl Heads {
    pub(crate) fn new() -> Self {
        Self {
            head: watch::Sender::new(None),
            updates: broadcast::Sender::new(UPDATES_CAPACITY),
        }
    }

    /// The latest head; intermediate ones may be skipped. `None` until the first fork choice.
    pub fn head(&self) -> watch::Receiver<Option<Arc<SealedBlock>>> {
        self.head.subscribe()
    }

    /// Every change of the canonical chain.
    pub fn updates(&self) -> broadcast::Receiver<Arc<CanonUpdate>> {
        self.updates.subscribe()
    }

    pub(crate) fn publish(&self, head: Arc<SealedBlock>, update: Arc<CanonUpdate>) {
        self.head.send_replace(Some(head));
        // Nobody may be listening.
        let _ = self.updates.send(update);
    }
}
