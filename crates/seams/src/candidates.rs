//! The pool's side of a job.

use std::sync::Arc;

use blockwright_types::{SharedTx, SkipReason};

/// A transaction that may enter the block now: the lowest unused nonce of its sender.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The transaction.
    pub tx: SharedTx,
    /// Arrival number in the pool; smaller arrived earlier. Breaks ties.
    pub arrival: u64,
}

/// Called by the pool when [`Candidates::poll_new`] has something; cheap, never blocks.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A job's view of the pool. Order is none of its business: that belongs to [`crate::Policy`].
///
/// It offers at most one transaction a sender at a time, the one whose nonce is next after what the
/// job committed; a replacement is offered again under the same sender and nonce.
pub trait Candidates {
    /// Appends up to `max` heads that are new since the last call: at first the head of every
    /// sender, later arrivals and replacements. Returns whether more are waiting.
    fn poll_new(&mut self, max: usize, out: &mut Vec<Candidate>) -> bool;

    /// `tx` is in the block. Returns the sender's next transaction, if pooled.
    fn committed(&mut self, tx: &SharedTx) -> Option<Candidate>;

    /// `tx` will be tried again by this job from flashblock `until_index` on. The job keeps it;
    /// this is for the transaction's trace and the pool's metrics.
    fn defer(&mut self, tx: &SharedTx, reason: &SkipReason, until_index: u64);

    /// `tx` is not for this block. If `reason` is final the pool drops it.
    fn reject(&mut self, tx: &SharedTx, reason: &SkipReason);
}
