//! Completing blocks that were published without roots.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_core::Best;
use blockwright_seams::{Host, HostError, RootFault, RootSession, RootsAnswer};
use blockwright_types::{Roots, UnrootedBlock};
use crossbeam_channel::{Receiver, bounded};
use parking_lot::Mutex;

/// A session that has not answered after this is taken for dead.
const PATIENCE: Duration = Duration::from_secs(2);

/// Computes the roots that a published block lacks. Knows nothing of the job: it may be dead.
pub(crate) trait Completion<A>: Send + Sync {
    /// `block` is the payload from now on. Never waits.
    fn published(&self, block: &UnrootedBlock);

    /// Nobody is likely to ask for the block: what was prepared may go.
    fn let_go(&self);

    /// The block with its roots; waits for them.
    fn complete(&self, block: &UnrootedBlock) -> Result<Best<A>, RootFault>;
}

/// Completes blocks by root sessions of its own on the parent's state.
pub(crate) struct Completer<H: Host> {
    host: H,
    parent: B256,
    /// The session that gets the changes of each flashblock when it is published, so that little is
    /// left to do in the end. `None` where blocks are rarely completed, and once it was used.
    fed: Mutex<Option<Fed<H>>>,
}

/// A session and how much of the block it has.
struct Fed<H: Host> {
    session: Option<Session<H>>,
    parts: usize,
}

struct Session<H: Host> {
    roots: H::Roots,
    answers: Receiver<RootsAnswer<H::Artifact>>,
}

impl<H: Host> Completer<H> {
    /// For blocks on `parent`. `is_fed`: every block will have to be completed.
    pub(crate) fn new(host: H, parent: B256, is_fed: bool) -> Self {
        let fed = is_fed.then_some(Fed {
            session: None,
            parts: 0,
        });
        Self {
            host,
            parent,
            fed: Mutex::new(fed),
        }
    }

    fn session(&self) -> Result<Session<H>, HostError> {
        let (sender, answers) = bounded(1);
        let reply = Box::new(move |answer| {
            // One answer is asked for; whoever asked may have lost patience.
            let _ = sender.try_send(answer);
        });
        let roots = self.host.roots(self.parent, reply)?;
        Ok(Session { roots, answers })
    }

    /// Gives `fed` what it lacks of `block`.
    fn feed<'a>(
        &self,
        fed: &'a mut Fed<H>,
        block: &UnrootedBlock,
    ) -> Result<&'a mut Session<H>, HostError> {
        let session = match &mut fed.session {
            Some(session) => session,
            empty @ None => empty.insert(self.session()?),
        };
        for part in block.parts.iter().skip(fed.parts) {
            for changes in &part.changes {
                session.roots.push(Arc::clone(changes));
            }
        }
        fed.parts = fed.parts.max(block.parts.len());
        Ok(session)
    }

    /// One attempt; a panic is a failure.
    fn attempt(
        &self,
        mut fed: Fed<H>,
        block: &UnrootedBlock,
    ) -> Result<(Roots, H::Artifact), RootFault> {
        let work = || {
            let session = self
                .feed(&mut fed, block)
                .map_err(|error| RootFault(error.to_string()))?;
            session
                .roots
                .close((block.parts.len() as u64).saturating_sub(1));
            let answer = session.answers.recv_timeout(PATIENCE);
            answer
                .map_err(|_| RootFault("the root session did not answer".to_owned()))?
                .result
        };
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(RootFault("the root session panicked".to_owned())))
    }
}

impl<H: Host> Completion<H::Artifact> for Completer<H> {
    fn published(&self, block: &UnrootedBlock) {
        let mut place = self.fed.lock();
        let Some(fed) = &mut *place else { return };
        if let Err(error) = self.feed(fed, block) {
            // Completing tries again and says what came of it.
            tracing::debug!(%error, "root session not started");
        }
    }

    fn let_go(&self) {
        *self.fed.lock() = None;
    }

    /// Tries what was fed, then a fresh session, which does the whole block's work.
    fn complete(&self, block: &UnrootedBlock) -> Result<Best<H::Artifact>, RootFault> {
        let fresh = || Fed {
            session: None,
            parts: 0,
        };
        let fed = self.fed.lock().take().unwrap_or_else(fresh);
        let (roots, artifact) = self.attempt(fed, block).or_else(|fault| {
            tracing::warn!(number = block.header.number, %fault, "roots are computed anew");
            self.attempt(fresh(), block)
        })?;
        Ok(Best {
            block: Arc::new(block.with_roots(&roots)),
            artifact,
        })
    }
}
