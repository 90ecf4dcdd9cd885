//! The embedded host: what the builder stands on.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_exec::ExecBlock;
use blockwright_pool::{Pool, PoolCandidates};
use blockwright_seams::{Closing, Host, HostError, MakeClosing, RootsReply, Wake};
use blockwright_state::{StateReader, Store, TrieDelta, TrieSession};
use blockwright_types::BuildRequest;

use crate::view::StateAccounts;

/// Store, EVM and pool behind the builder's seams.
#[derive(Clone)]
pub struct EmbeddedHost {
    store: Store,
    pool: Pool,
    closing: Option<MakeClosing>,
}

impl EmbeddedHost {
    /// A host over these parts.
    pub const fn new(store: Store, pool: Pool) -> Self {
        Self {
            store,
            pool,
            closing: None,
        }
    }

    /// The same with blocks that end with what `make` gives.
    #[must_use]
    pub fn closed_by(self, make: MakeClosing) -> Self {
        Self {
            closing: Some(make),
            ..self
        }
    }
}

impl Host for EmbeddedHost {
    type Reader = StateReader;
    type Artifact = TrieDelta;
    type Open = ExecBlock<StateReader>;
    type Roots = TrieSession;
    type Candidates = PoolCandidates;

    fn reader(&self, parent: B256) -> Result<StateReader, HostError> {
        self.store
            .reader(parent)
            .ok_or(HostError::UnknownParent(parent))
    }

    fn open(&self, request: &BuildRequest) -> Result<Self::Open, HostError> {
        let reader = self.reader(request.context.parent_hash)?;
        let transactions = &request.sequencer_transactions;
        ExecBlock::open(request.context.clone(), reader, transactions, request.id)
    }

    fn roots(&self, parent: B256, reply: RootsReply<TrieDelta>) -> Result<TrieSession, HostError> {
        self.store
            .root_session(parent, reply)
            .ok_or(HostError::UnknownParent(parent))
    }

    fn candidates(&self, request: &BuildRequest, wake: Wake) -> PoolCandidates {
        let parent = request.context.parent_hash;
        let accounts: Arc<dyn blockwright_pool::AccountView> = match self.store.reader(parent) {
            Some(reader) => Arc::new(StateAccounts(reader)),
            // `open` read the same state a moment ago; where it is gone the job can offer nothing.
            None => Arc::new(Gone(parent)),
        };
        self.pool.candidates(request, accounts, wake)
    }

    fn closing(&self, request: &BuildRequest) -> Option<Box<dyn Closing>> {
        self.closing.as_ref().and_then(|make| make(request))
    }
}

/// Accounts of a state that is not held any more.
struct Gone(B256);

impl blockwright_pool::AccountView for Gone {
    fn account(
        &self,
        _: alloy_primitives::Address,
    ) -> Result<blockwright_pool::AccountFacts, blockwright_pool::ViewError> {
        let error = HostError::UnknownParent(self.0);
        Err(blockwright_pool::ViewError(error.to_string()))
    }
}
