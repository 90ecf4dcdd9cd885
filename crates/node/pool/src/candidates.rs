//! The pool as one building job sees it.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use alloy_primitives::Address;
use blockwright_seams::{Candidate, Candidates, Wake};
use blockwright_types::{BuildRequest, SharedTx, SkipReason};
use tracing::{debug, trace};

use crate::event::DropReason;
use crate::jobs::{JobFeed, JobNews};
use crate::pool::Shared;
use crate::price_index::Place;
use crate::view::AccountView;

/// Senders looked up under one hold of the table's lock.
const LOOKUPS_PER_LOCK: usize = 64;

/// A job's view of the pool: for every sender the transaction whose nonce comes next after the
/// job's parent and what the job committed. Made by [`Pool::candidates`](crate::Pool::candidates);
/// dropping it ends the subscription.
///
/// A job may stand on any block that `view` can read, not only on the pool's head.
pub struct PoolCandidates {
    shared: Arc<Shared>,
    feed: Arc<JobFeed>,
    view: Arc<dyn AccountView>,
    /// Senders not looked at yet, with the nonce after the parent where the pool knows it.
    backlog: std::vec::IntoIter<(Address, Option<u64>)>,
}

impl PoolCandidates {
    /// Subscribes a job. The copy of the sender list is taken after the subscription, so that no
    /// arrival falls between them.
    pub(crate) fn open(
        shared: Arc<Shared>,
        request: &BuildRequest,
        view: Arc<dyn AccountView>,
        wake: Wake,
    ) -> Self {
        let feed = shared.jobs.open(wake, shared.config.count_max);
        let backlog = shared.senders_at(request.context.parent_hash);
        let candidates = Self {
            shared,
            feed,
            view,
            backlog: backlog.into_iter(),
        };
        for tx in &request.sequencer_transactions {
            candidates.note_sequencer(tx);
        }
        candidates
    }

    /// Sequencer transactions use nonces, too: a deposit adds one to its sender's.
    fn note_sequencer(&self, tx: &SharedTx) {
        let known = self.next_nonce(tx.sender);
        let next = if tx.is_deposit() {
            known
                .or_else(|| self.nonce_from_view(tx.sender))
                .map(|nonce| nonce + 1)
        } else {
            Some(tx.nonce() + 1)
        };
        self.feed
            .news
            .lock()
            .senders
            .entry(tx.sender)
            .or_default()
            .next = next;
    }

    fn next_nonce(&self, sender: Address) -> Option<u64> {
        self.feed.news.lock().senders.get(&sender)?.next
    }

    fn nonce_from_view(&self, sender: Address) -> Option<u64> {
        match self.view.account(sender) {
            Ok(facts) => Some(facts.nonce),
            Err(error) => {
                self.shared.metrics.view_errors.increment(1);
                debug!(%sender, %error, "account of a candidate cannot be read");
                None
            }
        }
    }

    /// Up to `max` senders to look at, with what is known of their next nonce.
    fn take_senders(&mut self, max: usize) -> Vec<(Address, Option<u64>)> {
        let mut taken: Vec<_> = self.backlog.by_ref().take(max).collect();
        let mut news = self.feed.news.lock();
        while taken.len() < max {
            let Some(sender) = news.dequeue() else { break };
            taken.push((sender, None));
        }
        for (sender, nonce) in &mut taken {
            if let Some(next) = news.senders.get(sender).and_then(|known| known.next) {
                *nonce = Some(next);
            }
        }
        taken
    }

    /// Looks the senders up and appends what was not offered before.
    fn offer(&self, senders: &[(Address, Option<u64>)], out: &mut Vec<Candidate>) {
        let places: Vec<Place> = senders
            .iter()
            .filter_map(|&(sender, nonce)| {
                let nonce = nonce.or_else(|| self.nonce_from_view(sender))?;
                Some(Place { sender, nonce })
            })
            .collect();
        {
            let mut news = self.feed.news.lock();
            for place in &places {
                let known = news.senders.entry(place.sender).or_default();
                known.next = Some(place.nonce);
            }
        }
        let found = self.shared.lookup(&places);
        let mut news = self.feed.news.lock();
        out.extend(
            found
                .into_iter()
                .filter(|candidate| mark_offered(&mut news, candidate)),
        );
    }

    fn drop_from_pool(&self, tx: &SharedTx, reason: &SkipReason) {
        let reason = match reason {
            SkipReason::NonceTooLow { .. } => DropReason::NonceUsed,
            other => DropReason::Invalid(other.to_string()),
        };
        self.shared.discard(tx, reason);
    }
}

/// Notes that `candidate` is offered; `false` where it was offered already.
fn mark_offered(news: &mut JobNews, candidate: &Candidate) -> bool {
    match news.senders.entry(candidate.tx.sender) {
        Entry::Occupied(mut entry) => {
            let hash = Some(candidate.tx.hash);
            std::mem::replace(&mut entry.get_mut().offered, hash) != hash
        }
        Entry::Vacant(_) => false,
    }
}

impl Candidates for PoolCandidates {
    fn poll_new(&mut self, max: usize, out: &mut Vec<Candidate>) -> bool {
        let end = out.len() + max;
        while out.len() < end {
            let senders = self.take_senders((end - out.len()).min(LOOKUPS_PER_LOCK));
            if senders.is_empty() {
                break;
            }
            self.offer(&senders, out);
        }
        let idle = self.feed.news.lock().settle();
        !idle || self.backlog.len() > 0
    }

    fn committed(&mut self, tx: &SharedTx) -> Option<Candidate> {
        let place = Place {
            sender: tx.sender,
            nonce: tx.nonce() + 1,
        };
        {
            // Before the lookup: an arrival is either found by it or announced after it.
            let mut news = self.feed.news.lock();
            let known = news.senders.entry(tx.sender).or_default();
            known.next = Some(place.nonce);
            known.offered = None;
        }
        let candidate = self.shared.lookup(&[place]).pop()?;
        mark_offered(&mut self.feed.news.lock(), &candidate).then_some(candidate)
    }

    fn defer(&mut self, tx: &SharedTx, reason: &SkipReason, until_index: u64) {
        self.shared.metrics.deferred.increment(1);
        trace!(hash = %tx.hash, %reason, until_index, "candidate deferred");
    }

    fn reject(&mut self, tx: &SharedTx, reason: &SkipReason) {
        self.shared.metrics.rejected.increment(1);
        trace!(hash = %tx.hash, %reason, is_final = reason.is_final(), "candidate rejected");
        if let SkipReason::NonceTooLow { state, .. } = *reason {
            // Another transaction of this block moved the account's nonce (an EIP-7702
            // authorization, a delegated account that creates): go on from there.
            let kept = self.feed.skip_to(tx.sender, state);
            self.shared
                .metrics
                .lost_job_news
                .increment(u64::from(!kept));
        }
        if reason.is_final() {
            self.drop_from_pool(tx, reason);
        }
    }
}

impl Drop for PoolCandidates {
    fn drop(&mut self) {
        self.shared.jobs.close(&self.feed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
