//! What the leaves of the account trie and of the storage tries hold.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::{KECCAK_EMPTY, TrieAccount};
use blockwright_types::AccountPost;

use super::Trie;

/// The value of a leaf.
pub(crate) trait Leaf: Clone + Default + Send + Sync {
    /// Brings nested roots up to date; called before [`encode`](Self::encode).
    fn settle(&mut self) {}

    /// Whether [`settle`](Self::settle) has something to do.
    fn is_settled(&self) -> bool {
        true
    }

    /// Appends the leaf's value (the RLP inside the leaf's string).
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads what [`encode`](Self::encode) wrote.
    fn decode(value: &[u8]) -> alloy_rlp::Result<Self>;
}

/// A storage slot's value.
impl Leaf for U256 {
    fn encode(&self, out: &mut Vec<u8>) {
        Encodable::encode(self, out);
    }

    fn decode(mut value: &[u8]) -> alloy_rlp::Result<Self> {
        exact(<Self as Decodable>::decode(&mut value)?, value)
    }
}

/// An account with its storage trie; no pointer is spent on empty storage beyond one word.
#[derive(Clone, Debug)]
pub(crate) struct AccountLeaf {
    pub(crate) post: AccountPost,
    pub(crate) storage: Option<Arc<Trie<U256>>>,
}

impl Default for AccountLeaf {
    fn default() -> Self {
        Self {
            post: AccountPost {
                balance: U256::ZERO,
                nonce: 0,
                code_hash: KECCAK_EMPTY,
            },
            storage: None,
        }
    }
}

impl AccountLeaf {
    /// The storage root; the storage must be settled.
    pub(crate) fn storage_root(&self) -> B256 {
        self.storage
            .as_ref()
            .map_or(alloy_trie::EMPTY_ROOT_HASH, |storage| {
                storage.settled_root()
            })
    }
}

impl Leaf for AccountLeaf {
    fn settle(&mut self) {
        if let Some(storage) = &mut self.storage {
            Arc::make_mut(storage).root();
        }
    }

    fn is_settled(&self) -> bool {
        self.storage
            .as_ref()
            .is_none_or(|storage| storage.is_settled())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        TrieAccount::new(
            self.post.nonce,
            self.post.balance,
            self.storage_root(),
            self.post.code_hash,
        )
        .encode(out);
    }

    fn decode(mut value: &[u8]) -> alloy_rlp::Result<Self> {
        let account = exact(TrieAccount::decode(&mut value)?, value)?;
        Ok(Self {
            post: AccountPost {
                balance: account.balance,
                nonce: account.nonce,
                code_hash: account.code_hash,
            },
            storage: (account.storage_root != alloy_trie::EMPTY_ROOT_HASH)
                .then(|| Arc::new(Trie::blinded(account.storage_root))),
        })
    }
}

fn exact<T>(value: T, rest: &[u8]) -> alloy_rlp::Result<T> {
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(alloy_rlp::Error::UnexpectedLength)
    }
}
