//! Roots of the fakes.

use std::sync::Arc;

use alloy_primitives::{B256, keccak256};
use blockwright_seams::{RootKeys, RootSession, RootsAnswer, RootsReply};
use blockwright_types::{Changes, Roots};

use crate::{Accounts, FakeArtifact};

/// The "state root" of the fakes: a hash of all accounts in order.
pub fn fake_state_root(accounts: &Accounts) -> B256 {
    let mut bytes = Vec::new();
    for (address, (balance, nonce)) in accounts.iter() {
        bytes.extend_from_slice(address.as_slice());
        bytes.extend_from_slice(&balance.to_be_bytes::<32>());
        bytes.extend_from_slice(&nonce.to_be_bytes());
    }
    keccak256(bytes)
}

/// Answers within `close`, from the pushed changes alone.
pub struct FakeRoots {
    accounts: Accounts,
    reply: RootsReply<FakeArtifact>,
}

impl FakeRoots {
    /// A session on the state `accounts`.
    pub fn new(accounts: Accounts, reply: RootsReply<FakeArtifact>) -> Self {
        Self { accounts, reply }
    }
}

impl RootSession for FakeRoots {
    fn push(&mut self, changes: Arc<Changes>) {
        self.accounts.apply(&changes);
    }

    fn prefetch(&mut self, _keys: RootKeys) {}

    fn close(&mut self, index: u64) {
        let state = fake_state_root(&self.accounts);
        let roots = Roots {
            state,
            message_passer: keccak256(state),
        };
        (self.reply)(RootsAnswer {
            index,
            result: Ok((roots, FakeArtifact { state_root: state })),
            elapsed_us: 100,
        });
    }
}
