//! Committed state of the block under construction, as a thin layer over the parent's state.

use std::sync::Arc;

use alloy_primitives::map::{AddressMap, B256Map, Entry, HashMap, U256Map};
use alloy_primitives::{Address, B256, U256};
use blockwright_types::{AccountChange, AccountPost, Changes, L1_BLOCK, NewCode};
use revm::database_interface::{Database, DatabaseRef};
use revm::state::{Account, AccountInfo, Bytecode, EvmState};

/// A slot as the block sees it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    value: U256,
    /// Written since the last [`Layer::take_changes`].
    dirty: bool,
}

/// An account as the block sees it.
#[derive(Debug, Default)]
struct Cached {
    info: Option<AccountInfo>,
    storage: U256Map<Slot>,
    /// A slot that is not in `storage` is zero: the account did not exist or lost its storage.
    storage_complete: bool,
    /// Listed in [`Layer::dirty`].
    dirty: bool,
    /// Lost its storage since the last [`Layer::take_changes`].
    wiped: bool,
    /// Slots with `dirty` set.
    dirty_slots: Vec<U256>,
}

/// Read-through cache over a reader, plus what the block's committed transactions wrote.
///
/// It keeps post-values only: no reverts, no transitions, no pre-values. That bookkeeping is most of
/// what revm's own `State` costs, and nobody here reads it.
#[derive(Debug)]
pub(crate) struct Layer<R> {
    reader: R,
    accounts: AddressMap<Cached>,
    code: B256Map<Bytecode>,
    block_hashes: HashMap<u64, B256>,
    /// Accounts changed since the last [`Layer::take_changes`], in the order of their first change.
    dirty: Vec<Address>,
    new_code: NewCode,
}

/// Accounts a block is expected to touch; saves moving them about while the map grows.
const BLOCK_ACCOUNTS_EXPECTED: usize = 2_048;

impl<R: DatabaseRef> Layer<R> {
    /// A layer with room for a whole block.
    pub(crate) fn for_block(reader: R) -> Self {
        let mut layer = Self::new(reader);
        layer.accounts.reserve(BLOCK_ACCOUNTS_EXPECTED);
        layer
    }

