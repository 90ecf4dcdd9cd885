//! An account of the block under construction.

use alloy_primitives::U256;
use alloy_primitives::map::{Entry, U256Map};
use blockwright_types::{AccountChange, AccountPost};
use revm::state::AccountInfo;

/// A slot as the block sees it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    value: U256,
    /// Written since the last [`Cached::take_change`].
    dirty: bool,
}

/// An account as the block sees it.
#[derive(Debug, Default)]
pub(crate) struct Cached {
    pub(crate) info: Option<AccountInfo>,
    storage: U256Map<Slot>,
    /// A slot that is not in `storage` is zero: the account did not exist or lost its storage.
    storage_complete: bool,
    /// Listed as changed since the last [`Cached::take_change`].
    pub(crate) dirty: bool,
    /// Lost its storage since the last [`Cached::take_change`].
    wiped: bool,
    /// Slots with `dirty` set.
    dirty_slots: Vec<U256>,
}

impl Cached {
    /// An account as the parent's state has it.
    pub(crate) fn loaded(info: Option<AccountInfo>) -> Self {
        Self {
            storage_complete: info.is_none(),
            info,
            ..Self::default()
        }
    }

    /// Whether it lost its storage since the last [`Self::take_change`].
    pub(crate) const fn is_wiped(&self) -> bool {
        self.wiped
    }

    /// The account begins anew: it has no storage but what is written from here on.
    pub(crate) fn create(&mut self) {
        if self.info.is_some() {
            // Only an account that already existed can have storage to lose.
            self.forget_storage();
        }
        self.storage_complete = true;
    }

    pub(crate) fn forget_storage(&mut self) {
        self.storage.clear();
        self.dirty_slots.clear();
        self.storage_complete = true;
        self.wiped = true;
    }

    /// Pays `amount` wei to the account, as revm does: a sum that overflows is not paid, and an
    /// account that is empty all the same is removed (EIP-161). Returns whether anything changed.
    pub(crate) fn credit(&mut self, amount: U256) -> bool {
        let Some(info) = &mut self.info else {
            if !amount.is_zero() {
                self.info = Some(AccountInfo::from_balance(amount));
            }
            return !amount.is_zero();
        };
        let before = info.balance;
        info.balance = before.checked_add(amount).unwrap_or(before);
        if info.is_empty() {
            self.info = None;
            self.forget_storage();
            return true;
        }
        info.balance != before
    }

    /// The slot's value, where it is known without reading the parent's state.
    pub(crate) fn slot(&self, key: &U256) -> Option<U256> {
        match self.storage.get(key) {
            Some(slot) => Some(slot.value),
            None if self.storage_complete => Some(U256::ZERO),
            None => None,
        }
    }

    /// Notes what the parent's state says about a slot.
    pub(crate) fn loaded_slot(&mut self, key: U256, value: U256) {
        let slot = Slot {
            value,
            dirty: false,
        };
        self.storage.insert(key, slot);
    }

    pub(crate) fn write_slot(&mut self, key: U256, value: U256) {
        match self.storage.entry(key) {
            Entry::Occupied(mut entry) => {
                let slot = entry.get_mut();
                slot.value = value;
                if !slot.dirty {
                    slot.dirty = true;
                    self.dirty_slots.push(key);
                }
            }
            Entry::Vacant(entry) => {
                entry.insert(Slot { value, dirty: true });
                self.dirty_slots.push(key);
            }
        }
    }

    /// Post-values of all that changed since the last call.
    pub(crate) fn take_change(&mut self) -> AccountChange {
        let post = self.info.as_ref().map(|info| AccountPost {
            balance: info.balance,
            nonce: info.nonce,
            code_hash: info.code_hash,
        });
        let storage_wiped = core::mem::take(&mut self.wiped);
        let mut storage = U256Map::default();
        storage.reserve(self.dirty_slots.len());
        for key in self.dirty_slots.drain(..) {
            if let Some(slot) = self.storage.get_mut(&key) {
                slot.dirty = false;
                // A wiped account lists what remains, and a zero slot does not remain.
                if !(storage_wiped && slot.value.is_zero()) {
                    storage.insert(key, slot.value);
                }
            }
        }
        self.dirty = false;
        AccountChange {
            post,
            storage_wiped,
            storage,
        }
    }
}
