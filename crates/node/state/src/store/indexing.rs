//! Keeping the index of transactions up to date, beside the fork choices that change it.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_types::SealedBlock;
use parking_lot::Mutex;

use super::index::{TxIndex, TxPlace};

/// Changes that may wait before a fork choice carries them out itself.
const PENDING_MAX: usize = 64;

/// The index, and what it does not contain yet. Whoever asks brings it up to date first, so nobody
/// sees less than the fork choices that were answered.
#[derive(Debug)]
pub(super) struct Indexing {
    index: Mutex<TxIndex>,
    pending: Mutex<Vec<Change>>,
    transactions_max: usize,
}

/// A block that joined the canonical chain or left it.
#[derive(Debug)]
pub(super) enum Change {
    Joined(Arc<SealedBlock>),
    Left(Arc<SealedBlock>),
}

impl Indexing {
    pub(super) fn new(index: TxIndex, transactions_max: usize) -> Self {
        Self {
            index: Mutex::new(index),
            pending: Mutex::default(),
            transactions_max,
        }
    }

    /// Notes changes, in the order in which they took effect.
    pub(super) fn note(&self, changes: impl Iterator<Item = Change>) {
        let waiting = {
            let mut pending = self.pending.lock();
            pending.extend(changes);
            pending.len()
        };
        if waiting > PENDING_MAX {
            self.catch_up();
        }
    }

    /// Carries out what was noted.
    pub(super) fn catch_up(&self) {
        self.carry_out(&mut self.index.lock());
    }

    pub(super) fn get(&self, hash: &B256) -> Option<TxPlace> {
        let mut index = self.index.lock();
        self.carry_out(&mut index);
        index.get(hash)
    }

    /// The index is locked before the changes are taken, so that they are carried out in order.
    fn carry_out(&self, index: &mut TxIndex) {
        let changes = std::mem::take(&mut *self.pending.lock());
        for change in changes {
            match change {
                Change::Joined(block) => {
                    let number = block.header.number;
                    let hashes = block.transactions().map(|tx| tx.hash);
                    index.insert_block(number, hashes, self.transactions_max);
                }
                Change::Left(block) => {
                    for tx in block.transactions() {
                        index.remove(&tx.hash, block.header.number);
                    }
                }
            }
        }
    }
}
