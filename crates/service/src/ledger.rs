//! The record of one payload: what was published, what is the payload, and whether it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use alloy_primitives::B256;
use blockwright_core::{Best, Payload, Publication};
use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_types::{
    BuildRequest, Flashblock, PayloadEnd, PayloadId, PayloadOutcome, StopReason, UnrootedBlock,
};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::completion::Completion;
use crate::mailbox::Bell;
use crate::{StartError, metrics};

/// Where a payload stands, for those who wait for it.
#[derive(Clone, Debug)]
pub(crate) enum Phase<A> {
    /// No block yet.
    Opening,
    /// This is the payload.
    Ready(Payload<A>),
    /// There will be none.
    Refused(StartError),
}

/// An attempt to change a payload's record.
#[derive(Debug)]
pub(crate) enum Act<A> {
    /// The first block is there; its flashblock is held until [`Act::Release`].
    First(Publication<A>),
    /// Publish the held flashblock.
    Release,
    /// Publish a flashblock and make its block the payload.
    Publish(Publication<A>),
    /// The payload got its roots, or cannot get them (`None`).
    Completed(Arc<UnrootedBlock>, Option<Best<A>>),
    /// Hand the payload out and end the job.
    Resolve,
    /// Hand this earlier state of the payload out, which is the payload from now on, and end the job.
    Settle(Best<A>),
    /// End the job.
    Stop(StopReason),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Applied<A> {
    /// Done.
    Done(Feedback),
    /// The payload is over for this reason, or the flashblock is not the next one; nothing happened.
    Suppressed(StopReason),
    /// The payload; `first` tells whether it was handed out for the first time.
    Resolved { best: Best<A>, first: bool },
    /// The job is over; the payload can be handed out once it has its roots.
    Unrooted,
    /// There is no payload yet.
    NotReady,
}

#[derive(Debug)]
struct State<A> {
    stop: Option<StopReason>,
    resolved: bool,
    /// The newest complete block.
    best: Option<Best<A>>,
    /// The last flashblock that it contains.
    best_index: u64,
    /// The payload, where it is newer than `best` and lacks its roots.
    unrooted: Option<Arc<UnrootedBlock>>,
    held: Option<Arc<Flashblock>>,
    next_index: u64,
}

/// What a payload is built for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) id: PayloadId,
    pub(crate) parent_hash: B256,
    /// In seconds.
    pub(crate) parent_timestamp: u64,
}

impl Subject {
    pub(crate) const fn of(request: &BuildRequest) -> Self {
        Self {
            id: request.id,
            parent_hash: request.context.parent_hash,
            parent_timestamp: request.parent_timestamp,
        }
    }
}

/// The record of one payload. All changes go through [`Ledger::apply`].
pub(crate) struct Ledger<A> {
    pub(crate) id: PayloadId,
    pub(crate) subject: Subject,
    /// Order of arrival of the fork choice.
    pub(crate) sequence: u64,
    pub(crate) bell: Bell<A>,
    state: Mutex<State<A>>,
    phase: watch::Sender<Phase<A>>,
    completion: Arc<dyn Completion<A>>,
    /// Held while the payload is completed: it is done once, and whoever comes later waits for it.
    completing: Mutex<()>,
    sink: Arc<dyn FlashblockSink>,
    stopped: AtomicBool,
    running: AtomicBool,
}

