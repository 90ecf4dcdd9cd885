//! Flat state: accounts, slots and code by their own keys, in persistent maps.

use std::sync::Arc;

use alloy_primitives::map::FbBuildHasher;
use alloy_primitives::{Address, B256, Bytes, U256};
use blockwright_types::{AccountChange, AccountPost, Changes};
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;
use revm_database_interface::state::Bytecode;

type Map<K, V, const N: usize> = GenericHashMap<K, V, FbBuildHasher<N>, DefaultSharedPtr>;
type Slots = Map<U256, U256, 32>;

/// An account as the EVM reads it. `None` for storage without a slot: most accounts have none.
#[derive(Clone, Debug)]
struct FlatAccount {
    post: AccountPost,
    storage: Option<Arc<Slots>>,
}

/// One version of the flat state; clones share all that is equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlatState {
    accounts: Map<Address, FlatAccount, 20>,
    /// All code ever deployed on this branch; code is never removed.
    code: Map<B256, Bytecode, 32>,
}

impl FlatState {
    pub(crate) fn account(&self, address: &Address) -> Option<&AccountPost> {
        self.accounts.get(address).map(|account| &account.post)
    }

    pub(crate) fn storage(&self, address: &Address, slot: &U256) -> U256 {
        self.accounts
            .get(address)
            .and_then(|account| account.storage.as_ref())
            .and_then(|slots| slots.get(slot))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn code(&self, hash: &B256) -> Option<&Bytecode> {
        self.code.get(hash)
    }

    pub(crate) fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// Lays post-values over the state.
    pub(crate) fn apply(&mut self, changes: &Changes) {
        for (address, change) in &changes.accounts {
            self.apply_account(address, change);
        }
        for (hash, code) in &changes.code {
            if !self.code.contains_key(hash) {
                self.code.insert(*hash, analysed(code));
            }
        }
    }

    fn apply_account(&mut self, address: &Address, change: &AccountChange) {
        let Some(post) = change.post else {
            self.accounts.remove(address);
            return;
        };
        if let Some(account) = self.accounts.get_mut(address) {
            account.post = post;
            apply_storage(&mut account.storage, change);
        } else {
            let mut storage = None;
            apply_storage(&mut storage, change);
            self.accounts
                .insert(*address, FlatAccount { post, storage });
        }
    }
}

fn apply_storage(storage: &mut Option<Arc<Slots>>, change: &AccountChange) {
    if change.storage_wiped {
        *storage = None;
    }
    if change.storage.is_empty() {
        return;
    }
    let slots = Arc::make_mut(storage.get_or_insert_default());
    for (slot, value) in &change.storage {
        if value.is_zero() {
            slots.remove(slot);
        } else {
            slots.insert(*slot, *value);
        }
    }
    if slots.is_empty() {
        *storage = None;
    }
}

/// Bytes that look like an EIP-7702 delegation and are none were legal code before London.
fn analysed(code: &Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code.clone()))
}
