//! A pool that holds what a script puts into it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use blockwright_seams::{Candidate, Candidates, Wake};
use blockwright_types::{SharedTx, SkipReason};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

/// What a job decided about a candidate, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Committed.
    Committed(B256),
    /// Put off.
    Deferred(B256, SkipReason, u64),
    /// Refused for the block.
    Rejected(B256, SkipReason),
}

/// Decisions a test may leave unread.
const UNREAD_MAX: usize = 65_536;

#[derive(Default)]
struct Inner {
    senders: BTreeMap<Address, BTreeMap<u64, Candidate>>,
    arrivals: Vec<Address>,
    wakes: Vec<Wake>,
    decisions: Vec<Decision>,
}

/// A pool that holds what a script puts into it; clones share it.
#[derive(Clone)]
pub struct ScriptPool {
    inner: Arc<Mutex<Inner>>,
    sender: Sender<Decision>,
    receiver: Receiver<Decision>,
}

impl Default for ScriptPool {
    fn default() -> Self {
        let (sender, receiver) = bounded(UNREAD_MAX);
        Self {
            inner: Arc::default(),
            sender,
            receiver,
        }
    }
}

impl ScriptPool {
    /// A transaction arrives; it replaces one with the same sender and nonce.
    pub fn arrive(&self, tx: SharedTx) {
        let mut inner = self.inner.lock();
        let arrival = inner.arrivals.len() as u64;
        let (sender, nonce) = (tx.sender, tx.nonce());
        let queue = inner.senders.entry(sender).or_default();
        queue.insert(nonce, Candidate { tx, arrival });
        inner.arrivals.push(sender);
        for wake in &inner.wakes {
            wake();
        }
    }

    /// What jobs decided so far.
    pub fn decisions(&self) -> Vec<Decision> {
        self.inner.lock().decisions.clone()
    }

    /// The next decision, waiting up to `patience`.
    pub fn next_decision(&self, patience: Duration) -> Option<Decision> {
        self.receiver.recv_timeout(patience).ok()
    }

    fn decided(&self, decision: Decision) {
        self.inner.lock().decisions.push(decision.clone());
        let _ = self.sender.try_send(decision);
    }

    pub(crate) fn subscribe(&self, wake: Wake) -> ScriptCandidates {
        let mut inner = self.inner.lock();
        inner.wakes.push(wake);
        ScriptCandidates {
            pool: self.clone(),
            seen: 0,
            next_nonce: BTreeMap::new(),
            offered: BTreeMap::new(),
        }
    }
}

/// One job's view of a [`ScriptPool`]. Every sender begins at nonce 0.
pub struct ScriptCandidates {
    pool: ScriptPool,
    seen: usize,
    next_nonce: BTreeMap<Address, u64>,
    offered: BTreeMap<Address, B256>,
}

impl ScriptCandidates {
    fn head(&self, inner: &Inner, sender: Address) -> Option<Candidate> {
        let queue = inner.senders.get(&sender)?;
        let nonce = self.next_nonce.get(&sender).copied().unwrap_or_default();
        queue.get(&nonce).cloned()
    }
}

impl Candidates for ScriptCandidates {
    fn poll_new(&mut self, max: usize, out: &mut Vec<Candidate>) -> bool {
        let pool = self.pool.clone();
        let inner = pool.inner.lock();
        let mut left = max;
        while left > 0
            && let Some(&sender) = inner.arrivals.get(self.seen)
        {
            self.seen += 1;
            let Some(head) = self.head(&inner, sender) else {
                continue;
            };
            if self.offered.insert(sender, head.tx.hash) != Some(head.tx.hash) {
                out.push(head);
                left -= 1;
            }
        }
        self.seen < inner.arrivals.len()
    }

    fn committed(&mut self, tx: &SharedTx) -> Option<Candidate> {
        self.pool.decided(Decision::Committed(tx.hash));
        self.next_nonce.insert(tx.sender, tx.nonce() + 1);
        let next = self.head(&self.pool.inner.lock(), tx.sender)?;
        self.offered.insert(tx.sender, next.tx.hash);
        Some(next)
    }

    fn defer(&mut self, tx: &SharedTx, reason: &SkipReason, until_index: u64) {
        let decision = Decision::Deferred(tx.hash, reason.clone(), until_index);
        self.pool.decided(decision);
    }

    fn reject(&mut self, tx: &SharedTx, reason: &SkipReason) {
        self.pool
            .decided(Decision::Rejected(tx.hash, reason.clone()));
    }
}
