//! Looking blocks up.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_types::SealedBlock;
use parking_lot::Mutex;

use super::Store;
use super::chain::Place;
use super::layer::Body;
use crate::fork_choice::BlockRef;
use crate::log::Location;
use crate::metrics;

/// Blocks read back from the log, the most recently used last.
#[derive(Debug)]
pub(super) struct BlockCache {
    blocks: Mutex<Vec<Arc<SealedBlock>>>,
    blocks_max: usize,
    size_bytes_max: usize,
}

impl BlockCache {
    pub(super) const fn new(blocks_max: usize, size_bytes_max: usize) -> Self {
        Self {
            blocks: Mutex::new(Vec::new()),
            blocks_max,
            size_bytes_max,
        }
    }

    fn get(&self, hash: &B256) -> Option<Arc<SealedBlock>> {
        let mut blocks = self.blocks.lock();
        let found = blocks.iter().position(|block| block.hash == *hash)?;
        let block = blocks.remove(found);
        blocks.push(Arc::clone(&block));
        Some(block)
    }

    fn put(&self, block: Arc<SealedBlock>) {
        let mut blocks = self.blocks.lock();
        blocks.push(block);
        let mut size_bytes: usize = blocks.iter().map(|block| block.memory_bytes()).sum();
        while blocks.len() > self.blocks_max
            || (size_bytes > self.size_bytes_max && blocks.len() > 1)
        {
            size_bytes -= blocks.remove(0).memory_bytes();
        }
    }
}

/// Queries. A new block comes from memory, on any branch; an older one, and above a limit in bytes
/// also one whose state is held, is read back from the log. `None` means unknown; should the log fail to give back a known block,
/// that is logged as an error, counted (`blockwright_state_log_read_failures_total`) and answered
/// with `None` as well.
impl Store {
    /// The head of the canonical chain.
    pub fn head(&self) -> BlockRef {
        self.inner.chain.read().labels().head
    }

    /// The safe block, once a fork choice has named one.
    pub fn safe(&self) -> Option<BlockRef> {
        self.inner.chain.read().labels().safe
    }

    /// The finalized block, once a fork choice has named one.
    pub fn finalized(&self) -> Option<BlockRef> {
        self.inner.chain.read().labels().finalized
    }

    /// Whether the state after block `hash` is held, so that it can be built on and read.
    pub fn contains(&self, hash: B256) -> bool {
        self.inner.chain.read().layer(&hash).is_some()
    }

    /// Whether block `hash` is on the canonical chain.
    pub fn is_canonical(&self, hash: B256) -> bool {
        self.inner.chain.read().number(&hash).is_some()
    }

    /// The hash of the canonical block `number`.
    pub fn canonical_hash(&self, number: u64) -> Option<B256> {
        self.inner
            .chain
            .read()
            .entry(number)
            .map(|entry| entry.hash)
    }

    /// The header of a block.
    pub fn header(&self, hash: B256) -> Option<Header> {
        if let Some(layer) = self.layer(&hash) {
            return Some(layer.header().clone());
        }
        self.block_by_hash(hash).map(|block| block.header.clone())
    }

    /// A block with transactions, receipts and post-values.
    pub fn block_by_hash(&self, hash: B256) -> Option<Arc<SealedBlock>> {
        let place = {
            let chain = self.inner.chain.read();
            match chain.layer(&hash).map(|layer| layer.body()) {
                Some(Body::Held(block)) => return Some(block),
                Some(Body::Logged(place)) => Place::Logged(place),
                None => chain.entry(chain.number(&hash)?)?.place.clone(),
            }
        };
        match place {
            Place::Kept(block) => Some(block),
            Place::Logged(location) => self.read_back(hash, location),
        }
    }

    /// A canonical block.
    pub fn block_by_number(&self, number: u64) -> Option<Arc<SealedBlock>> {
        self.block_by_hash(self.canonical_hash(number)?)
    }

    /// The canonical block that holds a transaction, and the transaction's position in it.
    pub fn transaction(&self, hash: B256) -> Option<(Arc<SealedBlock>, usize)> {
        let place = self.inner.transactions.get(&hash)?;
        let block = self.block_by_number(place.number)?;
        let index = usize::try_from(place.index).ok()?;
        // The chain may have moved between the two look-ups.
        let found = block.transactions().nth(index)?.hash == hash;
        found.then_some((block, index))
    }

    fn read_back(&self, hash: B256, location: Location) -> Option<Arc<SealedBlock>> {
        if let Some(block) = self.inner.cache.get(&hash) {
            return Some(block);
        }
        match self.inner.reader.as_ref()?.block(location) {
            Ok(block) => {
                let block = Arc::new(block);
                self.inner.cache.put(Arc::clone(&block));
                Some(block)
            }
            Err(error) => {
                metrics::log_read_failed();
                tracing::error!(%hash, %error, "a block could not be read back from the log");
                None
            }
        }
    }
}
