//! A reader over a trie of which only some nodes are known.

use std::sync::Arc;

use alloy_primitives::map::{B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256};
use blockwright_state::{StateTrie, TrieError};
use blockwright_types::Roots;
use revm::database_interface::{DBErrorMarker, DatabaseRef};
use revm::state::{AccountInfo, Bytecode};

/// Accounts and slots from the trie itself, so that a wrong node cannot go unnoticed.
pub(crate) struct TrieReader {
    pub(crate) trie: StateTrie,
    pub(crate) preimages: Arc<B256Map<Bytes>>,
    pub(crate) block_hashes: HashMap<u64, B256>,
    /// Accounts that are read without effect and whose nodes are not given.
    pub(crate) unknown: Vec<Address>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Trie(#[from] TrieError),
    #[error("code {0} is not given")]
    Code(B256),
    #[error("hash of block {0} is not given")]
    BlockHash(u64),
}

impl DBErrorMarker for ReadError {}

impl TrieReader {
    pub(crate) fn new(root: B256, preimages: B256Map<Bytes>) -> Self {
        let preimages = Arc::new(preimages);
        Self {
            trie: StateTrie::blinded(root, Arc::clone(&preimages) as _),
            preimages,
            block_hashes: HashMap::default(),
            unknown: Vec::new(),
        }
    }
}

impl DatabaseRef for TrieReader {
    type Error = ReadError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ReadError> {
        if self.unknown.contains(&address) {
            return Ok(None);
        }
        Ok(self.trie.account(address)?.map(|post| AccountInfo {
            balance: post.balance,
            nonce: post.nonce,
            code_hash: post.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, ReadError> {
        let code = self.preimages.get(&hash).ok_or(ReadError::Code(hash))?;
        Ok(Bytecode::new_raw(code.clone()))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        Ok(self.trie.storage(address, slot)?)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ReadError> {
        let hash = self.block_hashes.get(&number);
        hash.copied().ok_or(ReadError::BlockHash(number))
    }
}

/// The roots of a block before Isthmus, whose header has no use for the message passer's: its nodes
/// are not given.
pub(crate) fn roots(trie: &mut StateTrie) -> Roots {
    Roots {
        state: trie.state_root(),
        message_passer: B256::ZERO,
    }
}
