//! Reading preconfirmed state.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use blockwright_state::{ReadError, StateReader, StateTrie, TrieError};
use blockwright_types::AccountPost;
use revm_database_interface::DatabaseRef;
use revm_database_interface::state::{AccountInfo, Bytecode};

use crate::layer::Layer;

/// The state after a stored block, or after a flashblock on top of one: an immutable snapshot that
/// takes no lock, may be cloned and read on any thread, and outlives the block.
#[derive(Clone, Debug)]
pub struct StateView {
    base: StateReader,
    /// Newest first.
    layers: Arc<[Arc<Layer>]>,
    /// Numbers and hashes of blocks above `base`'s, as the blocks on them name them.
    ancestors: Arc<[(u64, B256)]>,
}

impl From<StateReader> for StateView {
    fn from(base: StateReader) -> Self {
        Self {
            base,
            layers: Arc::default(),
            ancestors: Arc::default(),
        }
    }
}

impl StateView {
    /// This state under one flashblock more.
    pub(crate) fn under(&self, layer: Layer) -> Self {
        let newest = std::iter::once(Arc::new(layer));
        Self {
            layers: newest.chain(self.layers.iter().cloned()).collect(),
            ..self.clone()
        }
    }

    /// This state for the children of a block that is not stored.
    pub(crate) fn below_child(&self, number: u64, hash: B256) -> Self {
        let block = std::iter::once((number, hash));
        Self {
            ancestors: block.chain(self.ancestors.iter().copied()).collect(),
            ..self.clone()
        }
    }

    /// The last `count` flashblocks, newest first.
    pub(crate) fn newest(&self, count: usize) -> &[Arc<Layer>] {
        &self.layers[..count.min(self.layers.len())]
    }

    /// Number of the stored block that the flashblocks stand on.
    pub fn base_number(&self) -> u64 {
        self.base.number()
    }

    /// Hash of that block.
    pub fn base_hash(&self) -> B256 {
        self.base.hash()
    }

    /// An account; `None` where it does not exist.
    pub fn account(&self, address: &Address) -> Option<AccountPost> {
        let change = self.layers.iter().find_map(|layer| layer.account(address));
        match change {
            Some(change) => change.post,
            None => self.base.account(address),
        }
    }

    /// A storage slot; zero where there is none.
    pub fn storage(&self, address: &Address, slot: &U256) -> U256 {
        let changes = self
            .layers
            .iter()
            .filter_map(|layer| layer.account(address));
        for change in changes {
            if let Some(value) = change.storage.get(slot) {
                return *value;
            }
            if change.storage_wiped || change.post.is_none() {
                return U256::ZERO;
            }
        }
        self.base.storage(address, slot)
    }

    /// The state as a trie of the caller's own: what it lays over it concerns nobody else. Costs what
    /// the flashblocks changed.
    ///
    /// # Errors
    /// None where the state is a store's.
    pub fn trie(&self) -> Result<StateTrie, TrieError> {
        let mut trie = self.base.trie();
        for layer in self.layers.iter().rev() {
            trie.apply(layer.changes())?;
        }
        Ok(trie)
    }

    /// Code by its hash, empty for `KECCAK_EMPTY`; `None` for code that was never deployed.
    pub fn code(&self, hash: &B256) -> Option<Bytes> {
        match self.new_code(hash) {
            Some(code) => Some(code.original_bytes()),
            None => self.base.code(hash),
        }
    }

    fn new_code(&self, hash: &B256) -> Option<&Bytecode> {
        if *hash == KECCAK256_EMPTY {
            return None;
        }
        self.layers.iter().find_map(|layer| layer.code(hash))
    }
}

impl DatabaseRef for StateView {
    type Error = ReadError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let change = self.layers.iter().find_map(|layer| layer.account(&address));
        let Some(change) = change else {
            return self.base.basic_ref(address);
        };
        Ok(change.post.map(|post| AccountInfo {
            balance: post.balance,
            nonce: post.nonce,
            code_hash: post.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        match self.new_code(&code_hash) {
            Some(code) => Ok(code.clone()),
            None => self.base.code_by_hash_ref(code_hash),
        }
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Self::Error> {
        Ok(self.storage(&address, &index))
    }

    /// Hashes of the ancestors of the block that this state belongs to, and of a stored block itself;
    /// zero for any other number.
    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        let above = self.ancestors.iter().find(|block| block.0 == number);
        match above {
            Some((_, hash)) => Ok(*hash),
            None => self.base.block_hash_ref(number),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
