//! Reading the state after a block.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_trie::KECCAK_EMPTY;
use blockwright_types::AccountPost;
use revm_database_interface::state::{AccountInfo, Bytecode};
use revm_database_interface::{DBErrorMarker, DatabaseRef};

use crate::ancestors::Ancestors;
use crate::flat::FlatState;

/// The state after one block, as it will stay: an immutable snapshot that takes no lock, may be
/// cloned and read on any thread, and outlives the block's place in the store.
#[derive(Clone, Debug)]
pub struct StateReader {
    pub(crate) flat: FlatState,
    pub(crate) ancestors: Ancestors,
}

/// A read that a consistent state cannot produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// An account names code that the state does not hold.
    #[error("code {0} is not in the state")]
    MissingCode(B256),
}

impl DBErrorMarker for ReadError {}

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
        self.flat.account(address).copied()
    }

    /// A storage slot; zero where there is none.
    pub fn storage(&self, address: &Address, slot: &U256) -> U256 {
        self.flat.storage(address, slot)
    }

    /// Code by its hash, empty for `KECCAK_EMPTY`; `None` for code that was never deployed.
    pub fn code(&self, hash: &B256) -> Option<Bytes> {
        if *hash == KECCAK_EMPTY {
            return Some(Bytes::new());
        }
        self.flat.code(hash).map(Bytecode::original_bytes)
    }

    /// Number of accounts.
    pub fn account_count(&self) -> usize {
        self.flat.account_count()
    }
}

impl DatabaseRef for StateReader {
    type Error = ReadError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        Ok(self.flat.account(&address).map(|post| AccountInfo {
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
        self.flat
            .code(&code_hash)
            .cloned()
            .ok_or(ReadError::MissingCode(code_hash))
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Self::Error> {
        Ok(self.flat.storage(&address, &index))
    }

    /// Hashes of this block and its last 255 ancestors; zero for any other number.
    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        Ok(self.ancestors.get(number).unwrap_or_default())
    }
}
