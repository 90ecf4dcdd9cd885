//! The roots of a block that grows, and the complete blocks they make.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_seams::{RootSession, RootsAnswer};
use blockwright_state::{Store, TrieDelta, TrieSession};
use blockwright_types::{Changes, PayloadId, SealedBlock, UnrootedBlock};
use parking_lot::{Condvar, Mutex};

use crate::{Handover, Refutation};

/// How long roots may take before they are given up: far beyond any block's.
const PATIENCE: Duration = Duration::from_secs(10);

/// A root session whose every answer completes a block, which goes to the hand-over at once: on the
/// session's thread, whether or not somebody waits for it.
#[derive(Debug)]
pub(crate) struct Roots {
    session: TrieSession,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    payload_id: PayloadId,
    handover: Handover,
    blocks: Mutex<Blocks>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Blocks {
    /// Those whose roots were asked for, oldest first.
    waiting: VecDeque<(u64, Arc<UnrootedBlock>)>,
    /// Index and outcome of the last answer.
    last: Option<(u64, Result<Arc<SealedBlock>, String>)>,
}

impl Roots {
    /// A session on the state of block `parent`; `None` where that is not held.
    pub(crate) fn open(
        store: &Store,
        parent: B256,
        payload_id: PayloadId,
        handover: &Handover,
    ) -> Option<Self> {
        let shared = Arc::new(Shared {
            payload_id,
            handover: handover.clone(),
            blocks: Mutex::default(),
            answered: Condvar::new(),
        });
        let answers = Arc::clone(&shared);
        let session = store.root_session(parent, Box::new(move |answer| answers.take(answer)))?;
        Some(Self { session, shared })
    }

    /// Adds what changed. Never blocks.
    pub(crate) fn push(&mut self, changes: Arc<Changes>) {
        self.session.push(changes);
    }

    /// Asks for the roots of all that was pushed, which are those of `block`. Never blocks.
    pub(crate) fn close(&mut self, index: u64, block: Arc<UnrootedBlock>) {
        self.shared.blocks.lock().waiting.push_back((index, block));
        self.session.close(index);
    }

    /// The complete block of flashblock `index`, once it is there.
    pub(crate) fn wait(&self, index: u64) -> Result<Arc<SealedBlock>, Refutation> {
        let is_missing = |blocks: &mut Blocks| {
            let last = blocks.last.as_ref();
            last.is_none_or(|(answered, _)| *answered < index)
        };
        let mut blocks = self.shared.blocks.lock();
        let waited = self
            .shared
            .answered
            .wait_while_for(&mut blocks, is_missing, PATIENCE);
        if waited.timed_out() {
            let text = format!("no roots within {} seconds", PATIENCE.as_secs());
            return Err(Refutation::Fault(text));
        }
        match &blocks.last {
            Some((_, Ok(block))) => Ok(Arc::clone(block)),
            Some((_, Err(fault))) => Err(Refutation::Fault(fault.clone())),
            None => Err(Refutation::Fault("no roots".to_owned())),
        }
    }
}

impl Shared {
    fn take(&self, answer: RootsAnswer<TrieDelta>) {
        let RootsAnswer { index, result, .. } = answer;
        let mut blocks = self.blocks.lock();
        let Some((_, unrooted)) = blocks.waiting.pop_front() else {
            return;
        };
        drop(blocks);
        let completed = match result {
            Ok((roots, delta)) => {
                let block = Arc::new(unrooted.with_roots(&roots));
                self.handover
                    .keep(self.payload_id, Arc::clone(&block), delta);
                Ok(block)
            }
            Err(fault) => Err(fault.to_string()),
        };
        self.blocks.lock().last = Some((index, completed));
        self.answered.notify_all();
    }
}
