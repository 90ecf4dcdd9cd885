//! Committed state of the block under construction, as a thin layer over the parent's state.

use std::sync::Arc;

use alloy_primitives::map::{AddressMap, B256Map, Entry, HashMap};
use alloy_primitives::{Address, B256, U256};
use blockwright_types::{Changes, L1_BLOCK, NewCode};
use revm::database_interface::{Database, DatabaseRef};
use revm::state::{Account, AccountInfo, Bytecode, EvmState};

use crate::cached::Cached;
use crate::vaults::{Credits, VAULTS};

/// Position of an account in [`Layer::accounts`]. Accounts stay where they are.
type Place = usize;

/// Read-through cache over a reader, plus what the block's committed transactions wrote.
///
/// It keeps post-values only: no reverts, no transitions, no pre-values. That bookkeeping is most of
/// what revm's own `State` costs, and nobody here reads it.
#[derive(Debug)]
pub(crate) struct Layer<R> {
    reader: R,
    places: AddressMap<Place>,
    accounts: Vec<Cached>,
    code: B256Map<Bytecode>,
    block_hashes: HashMap<u64, B256>,
    /// Accounts changed since the last [`Layer::take_changes`], in the order of their first change.
    dirty: Vec<(Address, Place)>,
    new_code: NewCode,
    /// The accounts that [`Layer::credit`] pays.
    vaults: Option<[(Address, Place); VAULTS]>,
}

/// Accounts a block is expected to touch; saves moving them about while the map grows.
const BLOCK_ACCOUNTS_EXPECTED: usize = 2_048;

impl<R: DatabaseRef> Layer<R> {
    /// A layer with room for a whole block.
    pub(crate) fn for_block(reader: R) -> Self {
        let mut layer = Self::new(reader);
        layer.places.reserve(BLOCK_ACCOUNTS_EXPECTED);
        layer.accounts.reserve(BLOCK_ACCOUNTS_EXPECTED);
        layer
    }

    /// A layer for a few accounts.
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            places: AddressMap::default(),
            accounts: Vec::new(),
            code: B256Map::default(),
            block_hashes: HashMap::default(),
            dirty: Vec::new(),
            new_code: NewCode::default(),
            vaults: None,
        }
    }

    fn place(&mut self, address: Address) -> Result<Place, R::Error> {
        match self.places.entry(address) {
            Entry::Occupied(entry) => Ok(*entry.get()),
            Entry::Vacant(entry) => {
                let info = self.reader.basic_ref(address)?;
                self.accounts.push(Cached::loaded(info));
                Ok(*entry.insert(self.accounts.len() - 1))
            }
        }
    }

    fn cached(&mut self, address: Address) -> Result<&mut Cached, R::Error> {
        let place = self.place(address)?;
        Ok(&mut self.accounts[place])
    }

    /// Loads the accounts that [`Self::credit`] pays; they are the same for the whole block.
    pub(crate) fn load_vaults(&mut self, vaults: [Address; VAULTS]) -> Result<(), R::Error> {
        if self.vaults.is_none() {
            let mut loaded = [(Address::ZERO, 0); VAULTS];
            for (vault, address) in loaded.iter_mut().zip(vaults) {
                *vault = (address, self.place(address)?);
            }
            self.vaults = Some(loaded);
        }
        Ok(())
    }

    /// Pays the fees that a transaction's own state does not show. [`Self::load_vaults`] comes
    /// first.
    pub(crate) fn credit(&mut self, credits: &Credits) {
        for ((address, place), credit) in self.vaults.iter().flatten().zip(credits) {
            let cached = &mut self.accounts[*place];
            if let Some(amount) = credit
                && cached.credit(*amount)
            {
                mark(&mut self.dirty, cached, *address, *place);
            }
        }
    }

    /// Whether a transaction that ended in `state` would read the same values now, and so do the
    /// same again: revm keeps with every account and slot, those of reverted calls included, what it
    /// was when it was loaded.
    ///
    /// Code is read by its hash, and block hashes do not change within a block.
    pub(crate) fn reads_the_same(&self, state: &EvmState) -> bool {
        state.iter().all(|(address, account)| {
            let Some(place) = self.places.get(address) else {
                return false;
            };
            let cached = &self.accounts[*place];
            let same_info = match &cached.info {
                Some(info) => *info == *account.original_info,
                None => account.original_info.is_empty(),
            };
            // A slot that is not known here was not read here: a created account has its own zeros.
            same_info
                && account.storage.iter().all(|(key, slot)| {
                    cached
                        .slot(key)
                        .is_none_or(|value| value == slot.original_value)
                })
        })
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
        let place = *self.places.entry(address).or_insert_with(|| {
            self.accounts.push(Cached::default());
            self.accounts.len() - 1
        });
        let cached = &mut self.accounts[place];
        if account.is_selfdestructed() || account.is_empty() {
            if cached.info.take().is_some() {
                cached.forget_storage();
                mark(&mut self.dirty, cached, address, place);
            }
            return false;
        }
        if account.is_created() {
            cached.create();
        }
        let Account {
            mut info, storage, ..
        } = account;
        let mut changed = cached.is_wiped();
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
            mark(&mut self.dirty, cached, address, place);
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
        let place = self.place(address)?;
        let cached = &mut self.accounts[place];
        cached.write_slot(key, value);
        mark(&mut self.dirty, cached, address, place);
        Ok(())
    }

    /// Removes all storage of an account outside of any transaction.
    pub(crate) fn clear_storage(&mut self, address: Address) -> Result<(), R::Error> {
        let place = self.place(address)?;
        let cached = &mut self.accounts[place];
        cached.forget_storage();
        mark(&mut self.dirty, cached, address, place);
        Ok(())
    }

    /// Says what the hash of block `number` is, whatever the reader knows of it.
    pub(crate) fn set_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert(number, hash);
    }

    /// Ends a block of a simulation: the next one may pay others.
    pub(crate) fn end_block(&mut self) {
        self.vaults = None;
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
        for (address, place) in self.dirty.drain(..) {
            let change = self.accounts[place].take_change();
            changes.accounts.insert(address, change);
        }
        Some(Arc::new(changes))
    }

    /// Whether anything was committed since the last [`Self::take_changes`].
    pub(crate) fn has_changes(&self) -> bool {
        !self.dirty.is_empty() || !self.new_code.is_empty()
    }
}

fn mark(dirty: &mut Vec<(Address, Place)>, cached: &mut Cached, address: Address, place: Place) {
    if !cached.dirty {
        cached.dirty = true;
        dirty.push((address, place));
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
        let place = self.place(address)?;
        let cached = &mut self.accounts[place];
        if let Some(value) = cached.slot(&index) {
            return Ok(value);
        }
        let value = self.reader.storage_ref(address, index)?;
        cached.loaded_slot(index, value);
        Ok(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, R::Error> {
        match self.block_hashes.entry(number) {
            Entry::Occupied(entry) => Ok(*entry.get()),
            Entry::Vacant(entry) => Ok(*entry.insert(self.reader.block_hash_ref(number)?)),
        }
    }
}
