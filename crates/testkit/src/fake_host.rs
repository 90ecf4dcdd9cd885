//! A node in memory.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_seams::{Host, HostError, RootsReply, Wake};
use blockwright_types::BuildRequest;
use revm_database_interface::EmptyDB;

use crate::{Accounts, FakeBlock, FakeRoots, ManualClock, ScriptCandidates, ScriptPool};

/// What stands for a trie delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FakeArtifact {
    /// The root it belongs to.
    pub state_root: B256,
}

/// A node in memory, with simple rules instead of an EVM.
#[derive(Clone)]
pub struct FakeHost {
    /// State of every parent.
    pub accounts: Accounts,
    /// The pool.
    pub pool: ScriptPool,
    /// Jovian's DA footprint scalar; zero switches it off.
    pub da_scalar: u64,
    /// Moved by what transactions cost, at 1 Ggas/s; `None`: they cost no time.
    pub clock: Option<Arc<ManualClock>>,
    /// A parent whose state is not held.
    pub unknown_parent: Option<B256>,
}

impl FakeHost {
    /// A node with `count` funded accounts.
    pub fn funded(count: u64) -> Self {
        Self {
            accounts: Accounts::funded(count),
            pool: ScriptPool::default(),
            da_scalar: 0,
            clock: None,
            unknown_parent: None,
        }
    }
}

impl Host for FakeHost {
    type Reader = EmptyDB;
    type Artifact = FakeArtifact;
    type Open = FakeBlock;
    type Roots = FakeRoots;
    type Candidates = ScriptCandidates;

    fn reader(&self, _parent: B256) -> Result<EmptyDB, HostError> {
        Ok(EmptyDB::default())
    }

    fn open(&self, request: &BuildRequest) -> Result<FakeBlock, HostError> {
        let parent = request.context.parent_hash;
        if self.unknown_parent == Some(parent) {
            return Err(HostError::UnknownParent(parent));
        }
        Ok(FakeBlock::open(
            request,
            self.accounts.clone(),
            self.da_scalar,
            self.clock.clone(),
        ))
    }

    fn roots(
        &self,
        _parent: B256,
        reply: RootsReply<FakeArtifact>,
    ) -> Result<FakeRoots, HostError> {
        Ok(FakeRoots::new(self.accounts.clone(), reply))
    }

    fn candidates(&self, _request: &BuildRequest, wake: Wake) -> ScriptCandidates {
        self.pool.subscribe(wake)
    }
}
