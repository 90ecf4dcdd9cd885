//! What the leaves of the account trie and of the storage tries hold.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::{EMPTY_ROOT_HASH, KECCAK_EMPTY, TrieAccount};
use blockwright_types::{AccountChange, AccountPost};

use super::change::{Change, Edit};
use super::{NodeSource, Trie, TrieError};
use blockwright_keccak::keccak256_all;

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

/// A slot's new value; zero removes it.
impl Edit<U256> for U256 {
    fn removes(&self) -> bool {
        self.is_zero()
    }

    fn edit(&self, leaf: &mut U256, _source: &dyn NodeSource) -> Result<(), TrieError> {
        *leaf = *self;
        Ok(())
    }
}

/// An account. Most have neither code nor storage and spend one word on both.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountLeaf {
    balance: U256,
    nonce: u64,
    contract: Option<Arc<Contract>>,
}

/// What accounts with code or storage have besides.
#[derive(Clone, Debug)]
struct Contract {
    code_hash: B256,
    storage: Trie<U256>,
}

const WITHOUT_CODE: Contract = Contract {
    code_hash: KECCAK_EMPTY,
    storage: Trie::EMPTY,
};

impl AccountLeaf {
    pub(crate) fn post(&self) -> AccountPost {
        AccountPost {
            balance: self.balance,
            nonce: self.nonce,
            code_hash: self
                .contract
                .as_ref()
                .map_or(KECCAK_EMPTY, |contract| contract.code_hash),
        }
    }

    pub(crate) fn storage(&self) -> Option<&Trie<U256>> {
        self.contract.as_ref().map(|contract| &contract.storage)
    }

    /// The storage root; the storage must be settled.
    pub(crate) fn storage_root(&self) -> B256 {
        self.storage().map_or(EMPTY_ROOT_HASH, Trie::settled_root)
    }

    fn edit_contract(
        &mut self,
        post: &AccountPost,
        change: &AccountChange,
        source: &dyn NodeSource,
    ) -> Result<(), TrieError> {
        let contract = self.contract.get_or_insert_with(|| Arc::new(WITHOUT_CODE));
        let contract = Arc::make_mut(contract);
        contract.code_hash = post.code_hash;
        if change.storage_wiped {
            contract.storage = Trie::EMPTY;
        }
        if !change.storage.is_empty() {
            contract.storage.apply(slots(change), source)?;
        }
        Ok(())
    }
}

/// The changed slots under their hashed keys.
fn slots(change: &AccountChange) -> Vec<Change<U256>> {
    let keys: Vec<[u8; 32]> = change
        .storage
        .keys()
        .map(|slot| slot.to_be_bytes())
        .collect();
    keccak256_all(&keys)
        .into_iter()
        .zip(change.storage.values())
        .map(|(key, value)| Change::hashed(&key, *value))
        .collect()
}

/// An account's post-values.
impl Edit<AccountLeaf> for &AccountChange {
    fn removes(&self) -> bool {
        self.post.is_none()
    }

    fn edit(&self, leaf: &mut AccountLeaf, source: &dyn NodeSource) -> Result<(), TrieError> {
        let Some(post) = &self.post else {
            return Ok(());
        };
        leaf.balance = post.balance;
        leaf.nonce = post.nonce;
        let changes_contract = match &leaf.contract {
            Some(contract) => self.storage_wiped || contract.code_hash != post.code_hash,
            None => post.code_hash != KECCAK_EMPTY,
        };
        if changes_contract || !self.storage.is_empty() {
            leaf.edit_contract(post, self, source)?;
        }
        let is_plain =
            |contract: &Contract| contract.code_hash == KECCAK_EMPTY && contract.storage.is_empty();
        leaf.contract.take_if(|contract| is_plain(contract));
        Ok(())
    }
}

impl Leaf for AccountLeaf {
    fn settle(&mut self) {
        if let Some(contract) = &mut self.contract {
            Arc::make_mut(contract).storage.root();
        }
    }

    fn is_settled(&self) -> bool {
        self.storage().is_none_or(Trie::is_settled)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let post = self.post();
        let storage_root = self.storage_root();
        TrieAccount::new(post.nonce, post.balance, storage_root, post.code_hash).encode(out);
    }

    fn decode(mut value: &[u8]) -> alloy_rlp::Result<Self> {
        let account = exact(TrieAccount::decode(&mut value)?, value)?;
        let is_plain = account.code_hash == KECCAK_EMPTY && account.storage_root == EMPTY_ROOT_HASH;
        Ok(Self {
            balance: account.balance,
            nonce: account.nonce,
            contract: (!is_plain).then(|| {
                Arc::new(Contract {
                    code_hash: account.code_hash,
                    storage: Trie::blinded(account.storage_root),
                })
            }),
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
