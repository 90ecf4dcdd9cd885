//! op-reth's pool as the builder sees it: the next transaction of each sender, whoever pays how much.
//!
//! The pool's own iterator of best transactions is not asked: it puts late arrivals that pay better than what it
//! gave already aside, bars a sender for good once one of his transactions was refused, and loses news when it is
//! slow. Here news are followed as they come, and a sender's next transaction is looked up when it is needed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use alloy_eips::Encodable2718;
use alloy_primitives::map::{AddressMap, AddressSet};
use alloy_primitives::{Address, B256};
use blockwright_seams::{Candidate, Candidates, Wake};
use blockwright_types::{RecoveredTx, SharedTx, SkipReason};
use metrics::counter;
use parking_lot::Mutex;
use reth_provider::StateProviderBox;
use reth_transaction_pool::{
    NewTransactionEvent, PoolTransaction, TransactionListenerKind, ValidPoolTransaction,
};
use tokio::sync::{mpsc, oneshot};

use crate::host::OpTransactions;

/// Senders with news that a job may fall behind before it looks at all senders again.
const NEWS_MAX: usize = 65_536;

/// Numbers transactions by the time of their arrival; on which runtime pools are followed.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    start: Instant,
    runtime: tokio::runtime::Handle,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            runtime: tokio::runtime::Handle::current(),
        }
    }

    fn number(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// Senders of whom something arrived.
struct News {
    senders: Mutex<Changed>,
    wake: Wake,
}

#[derive(Default)]
struct Changed {
    senders: AddressSet,
    /// Something was lost: every sender may have news.
    all: bool,
}

impl Changed {
    fn is_empty(&self) -> bool {
        self.senders.is_empty() && !self.all
    }
}

impl News {
    fn add(&self, sender: Address, lost: bool) {
        let was_empty = {
            let mut changed = self.senders.lock();
            let was_empty = changed.is_empty();
            if lost || changed.senders.len() >= NEWS_MAX {
                changed.senders.clear();
                changed.all = true;
                counter!("blockwright_host_pool_news_lost_total").increment(1);
            } else if !changed.all {
                changed.senders.insert(sender);
            }
            was_empty
        };
        if was_empty {
            (self.wake)();
        }
    }

    fn take(&self) -> Changed {
        core::mem::take(&mut *self.senders.lock())
    }

    /// Nobody is woken again until what is here is taken.
    fn has_some(&self) -> bool {
        !self.senders.lock().is_empty()
    }
}

/// A job's view of the pool.
pub(crate) struct PoolCandidates<Pool> {
    pool: Pool,
    arrivals: Arrivals,
    /// The parent's; `None` where it is gone, and nothing can be offered.
    state: Option<StateProviderBox>,
    news: Arc<News>,
    /// Senders to be looked at.
    waiting: VecDeque<Address>,
    /// Nonce of each sender's next transaction.
    next: AddressMap<u64>,
    /// What was offered last.
    offered: AddressMap<B256>,
    /// Dropped with the job.
    _ended: oneshot::Sender<()>,
}

impl<Pool: OpTransactions> PoolCandidates<Pool> {
    pub(crate) fn new(
        pool: Pool,
        arrivals: &Arrivals,
        state: Option<StateProviderBox>,
        wake: Wake,
    ) -> Self {
        let news = Arc::new(News {
            senders: Mutex::default(),
            wake,
        });
        let (ended, end) = oneshot::channel();
        // Followed before it is listed, so that nothing comes between.
        let listener = pool.new_transactions_listener_for(TransactionListenerKind::All);
        arrivals
            .runtime
            .spawn(follow(listener, Arc::clone(&news), end));
        let mut candidates = Self {
            pool,
            arrivals: arrivals.clone(),
            state,
            news,
            waiting: VecDeque::new(),
            next: AddressMap::default(),
            offered: AddressMap::default(),
            _ended: ended,
        };
        candidates.list_all();
        candidates
    }

    /// Also those who have nothing pending: where a sender's transaction was validated just before the block with
    /// the one in front of it, the pool keeps it queued although it is his next one.
    fn list_all(&mut self) {
        self.waiting = self.pool.unique_senders().into_iter().collect();
    }

    fn take_news(&mut self) {
        let changed = self.news.take();
        if changed.all {
            self.list_all();
        } else {
            self.waiting.extend(changed.senders);
        }
    }

    /// The sender's next transaction, where it was not offered before.
    fn fresh_head(&mut self, sender: Address) -> Option<Candidate> {
        let nonce = self.next_nonce(sender)?;
        let pool = &self.pool;
        let pooled = pool.get_transaction_by_sender_and_nonce(sender, nonce)?;
        if self.offered.insert(sender, *pooled.hash()) == Some(*pooled.hash()) {
            return None;
        }
        Some(Candidate {
            arrival: self.arrivals.number(pooled.timestamp),
            tx: shared(&pooled),
        })
    }

    fn next_nonce(&mut self, sender: Address) -> Option<u64> {
        if let Some(nonce) = self.next.get(&sender) {
            return Some(*nonce);
        }
        match self.state.as_ref()?.account_nonce(&sender) {
            Ok(nonce) => {
                let nonce = nonce.unwrap_or_default();
                self.next.insert(sender, nonce);
                Some(nonce)
            }
            Err(error) => {
                tracing::warn!(%sender, %error, "a sender's nonce cannot be read: nothing of his enters this block");
                None
            }
        }
    }
}

fn shared<T: PoolTransaction<Consensus = op_alloy_consensus::OpTxEnvelope>>(
    pooled: &ValidPoolTransaction<T>,
) -> SharedTx {
    let (envelope, sender) = pooled.transaction.clone_into_consensus().into_parts();
    let encoded = envelope.encoded_2718().into();
    Arc::new(RecoveredTx::new(envelope, encoded, sender))
}

/// Tells of arrivals until `end`. A listener that was full has lost some without a word.
async fn follow<T: PoolTransaction>(
    mut listener: mpsc::Receiver<NewTransactionEvent<T>>,
    news: Arc<News>,
    mut end: oneshot::Receiver<()>,
) {
    loop {
        let event = tokio::select! {
            _ = &mut end => return,
            event = listener.recv() => event,
        };
        let Some(event) = event else { return };
        let was_full = listener.len() + 1 >= listener.max_capacity();
        news.add(event.transaction.sender(), was_full);
    }
}

impl<Pool: OpTransactions> Candidates for PoolCandidates<Pool> {
    fn poll_new(&mut self, max: usize, out: &mut Vec<Candidate>) -> bool {
        if self.waiting.is_empty() {
            self.take_news();
        }
        let mut left = max;
        while left > 0 {
            let Some(sender) = self.waiting.pop_front() else {
                break;
            };
            if let Some(candidate) = self.fresh_head(sender) {
                out.push(candidate);
                left -= 1;
            }
        }
        !self.waiting.is_empty() || self.news.has_some()
    }

    fn committed(&mut self, tx: &SharedTx) -> Option<Candidate> {
        self.next.insert(tx.sender, tx.nonce() + 1);
        self.fresh_head(tx.sender)
    }

    /// The job keeps it.
    fn defer(&mut self, _tx: &SharedTx, _reason: &SkipReason, _until_index: u64) {}

    fn reject(&mut self, tx: &SharedTx, reason: &SkipReason) {
        if let SkipReason::NonceTooLow { state, .. } = *reason {
            // A deposit, an authorization or a creation moved the account's nonce: his next one is another.
            self.next.insert(tx.sender, state);
            self.offered.remove(&tx.sender);
            self.news.add(tx.sender, false);
        }
        if reason.is_final() {
            tracing::debug!(hash = %tx.hash, %reason, "dropped from the pool");
            self.pool.remove_transactions(vec![tx.hash]);
        }
    }
}

#[cfg(test)]
mod tests;
