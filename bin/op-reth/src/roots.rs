//! Roots of a block that grows, by reth's trie: each flashblock begins with the nodes of those before.

use std::sync::Arc;

use alloy_primitives::map::{AddressMap, U256Map};
use alloy_primitives::{B256, KECCAK256_EMPTY, U256, keccak256};
use blockwright_root_thread::RootState;
use blockwright_types::{AccountPost, Changes, L2_TO_L1_MESSAGE_PASSER, Roots};
use parking_lot::Mutex;
use reth_primitives_traits::Account;
use reth_provider::{ProviderError, StateProviderBox};
use reth_trie_common::updates::TrieUpdates;
use reth_trie_common::{HashedPostState, HashedStorage, TrieInput};

/// What an account was before the block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Original {
    /// `None` where there was no account.
    pub(crate) account: Option<Account>,
    /// Of the slots that the block writes.
    pub(crate) slots: U256Map<U256>,
}

/// What everything that a block writes was before it. Only ever grows, so the payloads of one block share it.
pub(crate) type Originals = Arc<Mutex<AddressMap<Original>>>;

/// What the engine tree needs of a block that it is not to execute.
#[derive(Clone, Debug)]
pub(crate) struct TrieArtifact {
    /// Post-values by hashed key.
    pub(crate) hashed: Arc<HashedPostState>,
    /// Nodes that change with them.
    pub(crate) nodes: Arc<TrieUpdates>,
    /// See [`Originals`].
    pub(crate) originals: Originals,
}

/// The state of the block under construction.
pub(crate) struct BlockTrie {
    parent: StateProviderBox,
    /// Post-values that the last roots are of.
    hashed: Arc<HashedPostState>,
    /// Nodes of the last roots that the parent does not have.
    nodes: Arc<TrieUpdates>,
    /// Post-values since.
    fresh: HashedPostState,
    originals: Originals,
    /// Of the message passer; unknown until first asked for, and when its storage changed.
    passer_root: Option<B256>,
}

impl BlockTrie {
    /// The state of `parent`, unchanged.
    pub(crate) fn new(parent: StateProviderBox) -> Self {
        Self {
            parent,
            hashed: Arc::default(),
            nodes: Arc::default(),
            fresh: HashedPostState::default(),
            originals: Originals::default(),
            passer_root: None,
        }
    }

    fn note_originals(&self, changes: &Changes) -> Result<(), ProviderError> {
        let mut originals = self.originals.lock();
        for (address, change) in &changes.accounts {
            let original = match originals.entry(*address) {
                alloy_primitives::map::Entry::Occupied(known) => known.into_mut(),
                alloy_primitives::map::Entry::Vacant(new) => new.insert(Original {
                    account: self.parent.basic_account(address)?,
                    slots: U256Map::default(),
                }),
            };
            for slot in change.storage.keys() {
                if original.slots.contains_key(slot) {
                    continue;
                }
                let value = match original.account {
                    Some(_) => self.parent.storage(*address, B256::from(*slot))?,
                    None => None,
                };
                original.slots.insert(*slot, value.unwrap_or_default());
            }
        }
        Ok(())
    }

    fn roots(&mut self) -> Result<Roots, ProviderError> {
        let fresh = core::mem::take(&mut self.fresh);
        let prefix_sets = fresh.construct_prefix_sets();
        Arc::make_mut(&mut self.hashed).extend(fresh);
        let nodes = TrieUpdates::clone(&self.nodes);
        let input = TrieInput::new(nodes, HashedPostState::clone(&self.hashed), prefix_sets);
        let (state, changed) = self.parent.state_root_from_nodes_with_updates(input)?;
        Arc::make_mut(&mut self.nodes).extend(changed);
        let message_passer = match self.passer_root {
            Some(root) => root,
            None => self.message_passer_root()?,
        };
        self.passer_root = Some(message_passer);
        Ok(Roots {
            state,
            message_passer,
        })
    }

    fn message_passer_root(&self) -> Result<B256, ProviderError> {
        let written = self
            .hashed
            .storages
            .get(&keccak256(L2_TO_L1_MESSAGE_PASSER));
        let written = written.cloned().unwrap_or_default();
        self.parent.storage_root(L2_TO_L1_MESSAGE_PASSER, written)
    }
}

impl RootState for BlockTrie {
    type Delta = TrieArtifact;

    fn apply(&mut self, changes: &Changes) -> Result<(), String> {
        self.note_originals(changes)
            .map_err(|error| error.to_string())?;
        for (address, change) in &changes.accounts {
            if *address == L2_TO_L1_MESSAGE_PASSER && !change.storage.is_empty() {
                self.passer_root = None;
            }
            let key = keccak256(address);
            let account = change.post.as_ref().map(account);
            self.fresh.accounts.insert(key, account);
            if change.storage_wiped || !change.storage.is_empty() {
                let storage = hashed_storage(change.storage_wiped, &change.storage);
                self.fresh.storages.entry(key).or_default().extend(&storage);
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(Roots, TrieArtifact), String> {
        let roots = self.roots().map_err(|error| error.to_string())?;
        let artifact = TrieArtifact {
            hashed: Arc::clone(&self.hashed),
            nodes: Arc::clone(&self.nodes),
            originals: Arc::clone(&self.originals),
        };
        Ok((roots, artifact))
    }
}

/// As reth stores it.
pub(crate) fn account(post: &AccountPost) -> Account {
    Account {
        nonce: post.nonce,
        balance: post.balance,
        bytecode_hash: (post.code_hash != KECCAK256_EMPTY).then_some(post.code_hash),
    }
}

fn hashed_storage(wiped: bool, slots: &U256Map<U256>) -> HashedStorage {
    let hashed = slots
        .iter()
        .map(|(slot, value)| (keccak256(B256::from(*slot)), *value));
    HashedStorage::from_iter(wiped, hashed)
}
