//! The payloads that can be asked for.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::Best;
use blockwright_types::{PayloadId, StopReason};

use crate::ledger::{Act, Ledger};

/// Payloads that stay whatever the size of their blocks: the one just resolved, and one before it.
const RETAINED_MIN: usize = 2;

/// Parents whose released payload is kept, whatever becomes of the retained ones; more only until the next
/// payload is begun.
const RELEASED_MAX: usize = 4;

/// Bounds of what is retained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retained {
    pub(crate) count_max: usize,
    pub(crate) size_bytes_max: usize,
}

/// Live and retained payloads, oldest first; bounded.
pub(crate) struct Table<A> {
    ledgers: VecDeque<Arc<Ledger<A>>>,
    /// Those that were handed out by parent: one a parent, oldest first.
    released: VecDeque<Arc<Ledger<A>>>,
}

/// What was built on a parent.
pub(crate) enum OnParent<A> {
    /// A payload that has a block.
    Payload(Arc<Ledger<A>>),
    /// A payload that has none yet.
    Opening,
    /// No payload.
    Nothing,
}

impl<A> Default for Table<A> {
    fn default() -> Self {
        Self {
            ledgers: VecDeque::new(),
            released: VecDeque::new(),
        }
    }
}

impl<A: Clone + Send + Sync + 'static> Table<A> {
    pub(crate) fn get(&self, id: PayloadId) -> Option<Arc<Ledger<A>>> {
        self.ledgers
            .iter()
            .rev()
            .find(|ledger| ledger.id == id)
            .cloned()
    }

    /// What there is for whoever asks by parent: the payload that was released on it, else the newest
    /// that has a block.
    pub(crate) fn on_parent(&self, parent_hash: B256) -> OnParent<A> {
        let is_on = |ledger: &&Arc<Ledger<A>>| ledger.subject.parent_hash == parent_hash;
        if let Some(released) = self.released.iter().find(is_on) {
            return OnParent::Payload(Arc::clone(released));
        }
        let mut found = OnParent::Nothing;
        for ledger in self.ledgers.iter().rev().filter(is_on) {
            if ledger.payload().is_some() {
                return OnParent::Payload(Arc::clone(ledger));
            }
            found = OnParent::Opening;
        }
        found
    }

    /// From now on this payload is the one for its parent. Returns whether it is new here. What there is too
    /// much of by that stays until the next payload is begun: somebody is waiting for this one.
    pub(crate) fn release(&mut self, ledger: &Arc<Ledger<A>>) -> bool {
        let is_new = !self.released.iter().any(|known| Arc::ptr_eq(known, ledger));
        if is_new {
            self.released.push_back(Arc::clone(ledger));
        }
        is_new
    }

    /// Adds a payload; the oldest ones whose threads have ended make room. Returns those, and those that were
    /// released longest ago, for the caller to drop: their blocks may be large.
    pub(crate) fn insert(
        &mut self,
        ledger: Arc<Ledger<A>>,
        retained: Retained,
    ) -> Vec<Arc<Ledger<A>>> {
        let over = self.released.len().saturating_sub(RELEASED_MAX);
        let mut forgotten: Vec<_> = self.released.drain(..over).collect();
        let mut size_bytes: usize = self.ledgers.iter().map(size_bytes_of).sum();
        while self.ledgers.len() >= retained.count_max
            || (size_bytes > retained.size_bytes_max && self.ledgers.len() > RETAINED_MIN)
        {
            let Some(oldest) = self.ledgers.iter().position(|old| !old.is_running()) else {
                break;
            };
            if let Some(removed) = self.ledgers.remove(oldest) {
                size_bytes = size_bytes.saturating_sub(size_bytes_of(&removed));
                forgotten.push(removed);
            }
        }
        self.ledgers.push_back(ledger);
        forgotten
    }

    /// Forgets a payload that never had a block.
    pub(crate) fn remove(&mut self, sequence: u64) {
        self.ledgers.retain(|ledger| ledger.sequence != sequence);
    }

    /// Jobs whose threads have not ended and were not told to.
    pub(crate) fn live(&self) -> usize {
        self.ledgers
            .iter()
            .filter(|ledger| ledger.is_running())
            .count()
    }

    /// All payloads started before `sequence`.
    pub(crate) fn older(&self, sequence: u64) -> Vec<Arc<Ledger<A>>> {
        self.ledgers
            .iter()
            .filter(|ledger| ledger.sequence < sequence && !ledger.is_stopped())
            .cloned()
            .collect()
    }

    /// The payload whose block has this hash.
    pub(crate) fn built(&self, hash: B256) -> Option<Best<A>> {
        self.ledgers
            .iter()
            .rev()
            .filter_map(|ledger| ledger.best())
            .find(|best| best.block.hash == hash)
    }

    /// Wakes all jobs.
    pub(crate) fn ring_all(&self) {
        for ledger in &self.ledgers {
            ledger.bell.ring();
        }
    }
}

fn size_bytes_of<A: Clone + Send + Sync + 'static>(ledger: &Arc<Ledger<A>>) -> usize {
    let payload = ledger.payload();
    payload.map_or(0, |payload| payload.memory_bytes())
}

/// Ends all of `ledgers`.
pub(crate) fn stop_all<A: Clone + Send + Sync + 'static>(
    ledgers: &[Arc<Ledger<A>>],
    reason: StopReason,
) {
    for ledger in ledgers {
        ledger.apply(Act::Stop(reason));
    }
}
