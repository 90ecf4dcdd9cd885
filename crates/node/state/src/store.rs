//! The store: blocks with their states, the canonical chain, and its durable form.

mod chain;
mod index;
mod janitor;
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
use crate::session::TrieSession;
use chain::{Chain, Layer, Place};
use janitor::Janitor;
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
    reader: Option<LogReader>,
    cache: BlockCache,
    janitor: Janitor,
}

impl Store {
    /// Opens the store and recovers what its log holds: afterwards the head is the last fork choice
    /// that was acknowledged (or the one that was being written when the process died).
    pub fn open(config: StoreConfig, genesis: Genesis) -> Result<Self, StateError> {
        let recovered = recovery::recover(&config, genesis)?;
        Ok(Self {
            inner: Arc::new(Inner {
                cache: BlockCache::new(config.blocks_cached_max),
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
        Some(TrieSession::start(parent, layer.delta.state.clone(), reply))
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
        self.inner.janitor.drop_later(evicted);
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
        let places = match log.as_mut() {
            Some(log) => log
                .append(plan.joining().map(|layer| &*layer.block), &plan.labels)?
                .into_iter()
                .map(Place::Logged)
                .collect(),
            None => plan
                .joining()
                .map(|layer| Place::Kept(Arc::clone(&layer.block)))
                .collect(),
        };
        let update = plan.update();
        let pruned = self
            .inner
            .chain
            .write()
            .adopt(plan, places, &self.inner.config);
        drop(log);
        self.inner.janitor.drop_later(pruned);
        metrics::fork_choice_set(started.elapsed());
        Ok(update)
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
