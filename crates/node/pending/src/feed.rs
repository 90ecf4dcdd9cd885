//! Both ends of the preconfirmed state: who makes it, and who reads it.

use std::sync::Arc;

use blockwright_seams::Clock;
use blockwright_state::BlockRef;
use blockwright_types::{PayloadId, UnixUs};
use parking_lot::RwLock;
use tokio::sync::broadcast;

use crate::{PendingBlock, metrics};

/// Snapshots a subscriber may be behind before it is cut off.
const NEWS_MAX: usize = 64;

/// Intervals without a flashblock after which the last snapshot is not believed any more.
const LIVE_INTERVALS: u64 = 2;

/// A snapshot that nobody believes any more keeps a whole state in memory; after this long it is let go.
const KEPT_US: u64 = 60_000_000;

/// The producer's and the consumers' end. `interval_us` is the time between flashblocks in
/// microseconds: a snapshot is believed for two of them.
pub fn pending(interval_us: u64, clock: Arc<dyn Clock>) -> (PendingFeed, Pending) {
    let shared = Arc::new(Shared {
        newest: RwLock::default(),
        news: broadcast::Sender::new(NEWS_MAX),
        live_us: interval_us.saturating_mul(LIVE_INTERVALS),
        clock,
    });
    (PendingFeed(Arc::clone(&shared)), Pending(shared))
}

struct Shared {
    /// Held for moments only, to swap or clone a pointer.
    newest: RwLock<Option<Newest>>,
    news: broadcast::Sender<Arc<PendingBlock>>,
    live_us: u64,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Newest {
    /// `None` once it was let go.
    block: Option<Arc<PendingBlock>>,
    at: UnixUs,
}

/// Why `pending` is answered from the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// There is no flashblock: none came yet, or the block was withdrawn.
    Absent,
    /// The last flashblock came too long ago.
    Stale,
    /// The head is the block, or one after it. So it is between two blocks.
    Passed,
    /// The block does not descend from the head.
    Fork,
}

impl Fallback {
    /// Stable lower-case label for metrics and `/health`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Stale => "stale",
            Self::Passed => "passed",
            Self::Fork => "fork",
        }
    }
}

/// Takes snapshots. Neither call waits for anybody who reads.
#[derive(Clone)]
pub struct PendingFeed(Arc<Shared>);

impl PendingFeed {
    /// Makes `block` the newest snapshot, as of now.
    pub fn publish(&self, block: Arc<PendingBlock>) {
        self.publish_as_of(self.now(), block);
    }

    /// The time by the clock that snapshots are dated with.
    pub(crate) fn now(&self) -> UnixUs {
        self.0.clock.now()
    }

    /// The same for a flashblock that came at `at`: what waited on the way is no fresher for it.
    pub fn publish_as_of(&self, at: UnixUs, block: Arc<PendingBlock>) {
        metrics::published(block.context.number, block.index, at);
        *self.0.newest.write() = Some(Newest {
            block: Some(Arc::clone(&block)),
            at,
        });
        // Nobody may be listening.
        let _ = self.0.news.send(block);
    }

    /// No flashblock will follow in this payload, which was handed out: until the time of its block the
    /// silence is no reason not to believe the snapshot.
    pub(crate) fn sealed(&self, payload_id: PayloadId) {
        if let Some(newest) = self.0.newest.write().as_mut()
            && let Some(block) = &newest.block
            && block.payload_id == payload_id
        {
            newest.at = newest.at.max(UnixUs::from_secs(block.context.timestamp));
        }
    }

    /// Withdraws the snapshot if it is of this payload. Its preconfirmed parent takes its place where
    /// it has one.
    pub fn clear(&self, payload_id: PayloadId) {
        let mut newest = self.0.newest.write();
        let Some(shown) = newest.as_ref() else {
            return;
        };
        let Some(block) = shown.block.as_ref() else {
            return;
        };
        if block.payload_id == payload_id {
            *newest = block.parent.clone().map(|parent| Newest {
                block: Some(parent),
                at: shown.at,
            });
        }
    }
}

/// Gives out the snapshot that is to be believed. Clones share everything.
#[derive(Clone)]
pub struct Pending(Arc<Shared>);

impl Pending {
    /// The newest snapshot, if the last flashblock came recently enough and the block is one that the
    /// head leads to. Counts where it is not.
    pub fn current(&self, head: &BlockRef, now: UnixUs) -> Option<Arc<PendingBlock>> {
        match self.resolve(head, now) {
            Ok(block) => Some(block),
            Err(reason) => {
                metrics::fell_back(reason);
                None
            }
        }
    }

    /// The same without counting, for those who were not asked for `pending`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn resolve(&self, head: &BlockRef, now: UnixUs) -> Result<Arc<PendingBlock>, Fallback> {
        let block = self.live(now)?;
        if block.context.number <= head.number {
            return Err(Fallback::Passed);
        }
        let joins = block
            .lineage()
            .any(|block| block.context.parent_hash == head.hash);
        if joins {
            Ok(block)
        } else {
            Err(Fallback::Fork)
        }
    }

    /// The newest snapshot, whatever the head is.
    ///
    /// # Errors
    /// [`Fallback::Absent`] or [`Fallback::Stale`] where there is no live one.
    pub fn live(&self, now: UnixUs) -> Result<Arc<PendingBlock>, Fallback> {
        let newest = self.0.newest.read().clone().ok_or(Fallback::Absent)?;
        if now.since_us(newest.at) > self.0.live_us {
            return Err(Fallback::Stale);
        }
        newest.block.ok_or(Fallback::Absent)
    }

    /// Lets go of a snapshot that has not been believed for a minute.
    pub(crate) fn tidy(&self, now: UnixUs) {
        let mut newest = self.0.newest.write();
        if let Some(old) = newest.as_mut()
            && now.since_us(old.at) > self.0.live_us.saturating_add(KEPT_US)
        {
            old.block = None;
        }
    }

    /// The time by the clock that snapshots are dated with.
    pub fn now(&self) -> UnixUs {
        self.0.clock.now()
    }

    /// Microseconds after the last flashblock during which its snapshot is believed.
    pub fn live_us(&self) -> u64 {
        self.0.live_us
    }

    /// Every snapshot from now on. A subscriber that falls far behind is told how many it missed.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<PendingBlock>> {
        self.0.news.subscribe()
    }
}

impl std::fmt::Debug for PendingFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingFeed").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("live_us", &self.0.live_us)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
