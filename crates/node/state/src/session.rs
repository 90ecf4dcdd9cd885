//! The asynchronous state root of one block under construction.

mod mailbox;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use blockwright_seams::{RootFault, RootKeys, RootSession, RootsAnswer, RootsReply};
use blockwright_types::Changes;
use parking_lot::Mutex;

use crate::delta::{State, TrieDelta};
use crate::metrics;
use mailbox::{Command, Mailbox};

/// Computes roots on its own thread and its own copy-on-write state, piece by piece as the block
/// grows, so that little is left to do at a close. One thread a session: a block has one.
///
/// Its queue holds 64 pieces; when it is full, further ones are merged into the last
/// (`blockwright_state_root_pieces_coalesced_total`). Dropping the session drops what waits and
/// ends the thread after the piece it is at.
#[derive(Debug)]
pub struct TrieSession {
    shared: Arc<Shared>,
    /// The thread could not be started; every close is answered with this.
    unstarted: Option<RootFault>,
}

struct Shared {
    mailbox: Mailbox,
    reply: Mutex<Option<RootsReply<TrieDelta>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}

impl TrieSession {
    /// A session on the state of block `parent`.
    pub(crate) fn start(parent: B256, state: State, reply: RootsReply<TrieDelta>) -> Self {
        let shared = Arc::new(Shared {
            mailbox: Mailbox::default(),
            reply: Mutex::new(Some(reply)),
        });
        let mailbox = Arc::clone(&shared);
        let started = std::thread::Builder::new()
            .name("state-root".to_owned())
            .spawn(move || {
                if let Some(reply) = mailbox.reply.lock().take() {
                    Worker {
                        parent,
                        state,
                        fault: None,
                        reply,
                    }
                    .run(&mailbox.mailbox);
                }
            });
        Self {
            shared,
            unstarted: started
                .err()
                .map(|error| RootFault(format!("cannot start the root thread: {error}"))),
        }
    }
}

impl RootSession for TrieSession {
    fn push(&mut self, changes: Arc<Changes>) {
        if self.unstarted.is_none() {
            self.shared.mailbox.push(changes);
        }
    }

    /// Everything is in memory already.
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

impl Drop for TrieSession {
    fn drop(&mut self) {
        self.shared.mailbox.end();
    }
}

/// The session's thread.
struct Worker {
    parent: B256,
    state: State,
    /// Once something failed, the state is not to be trusted: every close gets this answer.
    fault: Option<RootFault>,
    reply: RootsReply<TrieDelta>,
}

impl Worker {
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
        self.attempt(|state, _| state.apply(changes).map_err(|error| error.to_string()))
            .ok();
    }

    fn answer(&mut self, index: u64, asked_at: Instant) {
        let result = self.attempt(|state, parent| {
            let delta = state.close(parent).map_err(|error| error.to_string())?;
            Ok((delta.roots(), delta))
        });
        let elapsed = asked_at.elapsed();
        metrics::root_closed(elapsed);
        (self.reply)(RootsAnswer {
            index,
            result,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        });
    }

    /// Runs one step, unless an earlier one failed; a panic is a failure.
    fn attempt<T>(
        &mut self,
        step: impl FnOnce(&mut State, B256) -> Result<T, String>,
    ) -> Result<T, RootFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let (state, parent) = (&mut self.state, self.parent);
        catch_unwind(AssertUnwindSafe(|| step(state, parent)))
            .unwrap_or_else(|panic| Err(format!("the root worker panicked: {}", text(&*panic))))
            .map_err(|reason| {
                let fault = RootFault(reason);
                tracing::error!(%parent, %fault, "state root session failed");
                self.fault = Some(fault.clone());
                fault
            })
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
