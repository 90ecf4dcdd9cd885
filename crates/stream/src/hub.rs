//! One ring, and each subscriber's place in it.

use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::RingLimits;
use crate::close::CloseCause;
use crate::entry::Entry;
use crate::metrics;
use crate::position::{LastSeen, Position};
use crate::ring::{Found, Item, Ring};

/// Where a subscriber begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At index 0 of the current block.
    Block,
    /// With the next flashblock published.
    Now,
    /// Behind the last one it has.
    After(LastSeen),
}

/// The position to resume from is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotHeld {
    /// The oldest and the newest position that are.
    pub(crate) span: Option<(Position, Position)>,
}

/// Fan-out of frames. One ring holds the last ones for all; a subscriber is a number in it, so what
/// it is behind costs nothing, and it reads each frame exactly once, in order.
#[derive(Debug)]
pub(crate) struct Hub {
    ring: RwLock<Ring>,
    /// The number of the next item, for those who wait for it.
    end: watch::Sender<u64>,
    backlog_frames: u64,
}

impl Hub {
    /// A hub whose subscribers may be `backlog_frames` behind what was published since they came.
    pub(crate) fn new(limits: RingLimits, backlog_frames: usize) -> Self {
        Self {
            ring: RwLock::new(Ring::new(limits)),
            end: watch::Sender::new(0),
            backlog_frames: backlog_frames as u64,
        }
    }

    /// Publishes a flashblock. Returns what left the ring for it.
    pub(crate) fn publish(&self, entry: Arc<Entry>) -> Vec<Arc<Entry>> {
        let mut ring = self.ring.write();
        let evicted = ring.push(entry);
        let (frames, size_bytes, end) = (ring.len(), ring.size_bytes(), ring.end());
        drop(ring);
        self.end.send_replace(end);
        metrics::ring(frames, size_bytes);
        evicted
    }

    /// Tells all subscribers to reconnect; newcomers start with the next block.
    pub(crate) fn gap(&self) {
        let mut ring = self.ring.write();
        ring.push_gap();
        let end = ring.end();
        drop(ring);
        self.end.send_replace(end);
    }

    /// A place in the ring.
    ///
    /// # Errors
    /// [`NotHeld`] where there is nothing to resume from.
    pub(crate) fn subscribe(self: &Arc<Self>, start: Start) -> Result<Reader, NotHeld> {
        let end = self.end.subscribe();
        let ring = self.ring.read();
        let next = match start {
            Start::Block => ring.block_start(),
            Start::Now => ring.end(),
            Start::After(seen) => ring
                .after(&seen)
                .ok_or_else(|| NotHeld { span: ring.span() })?,
        };
        let continues = match (start, next.checked_sub(1).map(|last| ring.get(last))) {
            (Start::After(seen), Some(Found::Item(Item::Frame(entry)))) => seen.is(&entry.position),
            _ => false,
        };
        Ok(Reader {
            hub: Arc::clone(self),
            end,
            next,
            replay_end: ring.end(),
            continues,
        })
    }
}

/// One subscriber's place.
#[derive(Debug)]
pub(crate) struct Reader {
    hub: Arc<Hub>,
    end: watch::Receiver<u64>,
    /// Number of the item to be read next.
    next: u64,
    /// Where the ring ended when the subscriber came: being behind counts from there.
    replay_end: u64,
    /// What it reads first follows what the subscriber has: nothing was lost in between.
    continues: bool,
}

impl Reader {
    /// Whether the stream goes on behind the position that was asked for, without a hole.
    pub(crate) const fn continues(&self) -> bool {
        self.continues
    }

    /// Waits for the next flashblock, which stays the next one until [`Self::advance`]: the future
    /// can be dropped at any moment.
    pub(crate) async fn entry(&mut self) -> Result<Arc<Entry>, CloseCause> {
        loop {
            if let Some(found) = self.look() {
                return found;
            }
            // The hub lives as long as this reader; an error cannot be.
            if self.end.changed().await.is_err() {
                return Err(CloseCause::Shutdown);
            }
        }
    }

    /// The flashblock was dealt with.
    pub(crate) const fn advance(&mut self) {
        self.next += 1;
    }

    fn look(&self) -> Option<Result<Arc<Entry>, CloseCause>> {
        let ring = self.hub.ring.read();
        let end = ring.end();
        let lagged = || {
            Some(Err(CloseCause::Lagged {
                missed: end.saturating_sub(self.next),
            }))
        };
        if end.saturating_sub(self.next.max(self.replay_end)) > self.hub.backlog_frames {
            return lagged();
        }
        match ring.get(self.next) {
            Found::Item(Item::Frame(entry)) => Some(Ok(Arc::clone(entry))),
            Found::Item(Item::Gap) => Some(Err(CloseCause::Gap)),
            Found::Gone => lagged(),
            Found::NotYet => None,
        }
    }
}
