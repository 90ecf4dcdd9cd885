//! Transactions that came together and are answered together.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::error::PoolError;
use crate::gate::Permit;

/// Transactions that one thread takes at a time: enough to share the locks, few enough that a
/// batch of 100 is spread over idle threads.
const PIECE: usize = 25;

pub(crate) type Outcome = Result<B256, PoolError>;

/// A share of a submission for one thread.
pub(crate) struct Piece {
    /// Position of the first within the submission.
    pub(crate) offset: usize,
    pub(crate) encoded: Vec<Bytes>,
    pub(crate) first_arrival: u64,
}

/// One batch on its way in. Threads take pieces of it until none is left; who finishes the last one
/// answers for all.
pub(crate) struct Submission {
    progress: Mutex<Progress>,
}

struct Progress {
    /// What no thread has taken yet; the first piece is the last.
    waiting: Vec<Piece>,
    /// Pieces without an answer.
    unfinished: usize,
    outcomes: Vec<Outcome>,
    reply: Option<(oneshot::Sender<Vec<Outcome>>, Permit)>,
}

impl Submission {
    /// Splits a batch; the receiver gets an outcome for each of its transactions, in order.
    pub(crate) fn new(
        encoded: Vec<Bytes>,
        first_arrival: u64,
        permit: Permit,
    ) -> (Arc<Self>, oneshot::Receiver<Vec<Outcome>>) {
        let (reply, answer) = oneshot::channel();
        // What a panic leaves without an answer is lost.
        let outcomes = vec![Err(PoolError::Closed); encoded.len()];
        let mut waiting = Vec::with_capacity(encoded.len().div_ceil(PIECE));
        let mut rest = encoded.into_iter();
        let mut offset = 0;
        while rest.len() > 0 {
            let encoded: Vec<Bytes> = rest.by_ref().take(PIECE).collect();
            let first_arrival = first_arrival + offset as u64;
            let count = encoded.len();
            waiting.push(Piece {
                offset,
                encoded,
                first_arrival,
            });
            offset += count;
        }
        waiting.reverse();
        let progress = Progress {
            unfinished: waiting.len(),
            waiting,
            outcomes,
            reply: Some((reply, permit)),
        };
        let progress = Mutex::new(progress);
        (Arc::new(Self { progress }), answer)
    }

    pub(crate) fn pieces_left(&self) -> usize {
        self.progress.lock().waiting.len()
    }

    pub(crate) fn take_piece(&self) -> Option<Piece> {
        self.progress.lock().waiting.pop()
    }

    /// Notes the outcomes of the piece at `offset`; `None` where it was lost.
    pub(crate) fn finish(&self, offset: usize, outcomes: Option<Vec<Outcome>>) {
        let mut progress = self.progress.lock();
        let slots = progress.outcomes.iter_mut().skip(offset);
        for (slot, outcome) in slots.zip(outcomes.unwrap_or_default()) {
            *slot = outcome;
        }
        progress.unfinished -= 1;
        if progress.unfinished > 0 {
            return;
        }
        let outcomes = std::mem::take(&mut progress.outcomes);
        if let Some((reply, permit)) = progress.reply.take() {
            drop(progress);
            // Before the answer: whoever has it finds the room free.
            drop(permit);
            // The caller may have gone; the transactions are pooled all the same.
            let _ = reply.send(outcomes);
        }
    }
}
