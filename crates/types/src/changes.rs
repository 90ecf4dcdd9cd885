//! Absolute post-values of accounts and storage.

use alloy_primitives::map::{AddressMap, B256Map, U256Map};
use alloy_primitives::{Address, B256, Bytes, U256};

/// An account's fields after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountPost {
    /// Balance in wei.
    pub balance: U256,
    /// Nonce.
    pub nonce: u64,
    /// keccak256 of the code; `KECCAK_EMPTY` where there is none.
    pub code_hash: B256,
}

/// What became of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// The account after the change; `None` where it no longer exists (EIP-161 or self-destruct).
    pub post: Option<AccountPost>,
    /// All storage the account had *before this change set* is gone; `storage` then lists the whole
    /// remaining storage. Set for destroyed and re-created accounts.
    pub storage_wiped: bool,
    /// Slots with their values after the change; zero removes the slot.
    pub storage: U256Map<U256>,
}

/// Bytecode deployed by a change set, by its hash.
pub type NewCode = B256Map<Bytes>;

/// A set of absolute post-values. Later sets override earlier ones ([`Changes::extend`]); sets are
/// never differences, so applying one twice is the same as applying it once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Touched accounts.
    pub accounts: AddressMap<AccountChange>,
    /// Code deployed.
    pub code: NewCode,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.code.is_empty()
    }

    /// Lays `later` over `self`.
    pub fn extend(&mut self, later: &Self) {
        for (address, change) in &later.accounts {
            self.extend_account(*address, change);
        }
        self.code
            .extend(later.code.iter().map(|(hash, code)| (*hash, code.clone())));
    }

    fn extend_account(&mut self, address: Address, later: &AccountChange) {
        match self.accounts.entry(address) {
            alloy_primitives::map::Entry::Vacant(entry) => {
                entry.insert(later.clone());
            }
            alloy_primitives::map::Entry::Occupied(mut entry) => {
                let earlier = entry.get_mut();
                earlier.post = later.post;
                if later.storage_wiped {
                    earlier.storage_wiped = true;
                    earlier.storage.clone_from(&later.storage);
                } else {
                    earlier
                        .storage
                        .extend(later.storage.iter().map(|(slot, value)| (*slot, *value)));
                }
            }
        }
    }
}
