//! The store: blocks with their states, the canonical chain, and its durable form.

mod bodies;
mod chain;
mod index;
mod indexing;
mod janitor;
mod layer;
mod prepared;
mod queries;
mod recovery;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_seams::RootsReply;
use blockwright_types::{Changes, Roots, SealedBlock};
use parking_lot::{Mutex, RwLock};

use crate::config::StoreConfig;
use crate::delta::TrieDelta;
use crate::error::StateError;
use crate::fork_choice::{CanonUpdate, ForkChoice};
use crate::log::{Log, LogReader};
use crate::metrics;
use crate::reader::StateReader;
use crate::session::{self, TrieSession};
use chain::{Chain, Place, Released};
use indexing::{Change, Indexing};
use janitor::Janitor;
use layer::{Body, Layer};
use prepared::Prepared;
use queries::BlockCache;

/// The first block of a chain.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// Its header.
    pub header: Header,
    /// The header's hash.
    pub hash: B256,
    /// The allocation as post-values on an empty state, code included.
    pub changes: Changes,
}

/// Blocks with their states. Clones share everything; all calls come from any thread.
///
/// No call waits for the disk but [`set_fork_choice`](Self::set_fork_choice) and queries for blocks
/// below the window.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: StoreConfig,
    /// Held for moments only: to look a layer up, or to swap finished work in.
    chain: RwLock<Chain>,
    /// `None` in memory mode. Its lock puts fork choices in order.
    log: Mutex<Option<Log>>,
    transactions: Indexing,
    reader: Option<LogReader>,
    cache: BlockCache,
    prepared: Prepared,
    janitor: Janitor,
}

impl Store {
    /// Opens the store and recovers what its log holds: afterwards the head is the last fork choice
    /// that was acknowledged (or the one that was being written when the process died).
    pub fn open(config: StoreConfig, genesis: Genesis) -> Result<Self, StateError> {
        let recovered = recovery::recover(&config, genesis)?;
        Ok(Self {
            inner: Arc::new(Inner {
                cache: BlockCache::new(config.blocks_cached_max, config.bodies_bytes_max),
                transactions: Indexing::new(
                    recovered.transactions,
                    config.transactions_indexed_max,
                ),
                prepared: Prepared::default(),
                config,
                chain: RwLock::new(recovered.chain),
                reader: recovered.log.as_ref().map(Log::reader),
                log: Mutex::new(recovered.log),
                janitor: Janitor::start(),
            }),
        })
    }

    /// The state after block `hash`, if it is held.
    pub fn reader(&self, hash: B256) -> Option<StateReader> {
        self.layer(&hash).map(|layer| layer.reader())
    }

    /// Starts a root session on the state of block `parent`, if that is held. `reply` is called
    /// once for each close, from the session's thread.
    pub fn root_session(&self, parent: B256, reply: RootsReply<TrieDelta>) -> Option<TrieSession> {
        let layer = self.layer(&parent)?;
        Some(session::start(parent, layer.delta.state.clone(), reply))
    }

    /// The roots after `changes` on the state of block `parent`, computed on this thread (and a few
    /// more to hash).
    pub fn roots_after(
        &self,
        parent: B256,
        changes: &Changes,
    ) -> Result<(Roots, TrieDelta), StateError> {
        let layer = self
            .layer(&parent)
            .ok_or(StateError::UnknownBlock(parent))?;
        let mut state = layer.delta.state.clone();
        state.apply(changes)?;
        let delta = state.close(parent)?;
        Ok((delta.roots(), delta))
    }

    /// Adds a block on a held parent, on any branch; adding one that is held does nothing.
    /// The delta must lead to the header's state root. Not durable before a fork choice names the
    /// block or a descendant.
    pub fn insert(&self, block: Arc<SealedBlock>, delta: TrieDelta) -> Result<(), StateError> {
        if block.header.state_root != delta.roots().state {
            return Err(StateError::RootMismatch {
                hash: block.hash,
                header: block.header.state_root,
                delta: delta.roots().state,
            });
        }
        let parent_hash = block.header.parent_hash;
        let parent = self
            .layer(&parent_hash)
            .ok_or(StateError::UnknownBlock(parent_hash))?;
        let layer = Layer::child(&parent, block, delta)?;
        let limit = self.inner.config.side_blocks_max;
        let evicted = self.inner.chain.write().insert(Arc::new(layer), limit);
        self.inner.janitor.drop_later(Released {
            layers: evicted,
            blocks: Vec::new(),
        });
        Ok(())
    }

