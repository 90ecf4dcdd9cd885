//! The pool as one building job sees it.

use std::sync::Arc;

use alloy_primitives::Address;
use alloy_primitives::map::AddressMap;
use blockwright_seams::{Candidate, Candidates, Wake};
use blockwright_types::{BuildRequest, SharedTx, SkipReason};
use tracing::{debug, trace};

use crate::event::DropReason;
use crate::jobs::{JobFeed, Wants};
use crate::pool::Shared;
use crate::price_index::Place;
use crate::sender::Sighting;
use crate::taken::Taken;
use crate::view::AccountView;

/// Senders looked up under one hold of the table's lock.
const LOOKUPS_PER_LOCK: usize = 64;
/// Followers taken along when a sender is looked at for the first time, or for a replacement.
const AHEAD_FIRST: usize = 3;
/// Followers taken along once a sender's transactions prove to be committed.
const AHEAD_COMMITTED: usize = 8;

/// A job's view of the pool: for every sender the transaction whose nonce comes next after the
/// job's parent and what the job committed. Made by [`Pool::candidates`](crate::Pool::candidates);
/// dropping it ends the subscription.
///
/// A job may stand on any block that `view` can read, not only on the pool's head. It takes a few
/// consecutive transactions of a sender at a time, so that most commits ask no lock for the next one.
pub struct PoolCandidates {
    shared: Arc<Shared>,
    feed: Arc<JobFeed>,
    view: Arc<dyn AccountView>,
    /// Senders not looked at yet, with the nonce after the parent where the pool knows it.
    backlog: std::vec::IntoIter<(Address, Option<u64>)>,
    senders: AddressMap<Taken>,
    /// Kept for its room.
    found: Vec<Candidate>,
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
        let mut candidates = Self {
            shared,
            feed,
            view,
            backlog: backlog.into_iter(),
            senders: AddressMap::default(),
            found: Vec::new(),
        };
        for tx in &request.sequencer_transactions {
            candidates.note_sequencer(tx);
        }
        candidates
    }

    /// Sequencer transactions use nonces, too: a deposit adds one to its sender's.
    fn note_sequencer(&mut self, tx: &SharedTx) {
        let known = self.next_nonce(tx.sender);
        let next = if tx.is_deposit() {
            known
                .or_else(|| self.nonce_from_view(tx.sender))
                .map(|nonce| nonce + 1)
        } else {
            Some(tx.nonce() + 1)
        };
        self.senders.entry(tx.sender).or_default().next = next;
    }

    fn next_nonce(&self, sender: Address) -> Option<u64> {
        self.senders.get(&sender)?.next
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

    /// Up to `max` senders to look at, with the nonce each could go on with. `None` where nobody is
    /// left.
    fn take_senders(&mut self, max: usize) -> Option<Vec<Place>> {
        let mut taken: Vec<_> = self.backlog.by_ref().take(max).collect();
        if taken.len() < max {
            let mut news = self.feed.news.lock();
            while taken.len() < max {
                let Some(sender) = news.dequeue() else { break };
                taken.push((sender, None));
            }
        }
        if taken.is_empty() {
            return None;
        }
        let places = taken
            .into_iter()
            .filter_map(|(sender, at_parent)| {
                let nonce = self
                    .next_nonce(sender)
                    .or(at_parent)
                    .or_else(|| self.nonce_from_view(sender))?;
                Some(Place { sender, nonce })
            })
            .collect();
        Some(places)
    }

    /// Looks at the senders and appends what was not offered before.
    fn offer(&mut self, places: &[Place], out: &mut Vec<Candidate>) {
        let mut found = std::mem::take(&mut self.found);
        let runs = self.shared.runs_from(places, AHEAD_FIRST, &mut found);
        self.set_wants(places.iter().zip(&runs));
        let mut found_left = found.drain(..);
        for (&Place { sender, nonce }, run) in places.iter().zip(runs) {
            let taken = self.senders.entry(sender).or_default();
            taken.next = Some(nonce);
            let Some(Run { count, sighting }) = run else {
                continue;
            };
            let run = found_left.by_ref().take(count);
            out.extend(taken.take_run(run, sighting));
        }
        drop(found_left);
        self.found = found;
    }

    fn set_wants<'a>(&self, looked: impl Iterator<Item = (&'a Place, &'a Option<Run>)>) {
        let mut news = self.feed.news.lock();
        for (place, run) in looked {
            let wants = match run {
                Some(run) => Wants::AfterVersion(run.sighting.seen),
                None => Wants::Nonce(place.nonce),
            };
            news.set_wants(place.sender, wants);
        }
    }

    fn drop_from_pool(&self, tx: &SharedTx, reason: &SkipReason) {
        let reason = match reason {
            SkipReason::NonceTooLow { .. } => DropReason::NonceUsed,
            other => DropReason::Invalid(other.to_string()),
        };
        self.shared.discard(tx, reason);
    }
}

/// How many consecutive transactions of one sender were found, and when.
pub(crate) struct Run {
    pub(crate) count: usize,
    pub(crate) sighting: Sighting,
}

impl Candidates for PoolCandidates {
    fn poll_new(&mut self, max: usize, out: &mut Vec<Candidate>) -> bool {
        let end = out.len() + max;
        while out.len() < end {
            let Some(places) = self.take_senders((end - out.len()).min(LOOKUPS_PER_LOCK)) else {
                break;
            };
            self.offer(&places, out);
        }
        let idle = self.feed.news.lock().settle();
        !idle || self.backlog.len() > 0
    }

    fn committed(&mut self, tx: &SharedTx) -> Option<Candidate> {
        let place = Place {
            sender: tx.sender,
            nonce: tx.nonce() + 1,
        };
        let taken = self.senders.entry(tx.sender).or_default();
        if let Some(next) = taken.advance(place.nonce) {
            return Some(next);
        }
        // Before the lookup: an arrival is either found by it or announced after it.
        self.feed.news.lock().set_wants(place.sender, Wants::Any);
        let mut found = std::mem::take(&mut self.found);
        let runs = self.shared.runs_from(&[place], AHEAD_COMMITTED, &mut found);
        self.set_wants([place].iter().zip(&runs));
        let next = runs.into_iter().flatten().next().and_then(|run| {
            let taken = self.senders.entry(place.sender).or_default();
            taken.take_run(found.drain(..), run.sighting)
        });
        self.found = found;
        next
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
            let taken = self.senders.entry(tx.sender).or_default();
            if taken.skip_to(state) {
                let kept = self.feed.announce(tx.sender);
                self.shared
                    .metrics
                    .lost_job_news
                    .increment(u64::from(!kept));
            }
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
