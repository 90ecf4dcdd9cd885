//! A state that cannot be read ends the block; it never looks like a bad transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_primitives::{Address, B256, U256};
use blockwright_exec::{ExecBlock, ExecError, RollupFees, call, execute_block};
use blockwright_seams::{HostError, OpenBlock as _, SimError};
use blockwright_types::OpFork;
use revm::database::InMemoryDB;
use revm::database_interface::{DBErrorMarker, DatabaseRef};
use revm::state::{AccountInfo, Bytecode};

use crate::world::{Call, STORE, context, include_in, state, transfer, user, word, words};

#[derive(Debug, thiserror::Error)]
#[error("disk on fire")]
struct OnFire;

impl DBErrorMarker for OnFire {}

/// Reads until it is told to burn.
#[derive(Clone)]
struct Disk {
    db: Arc<InMemoryDB>,
    burning: Arc<AtomicBool>,
}

impl Disk {
    fn new() -> Self {
        Self {
            db: Arc::new(state()),
            burning: Arc::default(),
        }
    }

    fn set_burning(&self, burning: bool) {
        self.burning.store(burning, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), OnFire> {
        if self.burning.load(Ordering::SeqCst) {
            Err(OnFire)
        } else {
            Ok(())
        }
    }
}

impl DatabaseRef for Disk {
    type Error = OnFire;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, OnFire> {
        self.check()?;
        Ok(self.db.basic_ref(address).unwrap())
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, OnFire> {
        self.check()?;
        Ok(self.db.code_by_hash_ref(hash).unwrap())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, OnFire> {
        self.check()?;
        Ok(self.db.storage_ref(address, slot).unwrap())
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, OnFire> {
        self.check()?;
        Ok(self.db.block_hash_ref(number).unwrap())
    }
}

#[test]
fn a_failed_read_is_a_fault_and_nothing_runs_after_it() {
    let disk = Disk::new();
    let context = context(OpFork::Karst);
    let mut block = ExecBlock::open(context, disk.clone(), &[], Default::default()).unwrap();
    include_in(&mut block, &transfer(user(0), 0, user(1), 5));
    disk.set_burning(true);
    // Fails in the middle of execution: account and code are known, the slot is not.
    let store = Call::new(user(0), 1, STORE, words(&[word(3), word(4)])).tx();
    assert!(matches!(block.simulate(&store), Err(SimError::Fault(_))));
    disk.set_burning(false);
    match block.simulate(&transfer(user(0), 1, user(1), 5)) {
        Err(SimError::Fault(cause)) => assert!(cause.to_string().contains("disk on fire")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_read_is_a_fault_of_opening_importing_calling_and_fees() {
    let disk = Disk::new();
    disk.set_burning(true);
    let context = context(OpFork::Karst);
    assert!(matches!(
        ExecBlock::open(context.clone(), disk.clone(), &[], Default::default()).map(|_| ()),
        Err(HostError::Internal(_))
    ));
    assert!(matches!(
        execute_block(context.clone(), disk.clone(), &[]),
        Err(ExecError::Fault(_))
    ));
    assert!(matches!(
        call(&context, disk.clone(), &Default::default(), 100_000),
        Err(ExecError::Fault(_))
    ));
    assert!(RollupFees::read(&disk, OpFork::Karst).is_err());
}
