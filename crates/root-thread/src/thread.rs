//! The thread, and the session in front of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use blockwright_seams::{RootFault, RootKeys, RootSession, RootsAnswer, RootsReply};
use blockwright_types::Changes;
use parking_lot::Mutex;

use crate::mailbox::{Command, Mailbox};
use crate::{RootState, metrics};

/// Computes roots on its own thread and a state of its own, piece by piece as the block grows, so that little is
/// left to do at a close. One thread a session: a block has one.
///
/// Its queue holds 64 pieces; when it is full, further ones are merged into the last
/// (`blockwright_state_root_pieces_coalesced_total`). Dropping the session drops what waits and
/// ends the thread after the piece it is at.
#[derive(Debug)]
pub struct RootThread<D> {
    shared: Arc<Shared<D>>,
    /// The thread could not be started; every close is answered with this.
    unstarted: Option<RootFault>,
}

struct Shared<D> {
    mailbox: Mailbox,
    reply: Mutex<Option<RootsReply<D>>>,
}

impl<D> std::fmt::Debug for Shared<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}

impl<D: Send + 'static> RootThread<D> {
    /// A session on the state of block `parent`, which `open` gives on the session's thread.
    pub fn start<S: RootState<Delta = D>>(
        parent: B256,
        open: impl FnOnce() -> Result<S, String> + Send + 'static,
        reply: RootsReply<D>,
    ) -> Self {
        let shared = Arc::new(Shared {
            mailbox: Mailbox::default(),
            reply: Mutex::new(Some(reply)),
        });
        let mailbox = Arc::clone(&shared);
        let started = std::thread::Builder::new()
            .name("state-root".to_owned())
            .spawn(move || {
                if let Some(reply) = mailbox.reply.lock().take() {
                    Worker::new(parent, open, reply).run(&mailbox.mailbox);
                }
            });
        Self {
            shared,
            unstarted: started
                .err()
                .map(|error| RootFault(format!("cannot start the root thread: {error}"))),
        }
    }

    /// Pieces and closes that wait for the thread.
    pub fn waiting(&self) -> usize {
        self.shared.mailbox.waiting()
    }
}

impl<D: Send + 'static> RootSession for RootThread<D> {
    fn push(&mut self, changes: Arc<Changes>) {
        if self.unstarted.is_none() {
            self.shared.mailbox.push(changes);
        }
    }

    /// What was executed has been read already.
    fn prefetch(&mut self, _keys: RootKeys) {}

    fn close(&mut self, index: u64) {
        match &self.unstarted {
            None => self.shared.mailbox.close(index),
            Some(fault) => {
                if let Some(reply) = &*self.shared.reply.lock() {
                    reply(RootsAnswer {
                        index,
                        result: Err(fault.clone()),
                        elapsed_us: 0,
                    });
                }
            }
        }
    }
}

impl<D> Drop for RootThread<D> {
    fn drop(&mut self) {
        self.shared.mailbox.end();
    }
}

/// The session's thread.
struct Worker<S: RootState> {
    parent: B256,
    state: Result<S, RootFault>,
    reply: RootsReply<S::Delta>,
}

impl<S: RootState> Worker<S> {
    fn new(
        parent: B256,
        open: impl FnOnce() -> Result<S, String>,
        reply: RootsReply<S::Delta>,
    ) -> Self {
        Self {
            parent,
            state: guarded(parent, open),
            reply,
        }
    }

    fn run(mut self, mailbox: &Mailbox) {
        while let Some(command) = mailbox.next() {
            match command {
                Command::Push(changes) => self.apply(&changes),
                Command::Close { index, asked_at } => self.answer(index, asked_at),
            }
        }
    }

    fn apply(&mut self, changes: &Changes) {
        // A failure is kept and answered at the next close.
        self.attempt(|state| state.apply(changes)).ok();
    }

    fn answer(&mut self, index: u64, asked_at: Instant) {
        let result = self.attempt(RootState::close);
        let elapsed = asked_at.elapsed();
        metrics::root_closed(elapsed);
        (self.reply)(RootsAnswer {
            index,
            result,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        });
    }

    /// Runs one step. Once something failed, the state is not to be trusted: every step has that answer.
    fn attempt<T>(
        &mut self,
        step: impl FnOnce(&mut S) -> Result<T, String>,
    ) -> Result<T, RootFault> {
        let state = self.state.as_mut().map_err(|fault| fault.clone())?;
        let done = guarded(self.parent, || step(state));
        if let Err(fault) = &done {
            self.state = Err(fault.clone());
        }
        done
    }
}

/// What `step` gives; a panic is a failure.
fn guarded<T>(parent: B256, step: impl FnOnce() -> Result<T, String>) -> Result<T, RootFault> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|panic| Err(format!("the root worker panicked: {}", text(&*panic))))
        .map_err(|reason| {
            let fault = RootFault(reason);
            tracing::error!(%parent, %fault, "state root session failed");
            fault
        })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
