//! The asynchronous state root on the copy-on-write trie.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use alloy_primitives::B256;
use blockwright_root_thread::{RootState, RootThread};
use blockwright_seams::RootsReply;
use blockwright_types::{Changes, Roots};

use crate::delta::{State, TrieDelta};

/// Computes roots on its own thread and its own version of the state.
pub type TrieSession = RootThread<TrieDelta>;

/// Starts a session on the state of block `parent`.
pub(crate) fn start(parent: B256, state: State, reply: RootsReply<TrieDelta>) -> TrieSession {
    RootThread::start(parent, move || Ok(Growing { parent, state }), reply)
}

/// The state of a block under construction.
struct Growing {
    parent: B256,
    state: State,
}

impl RootState for Growing {
    type Delta = TrieDelta;

    fn apply(&mut self, changes: &Changes) -> Result<(), String> {
        self.state.apply(changes).map_err(|error| error.to_string())
    }

    fn close(&mut self) -> Result<(Roots, TrieDelta), String> {
        let delta = self.state.close(self.parent);
        let delta = delta.map_err(|error| error.to_string())?;
        Ok((delta.roots(), delta))
    }
}
