//! What the frames of a payload are made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blockwright_flashblocks::{BuilderSignature, FlashblockId};
use blockwright_types::Flashblock;
use parking_lot::RwLock;

/// A flashblock as it was published.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) flashblock: Arc<Flashblock>,
    /// What its JSON frames carry, where the builder signs.
    pub(crate) signature: Option<BuilderSignature>,
}

/// The flashblocks of one payload so far. Cumulative fields and the hash chain need all from index 0
/// on, so they stay together as long as one of them has a place in the ring.
#[derive(Debug)]
pub(crate) struct Payload {
    /// The flashblock before its index 0, in the payload before.
    previous: Option<FlashblockId>,
    published: RwLock<Vec<Published>>,
    size_bytes: AtomicUsize,
}

/// Around a transaction: its envelope, sender, hash, place in lists, receipt.
const TRANSACTION_BYTES: usize = 768;
/// An account that changed, slots included, roughly.
const CHANGE_BYTES: usize = 256;
/// The header fields, rounded up.
const FLASHBLOCK_BYTES: usize = 1_024;

impl Payload {
    /// An empty payload behind `previous`.
    pub(crate) const fn behind(previous: Option<FlashblockId>) -> Self {
        Self {
            previous,
            published: RwLock::new(Vec::new()),
            size_bytes: AtomicUsize::new(0),
        }
    }

    /// The flashblock before its index 0.
    pub(crate) const fn previous(&self) -> Option<FlashblockId> {
        self.previous
    }

    /// Adds the next flashblock.
    pub(crate) fn push(&self, published: Published) {
        let size_bytes = memory_bytes(&published.flashblock);
        self.published.write().push(published);
        self.size_bytes.fetch_add(size_bytes, Ordering::Relaxed);
    }

    /// Bytes of its flashblocks, estimated.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes.load(Ordering::Relaxed)
    }

    /// The flashblock at `index`.
    pub(crate) fn at(&self, index: u64) -> Option<Published> {
        let place = usize::try_from(index).ok()?;
        self.published.read().get(place).cloned()
    }
}

/// Roughly what a flashblock takes in memory, its transactions' JSON text included: cheap, whatever
/// its size, and rather too much than too little.
fn memory_bytes(flashblock: &Flashblock) -> usize {
    let part = &flashblock.part;
    let transaction = |bytes: usize| TRANSACTION_BYTES + 3 * bytes;
    let transactions = part.transactions.iter();
    let transactions: usize = transactions.map(|tx| transaction(tx.encoded.len())).sum();
    let changes = part.changes.iter();
    let changes: usize = changes
        .map(|piece| piece.accounts.len() * CHANGE_BYTES)
        .sum();
    FLASHBLOCK_BYTES + transactions + changes
}
