//! Executed blocks for whoever imports them.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_engine::Preconfirmed;
use blockwright_state::TrieDelta;
use blockwright_types::{PayloadId, SealedBlock};
use parking_lot::Mutex;

/// Payloads that are remembered: the one that grows, the one that is being imported, and others that
/// a sequencer began for the same place.
const PAYLOADS_MAX: usize = 4;

/// The last executed block of each of the last four payloads, with its state. Clones share
/// everything.
#[derive(Clone, Debug, Default)]
pub struct Handover {
    /// Oldest payload first.
    kept: Arc<Mutex<VecDeque<Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    payload_id: PayloadId,
    block: Arc<SealedBlock>,
    delta: TrieDelta,
}

impl Handover {
    /// Puts the payload's block in the place of its shorter one.
    pub(crate) fn keep(&self, payload_id: PayloadId, block: Arc<SealedBlock>, delta: TrieDelta) {
        let new = Kept {
            payload_id,
            block,
            delta,
        };
        let mut kept = self.kept.lock();
        // What is let go of is freed behind the lock.
        let _old = match kept.iter_mut().find(|kept| kept.payload_id == payload_id) {
            Some(place) => Some(core::mem::replace(place, new)),
            None => {
                kept.push_back(new);
                (kept.len() > PAYLOADS_MAX)
                    .then(|| kept.pop_front())
                    .flatten()
            }
        };
        drop(kept);
    }

    /// Lets go of blocks up to `number`.
    pub fn forget_to(&self, number: u64) {
        let mut kept = self.kept.lock();
        let (passed, left) = core::mem::take(&mut *kept)
            .into_iter()
            .partition::<VecDeque<_>, _>(|kept| kept.block.header.number <= number);
        *kept = left;
        drop(kept);
        drop(passed);
    }

    /// Payloads remembered.
    pub fn len(&self) -> usize {
        self.kept.lock().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Preconfirmed for Handover {
    fn executed(&self, hash: B256) -> Option<(Arc<SealedBlock>, TrieDelta)> {
        let kept = self.kept.lock();
        let found = kept.iter().find(|kept| kept.block.hash == hash)?;
        Some((Arc::clone(&found.block), found.delta.clone()))
    }
}