impl<A: Clone + Send + Sync + 'static> Ledger<A> {
    pub(crate) fn new(
        subject: Subject,
        sequence: u64,
        bell: Bell<A>,
        sink: Arc<dyn FlashblockSink>,
        completion: Arc<dyn Completion<A>>,
    ) -> Self {
        Self {
            id: subject.id,
            subject,
            sequence,
            bell,
            state: Mutex::new(State {
                stop: None,
                resolved: false,
                best: None,
                best_index: 0,
                unrooted: None,
                held: None,
                next_index: 0,
            }),
            phase: watch::Sender::new(Phase::Opening),
            completion,
            completing: Mutex::new(()),
            sink,
            stopped: AtomicBool::new(false),
            running: AtomicBool::new(true),
        }
    }

    /// The one function that publishes, replaces the payload, resolves and stops, under one lock.
    /// So what was published is in the payload, and nothing is published once it was handed out.
    ///
    /// A held first flashblock goes out before anything else happens: it is part of the payload
    /// that is handed out.
    pub(crate) fn apply(&self, act: Act<A>) -> Applied<A> {
        // The payload before the new one, freed after the lock is let go of: its artifact may be
        // large, and whoever resolves must not wait for that.
        let mut _displaced = None;
        let mut state = self.state.lock();
        let mut feedback = Feedback::Accepted;
        if let Some(held) = state.held.take() {
            feedback = self.sink.publish(held);
        }
        match act {
            Act::Release => Applied::Done(feedback),
            Act::First(publication) | Act::Publish(publication)
                if state.stop.is_some() || publication.flashblock.index != state.next_index =>
            {
                Applied::Suppressed(state.stop.unwrap_or(StopReason::Failed))
            }
            Act::First(publication) => {
                state.held = Some(publication.flashblock);
                state.next_index += 1;
                _displaced = Some(self.replace(&mut state, publication.payload));
                Applied::Done(feedback)
            }
            Act::Publish(publication) => {
                let feedback = self.sink.publish(publication.flashblock);
                state.next_index += 1;
                _displaced = Some(self.replace(&mut state, publication.payload));
                Applied::Done(feedback)
            }
            Act::Completed(block, best) => {
                let current = state.unrooted.as_ref();
                if current.is_some_and(|current| Arc::ptr_eq(current, &block)) {
                    // Without roots the newest complete block is the payload, and ends where it ended.
                    let ended_at = state.best_index;
                    let is_completed = best.is_some();
                    if let Some(best) = best.or_else(|| state.best.clone()) {
                        _displaced = Some(self.replace(&mut state, Payload::Sealed(best)));
                        if !is_completed {
                            state.best_index = ended_at;
                        }
                    }
                }
                Applied::Done(feedback)
            }
            Act::Resolve => {
                let Some(best) = state.best.clone() else {
                    return Applied::NotReady;
                };
                self.stop(&mut state, StopReason::Resolved);
                if state.unrooted.is_some() {
                    return Applied::Unrooted;
                }
                let first = !std::mem::replace(&mut state.resolved, true);
                if first {
                    self.tell(&state, PayloadOutcome::Sealed);
                }
                Applied::Resolved { best, first }
            }
            Act::Settle(best) => {
                self.stop(&mut state, StopReason::Resolved);
                // Where somebody else has the payload already, nobody is given another one.
                let first = !state.resolved;
                if first {
                    _displaced = Some(self.settle(&mut state, best));
                }
                let best = state.best.clone();
                best.map_or(Applied::NotReady, |best| Applied::Resolved { best, first })
            }
            Act::Stop(reason) => {
                self.stop(&mut state, reason);
                Applied::Done(feedback)
            }
        }
    }

    /// Returns what was replaced, for the caller to drop.
    fn replace(&self, state: &mut State<A>, payload: Payload<A>) -> (Option<Best<A>>, Phase<A>) {
        let before = match &payload {
            Payload::Sealed(best) => {
                state.unrooted = None;
                state.best_index = state.next_index.saturating_sub(1);
                state.best.replace(best.clone())
            }
            Payload::Unrooted(block) => {
                state.unrooted = Some(Arc::clone(block));
                None
            }
        };
        (before, self.phase.send_replace(Phase::Ready(payload)))
    }

    /// Makes an earlier state the payload that was handed out. Returns what was replaced, for the caller to
    /// drop.
    fn settle(&self, state: &mut State<A>, best: Best<A>) -> (Option<Best<A>>, Phase<A>) {
        let last_index = (best.block.parts.len() as u64).saturating_sub(1);
        let displaced = self.replace(state, Payload::Sealed(best));
        state.best_index = last_index;
        state.resolved = true;
        self.tell(state, PayloadOutcome::Sealed);
        displaced
    }

    /// Hands the payload out and ends the job. Where it lacks its roots this waits for them, and for
    /// nothing else: not for the job, which may be in the middle of a transaction or dead.
    pub(crate) fn resolve(&self) -> Applied<A> {
        match self.apply(Act::Resolve) {
            Applied::Unrooted => {
                self.complete("resolve");
                self.apply(Act::Resolve)
            }
            applied => applied,
        }
    }

    /// Gives the payload its roots, if it lacks them. Where that fails even on a fresh session, the
    /// newest complete block is the payload: a block without some of what was published is better
    /// than no block. `when` is for metrics. Returns the complete block, which a later flashblock may have
    /// displaced meanwhile.
    pub(crate) fn complete(&self, when: &'static str) -> Option<Best<A>> {
        let _one_at_a_time = self.completing.lock();
        let unrooted = self.state.lock().unrooted.clone();
        let Some(block) = unrooted else {
            return self.best();
        };
        let started = Instant::now();
        let best = match self.completion.complete(&block) {
            Ok(best) => {
                metrics::completed(when, &best.block, started.elapsed());
                Some(best)
            }
            Err(fault) => {
                metrics::incomplete();
                tracing::error!(id = %self.id, number = block.header.number, %fault,
                    "no roots: the payload falls back to its newest complete block");
                None
            }
        };
        self.apply(Act::Completed(block, best.clone()));
        best.or_else(|| self.best())
    }

    /// Lets the completion work ahead on the payload.
    pub(crate) fn prepare(&self) {
        let unrooted = self.state.lock().unrooted.clone();
        if let Some(block) = unrooted {
            self.completion.published(&block);
        }
    }

    /// The first reason wins.
    fn stop(&self, state: &mut State<A>, reason: StopReason) {
        if state.stop.is_none() {
            state.stop = Some(reason);
            self.stopped.store(true, Ordering::Release);
            self.bell.ring();
            if reason != StopReason::Resolved {
                self.tell(state, PayloadOutcome::Abandoned(reason));
            }
        }
    }

    /// Tells the sink how the payload ended; nothing where nothing of it was published.
    fn tell(&self, state: &State<A>, outcome: PayloadOutcome) {
        let (Some(best), Some(published)) = (&state.best, state.next_index.checked_sub(1)) else {
            return;
        };
        let last_index = match outcome {
            PayloadOutcome::Sealed => state.best_index,
            PayloadOutcome::Abandoned(_) => published,
        };
        let is_complete = state.unrooted.is_none();
        self.sink.ended(PayloadEnd {
            payload_id: self.id,
            block_number: best.block.header.number,
            block_hash: if is_complete {
                best.block.hash
            } else {
                B256::ZERO
            },
            last_index,
            outcome,
        });
    }

    /// Tells those who wait for the first block that there will be none; no effect once there is.
    pub(crate) fn refuse(&self, error: StartError) {
        let _ = self.phase.send_if_modified(|phase| {
            let waiting = matches!(phase, Phase::Opening);
            if waiting {
                *phase = Phase::Refused(error);
            }
            waiting
        });
    }

    /// The newest complete block.
    pub(crate) fn best(&self) -> Option<Best<A>> {
        self.state.lock().best.clone()
    }

    /// The payload as it is now.
    pub(crate) fn payload(&self) -> Option<Payload<A>> {
        let state = self.state.lock();
        match &state.unrooted {
            Some(block) => Some(Payload::Unrooted(Arc::clone(block))),
            None => state.best.clone().map(Payload::Sealed),
        }
    }

    /// Whether the job is to end; cheap.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Why the job is over.
    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        self.state.lock().stop
    }

    /// Whether its thread is still there.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Its thread has ended. A payload that was given up keeps no session at work; should it be asked
    /// for after all, a fresh one does.
    pub(crate) fn ended(&self) {
        use StopReason::{Expired, Failed, Resolved, Shutdown, Superseded};
        match self.stop_reason() {
            Some(Superseded | Expired | Shutdown) => self.completion.let_go(),
            Some(Resolved | Failed) | None => {}
        }
        self.running.store(false, Ordering::Release);
    }

    /// Follows the payload.
    pub(crate) fn watch(&self) -> watch::Receiver<Phase<A>> {
        self.phase.subscribe()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
