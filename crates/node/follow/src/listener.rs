//! From the connection to the follower, on a thread of its own.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use blockwright_flashblocks::{OpFlashblockPayload, decode_json};
use blockwright_subscribe::Event;
use blockwright_threads::Priority;
use blockwright_types::{SealedBlock, UnixUs};
use blockwright_verify::Equivocation;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::voice::Voice;
use crate::{FollowDeps, Follower, Refutation, Step, metrics};

/// What moves a follower.
#[derive(Debug)]
pub struct Sources {
    /// What the subscription tells.
    pub events: mpsc::Receiver<Event>,
    /// The latest head.
    pub heads: watch::Receiver<Option<Arc<SealedBlock>>>,
}

/// Starts the thread that executes what `sources` bring, a [`Follower`]. It ends when the subscription
/// does. Must be called within a runtime.
///
/// # Errors
/// Where the system has no more threads.
pub fn start_following(deps: FollowDeps, sources: Sources) -> io::Result<JoinHandle<()>> {
    let runtime = Handle::current();
    blockwright_threads::spawn("follow", Priority::Preconfirmations, move || {
        let listener = Listener {
            // The EVM inside it stays on this thread.
            follower: Follower::new(deps),
            voice: Voice::default(),
        };
        runtime.block_on(listener.run(sources));
    })
}

struct Listener {
    follower: Follower,
    voice: Voice,
}

impl Listener {
    async fn run(mut self, sources: Sources) {
        let Sources {
            mut events,
            mut heads,
        } = sources;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.guard(|listener| listener.hear(event)),
                    None => return,
                },
                Ok(()) = heads.changed() => self.guard(Self::follow_head),
            }
        }
    }

    /// Whatever a stream brings must not end the following of it.
    fn guard(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            metrics::panicked();
            tracing::error!("following the stream panicked: its block is given up");
            self.follower.give_up();
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Frame(received) => match decode_json(&received.frame) {
                Ok(decoded) => {
                    self.take(&Arc::new(decoded.payload), UnixUs(received.at_us));
                }
                Err(error) => self.unreadable(received.frame.len(), &error),
            },
            Event::Unreadable {
                size_bytes, cause, ..
            } => self.unreadable(size_bytes, &cause),
            Event::Connected { url, is_resumed } => {
                metrics::connected(true);
                tracing::info!(url, is_resumed, "following the stream");
            }
            Event::Disconnected { reason, retry_in } => {
                metrics::connected(false);
                if let Some(unsaid) = self.voice.speak("disconnected", Instant::now()) {
                    let retry_ms = retry_in.as_millis();
                    tracing::warn!(%reason, retry_ms, unsaid, "the followed stream is gone");
                }
            }
            Event::Gap(gap) => {
                metrics::gap();
                if let Some(unsaid) = self.voice.speak("gap", Instant::now()) {
                    tracing::warn!(?gap, unsaid, "flashblocks may have been missed");
                }
            }
            // That the snapshot has become old is told where it is served.
            Event::Stalled { silent } => {
                metrics::stalled();
                tracing::debug!(silent_ms = silent.as_millis(), "no flashblocks");
            }
        }
    }

    fn unreadable(&mut self, size_bytes: usize, cause: &dyn core::fmt::Display) {
        metrics::unreadable();
        if let Some(unsaid) = self.voice.speak("unreadable", Instant::now()) {
            tracing::warn!(size_bytes, %cause, unsaid, "a frame of the followed stream is no flashblock");
        }
    }

    fn take(&mut self, flashblock: &Arc<OpFlashblockPayload>, at: UnixUs) {
        // What waited for a head that has come is told of by itself.
        self.follow_head();
        let step = self.follower.take(flashblock, at);
        metrics::step(&step);
        let id = flashblock.payload_id;
        let (number, index) = (flashblock.metadata.block_number, flashblock.index);
        match &step {
            Step::Equivocation(equivocation) => self.equivocation(equivocation),
            Step::Invalid(error) => {
                if let Some(unsaid) = self.voice.speak("invalid", Instant::now()) {
                    tracing::warn!(%id, number, index, %error, unsaid, "flashblock contradicts itself");
                }
            }
            other => self.tell(other),
        }
    }

    fn follow_head(&mut self) {
        if let Some(step) = self.follower.follow_head() {
            self.tell(&step);
        }
    }

    fn tell(&mut self, step: &Step) {
        match step {
            Step::Published(pending) => {
                let (id, number) = (pending.payload_id, pending.context.number);
                let transactions = pending.block.transaction_count();
                let (index, hash) = (pending.index, pending.block.hash);
                tracing::info!(%id, number, index, transactions, %hash, "flashblock executed");
            }
            Step::Waiting => {
                if let Some(unsaid) = self.voice.speak("waiting", Instant::now()) {
                    tracing::info!(
                        unsaid,
                        "a followed block waits for its parent, which the consensus client has not \
                         brought yet"
                    );
                }
            }
            Step::Refuted(refutation @ Refutation::Fault(fault)) => {
                metrics::refuted(refutation);
                if let Some(unsaid) = self.voice.speak("fault", Instant::now()) {
                    tracing::error!(fault, unsaid, "a flashblock could not be executed here");
                }
            }
            Step::Refuted(refutation) => {
                metrics::refuted(refutation);
                if let Some(unsaid) = self.voice.speak(refutation.label(), Instant::now()) {
                    tracing::warn!(
                        %refutation,
                        unsaid,
                        "the followed stream is wrong: its block is withdrawn, `pending` is `latest` \
                         until the next one begins"
                    );
                }
            }
            Step::Ignored(why) => tracing::debug!(why, "flashblock ignored"),
            Step::Invalid(_) | Step::Equivocation(_) => {}
        }
    }

    /// Two contents for one place are proof of misbehaviour; the proof itself may be large.
    fn equivocation(&mut self, equivocation: &Equivocation) {
        let Equivocation {
            payload_id,
            index,
            first_digest,
            second_digest,
            ..
        } = equivocation;
        if let Some(unsaid) = self.voice.speak("equivocation", Instant::now()) {
            tracing::warn!(
                %payload_id, index, %first_digest, %second_digest, unsaid,
                "two contents for one flashblock: the first stands (both at level debug)"
            );
        }
        tracing::debug!(
            %payload_id, index,
            first = ?equivocation.first,
            second = ?equivocation.second,
            "both contents"
        );
    }
}
