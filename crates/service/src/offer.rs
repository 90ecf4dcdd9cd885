//! Blocks that are shown before they are handed out.

use core::fmt;
use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::Best;
use blockwright_seams::Host;
use blockwright_types::PayloadId;
use tokio::sync::watch;

use crate::ledger::{Act, Applied, Ledger};
use crate::table::OnParent;
use crate::{BuilderHandle, ReleaseError, metrics};

/// A payload as it was at one moment. It can be handed out later, whatever was built since, and whether or
/// not the service still knows the payload.
pub struct Offer<A> {
    /// The block.
    pub best: Best<A>,
    /// Its parent's timestamp, in seconds.
    pub parent_timestamp: u64,
    ledger: Arc<Ledger<A>>,
}

impl<A: fmt::Debug> fmt::Debug for Offer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").field("best", &self.best).finish()
    }
}

/// What became of the payload when an earlier state of it was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It ends with that block; `left_out` flashblocks that were published later are not in it.
    Here {
        /// Flashblocks that were published and are not in the block.
        left_out: u64,
    },
    /// That block had been handed out before.
    Already,
    /// Another block had been handed out before, and stays the payload.
    Elsewhere(B256),
}

impl<H: Host> BuilderHandle<H> {
    /// The payload on `parent_hash` as it is now: the one that was released on it, else the newest one. Its
    /// building goes on. A block without roots gets them here, which is work for a thread that may be busy.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub fn offer(&self, parent_hash: B256) -> Result<Offer<H::Artifact>, ReleaseError> {
        let found = self.shared.table.lock().on_parent(parent_hash);
        let ledger = match found {
            OnParent::Payload(ledger) => ledger,
            OnParent::Opening => return Err(ReleaseError::NotReady(parent_hash)),
            OnParent::Nothing => return Err(ReleaseError::Nothing(parent_hash)),
        };
        let best = ledger.complete("offer");
        Ok(Offer {
            best: best.ok_or(ReleaseError::NotReady(parent_hash))?,
            parent_timestamp: ledger.subject.parent_timestamp,
            ledger,
        })
    }

    /// Hands `offer` out: its block is the payload from now on, for whoever asks by payload id or parent,
    /// unless another one was handed out before. The building ends.
    pub fn settle(&self, offer: &Offer<H::Artifact>) -> Settled {
        let ledger = &offer.ledger;
        let published = ledger.payload().map_or(0, |payload| payload.parts().len());
        self.shared.table.lock().release(ledger);
        let left_out = published.saturating_sub(offer.best.block.parts.len());
        match ledger.apply(Act::Settle(offer.best.clone())) {
            Applied::Resolved { best, first: true } => {
                metrics::resolved(&best.block);
                Settled::Here {
                    left_out: left_out as u64,
                }
            }
            Applied::Resolved { best, .. } if best.block.hash == offer.best.block.hash => {
                Settled::Already
            }
            Applied::Resolved { best, .. } => Settled::Elsewhere(best.block.hash),
            // There is a block, for it was offered.
            Applied::NotReady | Applied::Unrooted | Applied::Done(_) | Applied::Suppressed(_) => {
                Settled::Already
            }
        }
    }

    /// Follows which payload was started last.
    pub fn newest(&self) -> watch::Receiver<Option<PayloadId>> {
        self.shared.newest.subscribe()
    }
}