    /// A layer for a few accounts.
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            accounts: AddressMap::default(),
            code: B256Map::default(),
            block_hashes: HashMap::default(),
            dirty: Vec::new(),
            new_code: NewCode::default(),
        }
    }

    fn cached(&mut self, address: Address) -> Result<&mut Cached, R::Error> {
        match self.accounts.entry(address) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let info = self.reader.basic_ref(address)?;
                let storage_complete = info.is_none();
                Ok(entry.insert(Cached {
                    info,
                    storage_complete,
                    ..Cached::default()
                }))
            }
        }
    }

    /// Makes the outcome of a transaction part of the state. Returns whether the L1 attributes
    /// changed.
    ///
    /// Every account in `state` was loaded through this layer, so its cached entry holds the values
    /// before the transaction.
    pub(crate) fn commit(&mut self, state: EvmState) -> bool {
        let mut l1_attributes_changed = false;
        for (address, account) in state {
            if account.is_touched() && self.commit_account(address, account) {
                l1_attributes_changed |= address == L1_BLOCK;
            }
        }
        l1_attributes_changed
    }

    /// Whether the account's storage changed.
    fn commit_account(&mut self, address: Address, account: Account) -> bool {
        let cached = self.accounts.entry(address).or_default();
        if account.is_selfdestructed() || account.is_empty() {
            if cached.info.take().is_some() {
                cached.forget_storage();
                mark(&mut self.dirty, cached, address);
            }
            return false;
        }
        let created = account.is_created();
        let Account {
            mut info, storage, ..
        } = account;
        if created && cached.info.is_some() {
            // Only an account that already existed can have storage to lose.
            cached.forget_storage();
        }
        cached.storage_complete |= created;
        let mut changed = cached.wiped;
        match &cached.info {
            Some(before) if *before == info => {}
            before => {
                changed = true;
                let known = before.as_ref().filter(|b| b.code_hash == info.code_hash);
                if let Some(before) = known {
                    if info.code.is_none() {
                        info.code.clone_from(&before.code);
                    }
                } else if let Some(code) = info.code.as_ref().filter(|code| !code.is_empty()) {
                    self.code.insert(info.code_hash, code.clone());
                    self.new_code.insert(info.code_hash, code.original_bytes());
                }
                cached.info = Some(info);
            }
        }
        let mut storage_changed = false;
        for (key, slot) in storage {
            if slot.is_changed() {
                cached.write_slot(key, slot.present_value);
                storage_changed = true;
            }
        }
        if changed || storage_changed {
            mark(&mut self.dirty, cached, address);
        }
        storage_changed
    }

    /// Sets an account's fields outside of any transaction (forced deployments, call overrides).
    pub(crate) fn set_account(
        &mut self,
        address: Address,
        info: AccountInfo,
    ) -> Result<(), R::Error> {
        self.cached(address)?;
        let mut account = Account::from(info);
        account.mark_touch();
        self.commit_account(address, account);
        Ok(())
    }

    /// Sets one slot outside of any transaction.
    pub(crate) fn set_storage(
        &mut self,
        address: Address,
        key: U256,
        value: U256,
    ) -> Result<(), R::Error> {
        let cached = self.cached(address)?;
        cached.write_slot(key, value);
        Ok(())
    }

    /// Removes all storage of an account outside of any transaction.
    pub(crate) fn clear_storage(&mut self, address: Address) -> Result<(), R::Error> {
        self.cached(address)?.forget_storage();
        Ok(())
    }

    /// Post-values of all that was committed since the last call; `None` where nothing was.
    pub(crate) fn take_changes(&mut self) -> Option<Arc<Changes>> {
        if !self.has_changes() {
            return None;
        }
        let mut changes = Changes {
            code: core::mem::take(&mut self.new_code),
            ..Changes::default()
        };
        changes.accounts.reserve(self.dirty.len());
        for address in self.dirty.drain(..) {
            if let Some(cached) = self.accounts.get_mut(&address) {
                changes.accounts.insert(address, cached.take_change());
            }
        }
        Some(Arc::new(changes))
    }

    /// Whether anything was committed since the last [`Self::take_changes`].
    pub(crate) fn has_changes(&self) -> bool {
        !self.dirty.is_empty() || !self.new_code.is_empty()
    }
}

fn mark(dirty: &mut Vec<Address>, cached: &mut Cached, address: Address) {
    if !cached.dirty {
        cached.dirty = true;
        dirty.push(address);
    }
}

impl Cached {
    fn forget_storage(&mut self) {
        self.storage.clear();
        self.dirty_slots.clear();
        self.storage_complete = true;
        self.wiped = true;
    }

    fn write_slot(&mut self, key: U256, value: U256) {
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

    fn take_change(&mut self) -> AccountChange {
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

impl<R: DatabaseRef> Database for Layer<R> {
    type Error = R::Error;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, R::Error> {
        Ok(self.cached(address)?.info.clone())
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, R::Error> {
        match self.code.entry(code_hash) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => {
                let code = self.reader.code_by_hash_ref(code_hash)?;
                Ok(entry.insert(code).clone())
            }
        }
    }

    fn storage(&mut self, address: Address, index: U256) -> Result<U256, R::Error> {
        let known = {
            let cached = self.cached(address)?;
            match cached.storage.get(&index) {
                Some(slot) => Some(slot.value),
                None if cached.storage_complete => Some(U256::ZERO),
                None => None,
            }
        };
        if let Some(value) = known {
            return Ok(value);
        }
        let value = self.reader.storage_ref(address, index)?;
        let slot = Slot {
            value,
            dirty: false,
        };
        self.cached(address)?.storage.insert(index, slot);
        Ok(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, R::Error> {
        match self.block_hashes.entry(number) {
            Entry::Occupied(entry) => Ok(*entry.get()),
            Entry::Vacant(entry) => Ok(*entry.insert(self.reader.block_hash_ref(number)?)),
        }
    }
}
