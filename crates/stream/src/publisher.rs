//! The builder's end of the stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_types::{Flashblock, PayloadEnd};
use tokio::sync::{mpsc, oneshot};

use crate::metrics;

/// Takes published flashblocks and what became of payloads. Cloning shares the queue.
#[derive(Clone, Debug)]
pub struct Publisher {
    queue: mpsc::Sender<Handed>,
    losses: Arc<Losses>,
}

/// What was published. One queue for both: how a payload ended is told after its last flashblock.
#[derive(Debug)]
pub(crate) enum Handed {
    Flashblock(Arc<Flashblock>),
    End(PayloadEnd),
    /// Everything before it has been dealt with.
    Flush(oneshot::Sender<()>),
}

/// Set when something found the queue full; the encoder then interrupts whoever would miss it, also
/// where the indices that follow would not show the loss.
#[derive(Debug, Default)]
struct Losses {
    flashblocks: AtomicBool,
    notices: AtomicBool,
}

/// What was lost on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) flashblocks: bool,
    pub(crate) notices: bool,
}

/// The encoder's end of the same queue.
pub(crate) struct Handover {
    queue: mpsc::Receiver<Handed>,
    losses: Arc<Losses>,
}

/// A queue for `capacity` flashblocks and notices.
pub(crate) fn handover(capacity: usize) -> (Publisher, Handover) {
    let (sender, receiver) = mpsc::channel(capacity);
    let losses = Arc::new(Losses::default());
    (
        Publisher {
            queue: sender,
            losses: Arc::clone(&losses),
        },
        Handover {
            queue: receiver,
            losses,
        },
    )
}

impl Publisher {
    /// Returns once everything that was published before has been handed to the subscribers' tasks, or
    /// there is no encoder any more: before a server is stopped whose subscribers are to have it all.
    pub async fn flush(&self) {
        let (done, is_done) = oneshot::channel();
        if self.queue.send(Handed::Flush(done)).await.is_ok() {
            // An encoder that ended meanwhile has dropped its end.
            let _ = is_done.await;
        }
    }
}

impl FlashblockSink for Publisher {
    fn publish(&self, flashblock: Arc<Flashblock>) -> Feedback {
        let (payload_id, index) = (flashblock.payload_id, flashblock.index);
        if self.queue.try_send(Handed::Flashblock(flashblock)).is_ok() {
            return Feedback::Accepted;
        }
        self.losses.flashblocks.store(true, Ordering::Release);
        metrics::handover_dropped();
        tracing::warn!(
            %payload_id,
            index,
            "flashblock dropped: the stream's queue is full or its encoder has stopped"
        );
        Feedback::Dropped
    }

    fn ended(&self, end: PayloadEnd) {
        if self.queue.try_send(Handed::End(end)).is_err() {
            self.losses.notices.store(true, Ordering::Release);
            metrics::notice_dropped();
        }
    }
}

impl Handover {
    /// What was published next and what was lost on the way; `None` once every publisher is gone.
    /// Blocks the thread.
    pub(crate) fn next(&mut self) -> Option<(Handed, Lost)> {
        let handed = self.queue.blocking_recv()?;
        let taken = |flag: &AtomicBool| flag.swap(false, Ordering::AcqRel);
        let lost = Lost {
            flashblocks: taken(&self.losses.flashblocks),
            notices: taken(&self.losses.notices),
        };
        Some((handed, lost))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use alloy_primitives::{B256, Bloom};
    use blockwright_types::{PayloadId, PayloadOutcome};

    use super::*;

    const NOTHING: Lost = Lost {
        flashblocks: false,
        notices: false,
    };

    fn flashblock(index: u64) -> Arc<Flashblock> {
        Arc::new(Flashblock {
            payload_id: PayloadId::new([1; 8]),
            index,
            base: None,
            block_number: 1,
            state_root: B256::ZERO,
            receipts_root: B256::ZERO,
            logs_bloom: Bloom::ZERO,
            gas_used: 0,
            block_hash: B256::ZERO,
            withdrawals_root: B256::ZERO,
            blob_gas_used: None,
            part: Arc::default(),
        })
    }

    fn end() -> PayloadEnd {
        PayloadEnd {
            payload_id: PayloadId::new([1; 8]),
            block_number: 1,
            block_hash: B256::ZERO,
            last_index: 0,
            outcome: PayloadOutcome::Sealed,
        }
    }

    fn next(queue: &mut Handover) -> (Option<u64>, Lost) {
        match queue.next().unwrap() {
            (Handed::Flashblock(flashblock), lost) => (Some(flashblock.index), lost),
            (Handed::End(_) | Handed::Flush(_), lost) => (None, lost),
        }
    }

    #[test]
    fn a_full_queue_drops_says_so_and_tells_the_encoder() {
        let (publisher, mut queue) = handover(1);
        assert_eq!(publisher.publish(flashblock(0)), Feedback::Accepted);
        assert_eq!(publisher.publish(flashblock(1)), Feedback::Dropped);
        let lost = Lost {
            flashblocks: true,
            ..NOTHING
        };
        assert_eq!(next(&mut queue), (Some(0), lost));
        assert_eq!(publisher.publish(flashblock(2)), Feedback::Accepted);
        assert_eq!(next(&mut queue), (Some(2), NOTHING));
        drop(publisher);
        assert!(queue.next().is_none());
    }

    #[test]
    fn a_notice_stands_behind_the_flashblocks_and_its_loss_is_known() {
        let (publisher, mut queue) = handover(2);
        publisher.publish(flashblock(0));
        publisher.ended(end());
        publisher.ended(end());
        let lost = Lost {
            notices: true,
            ..NOTHING
        };
        assert_eq!(next(&mut queue), (Some(0), lost));
        assert_eq!(next(&mut queue), (None, NOTHING));
    }

    #[test]
    fn a_dead_encoder_is_reported() {
        let (publisher, queue) = handover(1);
        drop(queue);
        assert_eq!(publisher.publish(flashblock(0)), Feedback::Dropped);
    }
}
