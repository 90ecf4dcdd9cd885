//! The builder's end of the stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_types::Flashblock;
use tokio::sync::mpsc;

use crate::metrics;

/// Takes published flashblocks. Cloning shares the queue.
#[derive(Clone, Debug)]
pub struct Publisher {
    queue: mpsc::Sender<Arc<Flashblock>>,
    /// Set when a flashblock found the queue full; the encoder then interrupts the stream, also
    /// where the indices that follow would not show the loss.
    lost: Arc<AtomicBool>,
}

/// The encoder's end of the same queue.
pub(crate) struct Handover {
    queue: mpsc::Receiver<Arc<Flashblock>>,
    lost: Arc<AtomicBool>,
}

/// A queue for `capacity` flashblocks.
pub(crate) fn handover(capacity: usize) -> (Publisher, Handover) {
    let (sender, receiver) = mpsc::channel(capacity);
    let lost = Arc::new(AtomicBool::new(false));
    (
        Publisher {
            queue: sender,
            lost: Arc::clone(&lost),
        },
        Handover {
            queue: receiver,
            lost,
        },
    )
}

impl FlashblockSink for Publisher {
    fn publish(&self, flashblock: Arc<Flashblock>) -> Feedback {
        match self.queue.try_send(flashblock) {
            Ok(()) => Feedback::Accepted,
            Err(error) => {
                self.lost.store(true, Ordering::Release);
                metrics::handover_dropped();
                let flashblock = error.into_inner();
                tracing::warn!(
                    payload_id = %flashblock.payload_id,
                    index = flashblock.index,
                    "flashblock dropped: the stream's queue is full or its encoder has stopped"
                );
                Feedback::Dropped
            }
        }
    }
}

impl Handover {
    /// The next flashblock and whether others were lost on the way; `None` once every publisher is
    /// gone. Blocks the thread.
    pub(crate) fn next(&mut self) -> Option<(Arc<Flashblock>, bool)> {
        let flashblock = self.queue.blocking_recv()?;
        Some((flashblock, self.lost.swap(false, Ordering::AcqRel)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_primitives::{B256, Bloom};
    use blockwright_types::PayloadId;

    use super::*;

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

    #[test]
    fn a_full_queue_drops_says_so_and_tells_the_encoder() {
        let (publisher, mut queue) = handover(1);
        assert_eq!(publisher.publish(flashblock(0)), Feedback::Accepted);
        assert_eq!(publisher.publish(flashblock(1)), Feedback::Dropped);
        let (first, lost) = queue.next().unwrap();
        assert_eq!((first.index, lost), (0, true));
        assert_eq!(publisher.publish(flashblock(2)), Feedback::Accepted);
        let (second, lost) = queue.next().unwrap();
        assert_eq!((second.index, lost), (2, false));
        drop(publisher);
        assert!(queue.next().is_none());
    }

    #[test]
    fn a_dead_encoder_is_reported() {
        let (publisher, queue) = handover(1);
        drop(queue);
        assert_eq!(publisher.publish(flashblock(0)), Feedback::Dropped);
    }
}
