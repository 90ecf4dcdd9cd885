//! The payloads that can be asked for.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::Best;
use blockwright_types::{PayloadId, StopReason};

use crate::ledger::{Act, Ledger};

/// Payloads that stay whatever the size of their blocks: the one just resolved, and one before it.
const RETAINED_MIN: usize = 2;

/// Bounds of what is retained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retained {
    pub(crate) count_max: usize,
    pub(crate) size_bytes_max: usize,
}

/// Live and retained payloads, oldest first; bounded.
pub(crate) struct Table<A> {
    ledgers: VecDeque<Arc<Ledger<A>>>,
}

impl<A> Default for Table<A> {
    fn default() -> Self {
        Self {
            ledgers: VecDeque::new(),
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

    /// Adds a payload; the oldest ones whose threads have ended make room. Returns those, for the
    /// caller to drop: their blocks may be large.
    pub(crate) fn insert(
        &mut self,
        ledger: Arc<Ledger<A>>,
        retained: Retained,
    ) -> Vec<Arc<Ledger<A>>> {
        let mut forgotten = Vec::new();
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
