//! The account trie with its storage tries under keccak256 keys.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use blockwright_types::{AccountPost, Changes, L2_TO_L1_MESSAGE_PASSER, Roots};
use nybbles::Nibbles;

use crate::trie::{AccountLeaf, Change, NoNodes, NodeSource, Trie, TrieError};
use blockwright_keccak::keccak256_all;

/// One version of the world state as a Merkle-Patricia trie. Clones share all nodes.
///
/// A trie begun by [`blinded`](Self::blinded) takes the nodes it needs from its source; one begun
/// empty is wholly in memory. After an error from [`apply`](Self::apply) it must be discarded.
#[derive(Clone)]
pub struct StateTrie {
    accounts: Trie<AccountLeaf>,
    source: Arc<dyn NodeSource>,
}

impl fmt::Debug for StateTrie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateTrie").finish_non_exhaustive()
    }
}

impl Default for StateTrie {
    fn default() -> Self {
        Self {
            accounts: Trie::default(),
            source: Arc::new(NoNodes),
        }
    }
}

impl StateTrie {
    /// The trie with this root, whose nodes are read from `source` when they are needed.
    pub fn blinded(root: B256, source: Arc<dyn NodeSource>) -> Self {
        Self {
            accounts: Trie::blinded(root),
            source,
        }
    }

    /// Lays post-values over the trie. Costs only the paths that change; hashes keys and nothing
    /// else.
    pub fn apply(&mut self, changes: &Changes) -> Result<(), TrieError> {
        let addresses: Vec<Address> = changes.accounts.keys().copied().collect();
        let changes = keccak256_all(&addresses)
            .into_iter()
            .zip(changes.accounts.values())
            .map(|(key, change)| Change::hashed(&key, change))
            .collect();
        self.accounts.apply(changes, &*self.source)
    }

    /// The state root and the message passer's storage root. Encodes only what changed since the
    /// last call, on several threads where that is much.
    pub fn roots(&mut self) -> Result<Roots, TrieError> {
        Ok(Roots {
            state: self.accounts.root(),
            message_passer: self.storage_root(L2_TO_L1_MESSAGE_PASSER)?,
        })
    }

    /// The state root alone; does without the message passer's nodes, which a witness of a block
    /// before Isthmus need not hold.
    pub fn state_root(&mut self) -> B256 {
        self.accounts.root()
    }

    /// The account at `address`.
    pub fn account(&self, address: Address) -> Result<Option<AccountPost>, TrieError> {
        self.read(address, AccountLeaf::post)
    }

    /// The value of a storage slot; zero where there is none.
    pub fn storage(&self, address: Address, slot: U256) -> Result<U256, TrieError> {
        let value = self.read(address, |leaf| match leaf.storage() {
            Some(storage) => {
                let key = Nibbles::unpack(keccak256(B256::from(slot)));
                storage.read(&key, &*self.source, |value| *value)
            }
            None => Ok(None),
        })?;
        Ok(value.transpose()?.flatten().unwrap_or_default())
    }

    /// The storage root of an account as of the last [`roots`](Self::roots); the empty root where
    /// there is no account.
    pub fn storage_root(&self, address: Address) -> Result<B256, TrieError> {
        let root = self.read(address, AccountLeaf::storage_root)?;
        Ok(root.unwrap_or(EMPTY_ROOT_HASH))
    }

    fn read<T>(
        &self,
        address: Address,
        read: impl FnOnce(&AccountLeaf) -> T,
    ) -> Result<Option<T>, TrieError> {
        let key = Nibbles::unpack(keccak256(address));
        self.accounts.read(&key, &*self.source, read)
    }
}