    /// Makes a held block the head, with everything down to the canonical chain, and labels the
    /// safe and finalized blocks. Durable when this returns; nothing is written where nothing
    /// changed. Also the only call that prunes.
    ///
    /// The head may be any held block, canonical ones included (the chain above it is then
    /// reverted).
    pub fn set_fork_choice(&self, choice: ForkChoice) -> Result<CanonUpdate, StateError> {
        let started = Instant::now();
        let mut log = self.inner.log.lock();
        let Some(plan) = self.inner.chain.read().plan(&choice)? else {
            return Ok(CanonUpdate::default());
        };
        let update = CanonUpdate {
            reverted: self.bodies(plan.leaving())?,
            new: self.bodies(plan.joining())?,
        };
        let places = match log.as_mut() {
            Some(log) => {
                let prepared = |block: &Arc<SealedBlock>| {
                    let payload = self.inner.prepared.take(block);
                    (block.hash, payload)
                };
                let blocks: Vec<_> = update.new.iter().map(prepared).collect();
                let locations = log.append(&blocks, &plan.labels)?;
                for (_, payload) in blocks {
                    self.inner.prepared.reuse(payload);
                }
                locations.into_iter().map(Place::Logged).collect()
            }
            None => update.new.iter().cloned().map(Place::Kept).collect(),
        };
        let released = self
            .inner
            .chain
            .write()
            .adopt(plan, places, &self.inner.config);
        let left = update.reverted.iter().cloned().map(Change::Left);
        let joined = update.new.iter().cloned().map(Change::Joined);
        self.inner.transactions.note(left.chain(joined));
        drop(log);
        self.inner.janitor.drop_later(released);
        metrics::fork_choice_set(started.elapsed());
        Ok(update)
    }

    /// Indexes the transactions of blocks that became canonical, which fork choices leave to be done
    /// after they were answered. [`Self::transaction`] does so too, if need be.
    pub fn index_transactions(&self) {
        self.inner.transactions.catch_up();
    }

    /// The blocks of layers, from the log where they are not in memory.
    fn bodies<'a>(
        &self,
        layers: impl Iterator<Item = &'a Arc<Layer>>,
    ) -> Result<Vec<Arc<SealedBlock>>, StateError> {
        let body = |layer: &Arc<Layer>| match (layer.body(), &self.inner.reader) {
            (Body::Held(block), _) => Ok(block),
            (Body::Logged(place), Some(reader)) => reader.block(place).map(Arc::new),
            (Body::Logged(_), None) => Err(StateError::UnknownBlock(layer.hash())),
        };
        layers.map(body).collect()
    }

    /// Does what a fork choice that names `block` would have to wait for, before it comes: encodes
    /// the block and, where it is a child of the head, makes its record durable. Whether it is ever
    /// inserted or chosen makes no difference to anything but the log's size.
    ///
    /// Waits for the disk. A fork choice that comes meanwhile waits for this instead of doing it.
    ///
    /// # Errors
    /// As for [`Self::set_fork_choice`], where the log cannot be written.
    pub fn write_ahead(&self, block: &Arc<SealedBlock>) -> Result<(), StateError> {
        if self.inner.reader.is_none() {
            return Ok(());
        }
        let payload = self.inner.prepared.make(block);
        let mut log = self.inner.log.lock();
        let head = self.inner.chain.read().labels().head.hash;
        match log.as_mut() {
            Some(log) if head == block.header.parent_hash => log.write_ahead(block.hash, &payload),
            _ => Ok(()),
        }
    }

    /// Segment and offset at which the log goes on.
    #[cfg(test)]
    pub(crate) fn log_end(&self) -> (u32, u64) {
        self.inner.log.lock().as_ref().map_or((0, 0), Log::end)
    }

    fn layer(&self, hash: &B256) -> Option<Arc<Layer>> {
        self.inner.chain.read().layer(hash).cloned()
    }
}
