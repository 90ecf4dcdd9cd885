//! The node the builder runs in.

use alloy_primitives::B256;
use blockwright_types::{BuildRequest, Severity};
use revm_database_interface::DatabaseRef;

use crate::{Candidates, Closing, OpenBlock, RootSession, RootsReply, Wake};

/// A node that can hold the builder: state to read, blocks to open, roots, candidates.
///
/// Order of calls for one payload: [`Host::open`], then [`Host::roots`], then (unless the request
/// says `no_tx_pool`) [`Host::candidates`], all on the job's own thread. [`Host::reader`] may be
/// called at any time from any thread.
pub trait Host: Clone + Send + Sync + 'static {
    /// Read access to the state after one block.
    type Reader: DatabaseRef + Send;
    /// The host's own trie delta of a block; the core only carries it.
    type Artifact: Clone + Send + Sync + 'static;
    /// The block under construction. It lives on the job thread's stack and need not be `Send`.
    type Open: OpenBlock;
    /// The asynchronous state root.
    type Roots: RootSession;
    /// The pool's side of one job.
    type Candidates: Candidates;

    /// The state after block `parent`.
    fn reader(&self, parent: B256) -> Result<Self::Reader, HostError>;

    /// Opens the block: pre-block system calls and all sequencer transactions have run when this
    /// returns. An error means the attributes cannot make a valid block.
    fn open(&self, request: &BuildRequest) -> Result<Self::Open, HostError>;

    /// Starts a root session on the trie of block `parent`; `reply` is called once for each
    /// [`RootSession::close`], from the session's worker.
    fn roots(
        &self,
        parent: B256,
        reply: RootsReply<Self::Artifact>,
    ) -> Result<Self::Roots, HostError>;

    /// Subscribes a job to the pool; `wake` is called whenever [`Candidates::poll_new`] has news.
    fn candidates(&self, request: &BuildRequest, wake: Wake) -> Self::Candidates;

    /// What makes the block's last transaction; by default nothing does. Asked after
    /// [`Host::candidates`].
    fn closing(&self, request: &BuildRequest) -> Option<Box<dyn Closing>> {
        let _ = request;
        None
    }
}

/// Why a host could not serve the builder.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The parent's state is not held.
    #[error("state of block {0} is not available")]
    UnknownParent(B256),
    /// A sequencer transaction cannot be in a valid block.
    #[error("attributes transaction {index} is invalid: {reason}")]
    InvalidTransaction {
        /// Position in the attributes.
        index: usize,
        /// The rule it breaks.
        reason: String,
    },
    /// The attributes contradict the chain rules.
    #[error("invalid attributes: {0}")]
    InvalidAttributes(String),
    /// A read of stored state or the EVM itself failed.
    #[error("host failure: {0}")]
    Internal(#[source] Box<dyn core::error::Error + Send + Sync>),
}

impl HostError {
    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::UnknownParent(_) => Severity::Retry,
            Self::InvalidTransaction { .. } | Self::InvalidAttributes(_) | Self::Internal(_) => {
                Severity::AbandonJob
            }
        }
    }
}
