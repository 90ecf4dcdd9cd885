//! The asynchronous state root.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use blockwright_types::{Changes, Roots};

/// Accounts and slots whose trie paths will be needed soon.
pub type RootKeys = Vec<(Address, Vec<U256>)>;

/// Answer to [`RootSession::close`].
#[derive(Debug)]
pub struct RootsAnswer<A> {
    /// The index that was closed.
    pub index: u64,
    /// Roots and the host's trie delta, or why there are none.
    pub result: Result<(Roots, A), RootFault>,
    /// Microseconds from `close` to the answer; feeds the scheduler's lead.
    pub elapsed_us: u64,
}

/// Where answers go. Called from the session's worker; never blocks.
pub type RootsReply<A> = Box<dyn Fn(RootsAnswer<A>) + Send>;

/// A root could not be computed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("state root failed: {0}")]
pub struct RootFault(pub String);

/// Computes roots beside the execution. Dropping the session ends its work.
pub trait RootSession: Send {
    /// Adds absolute post-values. Never blocks.
    fn push(&mut self, changes: Arc<Changes>);

    /// Hints at what is likely to change. Never blocks, may be ignored.
    fn prefetch(&mut self, keys: RootKeys);

    /// Asks for the roots of everything pushed so far, as flashblock `index`. Never blocks.
    fn close(&mut self, index: u64);
}
