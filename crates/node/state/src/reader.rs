//! Reading the state after a block.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_trie::KECCAK_EMPTY;
use blockwright_types::AccountPost;
use revm_database_interface::state::{AccountInfo, Bytecode};
use revm_database_interface::{DBErrorMarker, DatabaseRef};

use crate::ancestors::Ancestors;
use crate::delta::State;
use crate::state_trie::StateTrie;
use crate::trie::TrieError;

/// The state after one block, as it will stay: an immutable snapshot that takes no lock, may be
/// cloned and read on any thread, and outlives the block's place in the store.
#[derive(Clone, Debug)]
pub struct StateReader {
    pub(crate) state: State,
    pub(crate) ancestors: Ancestors,
}

/// A read that a consistent state cannot produce.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// An account names code that the state does not hold.
    #[error("code {0} is not in the state")]
    MissingCode(B256),
    /// A trie node is missing or malformed; tries of a store are wholly in memory and have none
    /// such.
    #[error(transparent)]
    Trie(#[from] TrieError),
}

impl DBErrorMarker for ReadError {}

/// Why reads cannot fail: no blinded trie gets into a store.
const IN_MEMORY: &str = "the store's tries are wholly in memory";

impl StateReader {
    /// Number of the block after which this is the state.
    pub fn number(&self) -> u64 {
        self.ancestors.number()
    }

    /// Hash of that block.
    pub fn hash(&self) -> B256 {
        self.ancestors.hash()
    }

    /// An account; `None` where it does not exist.
    pub fn account(&self, address: &Address) -> Option<AccountPost> {
        self.state.trie.account(*address).expect(IN_MEMORY)
    }

    /// A storage slot; zero where there is none.
    pub fn storage(&self, address: &Address, slot: &U256) -> U256 {
        self.state.trie.storage(*address, *slot).expect(IN_MEMORY)
    }

    /// The state as a trie of the caller's own: what it lays over it concerns nobody else. Costs a
    /// reference count.
    pub fn trie(&self) -> StateTrie {
        self.state.trie.clone()
    }

    /// Code by its hash, empty for `KECCAK_EMPTY`; `None` for code that was never deployed.
    pub fn code(&self, hash: &B256) -> Option<Bytes> {
        if *hash == KECCAK_EMPTY {
            return Some(Bytes::new());
        }
        self.state.code.get(hash).map(Bytecode::original_bytes)
    }
}

impl DatabaseRef for StateReader {
    type Error = ReadError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        Ok(self.state.trie.account(address)?.map(|post| AccountInfo {
            balance: post.balance,
            nonce: post.nonce,
            code_hash: post.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        if code_hash == KECCAK_EMPTY || code_hash.is_zero() {
            return Ok(Bytecode::default());
        }
        self.state
            .code
            .get(&code_hash)
            .cloned()
            .ok_or(ReadError::MissingCode(code_hash))
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Self::Error> {
        Ok(self.state.trie.storage(address, index)?)
    }

    /// Hashes of this block and its last 255 ancestors; zero for any other number.
    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        Ok(self.ancestors.get(number).unwrap_or_default())
    }
}
