//! The builder's end: flashblocks go through a queue to the thread that makes snapshots of them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};

use blockwright_chain::ChainSpec;
use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_state::Store;
use blockwright_threads::Priority;
use blockwright_types::{Flashblock, PayloadEnd};

use crate::assembler::{Assembler, Handed};
use crate::{PendingFeed, metrics};

/// Flashblocks and ends that may wait for the thread: some seconds of them. What finds the queue full
/// is dropped and counted, and the block it belongs to is withdrawn.
const QUEUE_MAX: usize = 64;

/// Takes the builder's flashblocks for snapshots. Cloning shares the queue.
#[derive(Clone, Debug)]
pub struct PendingSink {
    queue: SyncSender<Handed>,
    lost: Arc<AtomicBool>,
    feed: PendingFeed,
}

/// Starts the thread that makes snapshots of the node's own flashblocks. It ends once every sink is
/// gone.
///
/// # Errors
/// Where the system has no more threads.
pub fn start_assembler(
    store: Store,
    chain: Arc<ChainSpec>,
    feed: PendingFeed,
) -> io::Result<PendingSink> {
    let (sink, queue) = handover(QUEUE_MAX, feed.clone());
    let mut assembler = Assembler::new(store, chain, feed);
    let lost = Arc::clone(&sink.lost);
    blockwright_threads::spawn("pending", Priority::Follower, move || {
        follow(&queue, &lost, &mut assembler);
    })?;
    Ok(sink)
}

fn handover(queue_max: usize, feed: PendingFeed) -> (PendingSink, Receiver<Handed>) {
    let (queue, handed) = mpsc::sync_channel(queue_max);
    let lost = Arc::default();
    (PendingSink { queue, lost, feed }, handed)
}

fn follow(queue: &Receiver<Handed>, lost: &AtomicBool, assembler: &mut Assembler) {
    while let Ok(handed) = queue.recv() {
        // Whatever is handed over after a loss may be what does not fit.
        if lost.swap(false, Ordering::AcqRel) {
            assembler.lost();
        }
        assembler.take(handed);
    }
}

impl PendingSink {
    fn hand_over(&self, handed: Handed) -> Feedback {
        if self.queue.try_send(handed).is_ok() {
            return Feedback::Accepted;
        }
        self.lost.store(true, Ordering::Release);
        metrics::handover_dropped();
        Feedback::Dropped
    }
}

impl FlashblockSink for PendingSink {
    fn publish(&self, flashblock: Arc<Flashblock>) -> Feedback {
        self.hand_over(Handed::Flashblock(flashblock, self.feed.now()))
    }

    fn ended(&self, end: PayloadEnd) {
        self.hand_over(Handed::End(end));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
