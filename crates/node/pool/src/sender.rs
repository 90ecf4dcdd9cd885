//! One sender's transactions in the order of their nonces.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::U256;
use blockwright_types::SharedTx;

use crate::price_index::{Place, Prices};
use crate::view::AccountFacts;

/// A transaction in the table, with copies of what its orders sort by: moving it touches no other
/// memory.
#[derive(Clone, Debug)]
pub(crate) struct Pooled {
    pub(crate) tx: SharedTx,
    /// Unique in the pool's life; smaller arrived earlier.
    pub(crate) arrival: u64,
    pub(crate) nonce: u64,
    pub(crate) prices: Prices,
    /// All it may cost its sender in wei: gas at the fee cap, value, rollup fees at admission.
    pub(crate) cost: U256,
}

impl Pooled {
    pub(crate) fn new(tx: SharedTx, arrival: u64, cost: U256) -> Self {
        Self {
            arrival,
            nonce: tx.nonce(),
            prices: Prices::of(&tx.envelope),
            cost,
            tx,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            sender: self.tx.sender,
            nonce: self.nonce,
        }
    }
}

/// Transactions of one sender, by nonce. Most senders have a few consecutive ones that come in at the
/// back and leave at the front, so a sorted ring is smaller and faster than a tree.
#[derive(Debug, Default)]
pub(crate) struct NonceQueue(VecDeque<Pooled>);

impl NonceQueue {
    /// Where `nonce` is, or would be.
    fn position(&self, nonce: u64) -> Result<usize, usize> {
        let first = self.0.front().map_or(nonce, |first| first.nonce);
        // Without gaps the distance to the first is the position.
        let guess = usize::try_from(nonce.saturating_sub(first)).unwrap_or(usize::MAX);
        if self.0.get(guess).is_some_and(|at| at.nonce == nonce) {
            return Ok(guess);
        }
        self.0.binary_search_by_key(&nonce, |at| at.nonce)
    }

    /// Position of the first one whose nonce is not below `nonce`.
    fn start(&self, nonce: u64) -> usize {
        self.position(nonce).unwrap_or_else(|free| free)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, nonce: u64) -> Option<&Pooled> {
        self.0.get(self.position(nonce).ok()?)
    }

    pub(crate) fn last(&self) -> Option<&Pooled> {
        self.0.back()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pooled> {
        self.0.iter()
    }

    /// Those with nonces from `nonce` on.
    pub(crate) fn from(&self, nonce: u64) -> impl Iterator<Item = &Pooled> {
        self.0.range(self.start(nonce)..)
    }

    /// Those with nonces within `nonces`.
    pub(crate) fn range(&self, nonces: Range<u64>) -> impl Iterator<Item = &Pooled> {
        let start = self.start(nonces.start);
        self.0.range(start..self.start(nonces.end).max(start))
    }

    /// Puts `pooled` where none is.
    pub(crate) fn insert(&mut self, pooled: Pooled) {
        match self.position(pooled.nonce) {
            Ok(taken) => self.0[taken] = pooled,
            Err(free) => self.0.insert(free, pooled),
        }
    }

    pub(crate) fn remove(&mut self, nonce: u64) -> Option<Pooled> {
        let position = self.position(nonce).ok()?;
        self.0.remove(position)
    }

    /// Takes the first one out if its nonce is below `nonce`.
    pub(crate) fn pop_below(&mut self, nonce: u64) -> Option<Pooled> {
        self.0.pop_front_if(|first| first.nonce < nonce)
    }
}

/// A sender with at least one pooled transaction.
///
/// Every nonce is `>= facts.nonce`; those in `facts.nonce..executable_end` are pooled without a gap
/// and are exactly the executable ones.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) facts: AccountFacts,
    pub(crate) txs: NonceQueue,
    pub(crate) executable_end: u64,
    /// Not less than the cost of any pooled transaction, so that a richer account needs no scan.
    pub(crate) cost_bound: U256,
    /// Position in the table's list of senders.
    pub(crate) position: usize,
    /// Changes whenever one of the transactions leaves; jobs that took some of them compare it.
    version: Arc<AtomicU64>,
}

impl Sender {
    pub(crate) fn new(facts: AccountFacts, position: usize, version: u64) -> Self {
        Self {
            facts,
            txs: NonceQueue::default(),
            executable_end: facts.nonce,
            cost_bound: U256::ZERO,
            position,
            version: Arc::new(AtomicU64::new(version)),
        }
    }

    /// First nonce from `from` on that is not pooled.
    pub(crate) fn first_gap(&self, from: u64) -> u64 {
        let mut end = from;
        for pooled in self.txs.from(from) {
            if pooled.nonce != end {
                break;
            }
            end += 1;
        }
        end
    }

    /// Tells jobs that one of the transactions left. `version` must be new in the pool's life.
    pub(crate) fn set_version(&self, version: u64) {
        self.version.store(version, Ordering::Release);
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    pub(crate) fn sighting(&self) -> Sighting {
        Sighting {
            seen: self.version(),
            version: self.version.clone(),
        }
    }
}

/// That a job saw a sender's transactions, taken under the table's lock. Asking whether they are all
/// still pooled needs no lock.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) seen: u64,
    version: Arc<AtomicU64>,
}

impl Sighting {
    /// Whether none of the transactions seen has left since.
    pub(crate) fn is_current(&self) -> bool {
        self.version.load(Ordering::Acquire) == self.seen
    }
}

#[cfg(test)]
mod tests;
