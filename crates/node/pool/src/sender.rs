//! One sender's chain of nonces.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use blockwright_types::SharedTx;

use crate::price_index::Place;
use crate::view::AccountFacts;

/// A transaction in the table.
#[derive(Clone, Debug)]
pub(crate) struct Pooled {
    pub(crate) tx: SharedTx,
    /// Unique in the pool's life; smaller arrived earlier.
    pub(crate) arrival: u64,
    /// All it may cost its sender in wei: gas at the fee cap, value, rollup fees at admission.
    pub(crate) cost: U256,
}

impl Pooled {
    pub(crate) fn place(&self) -> Place {
        Place {
            sender: self.tx.sender,
            nonce: self.tx.nonce(),
        }
    }
}

/// A sender with at least one pooled transaction.
///
/// Every nonce is `>= facts.nonce`; those in `facts.nonce..executable_end` are pooled without a gap
/// and are exactly the executable ones.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) facts: AccountFacts,
    pub(crate) txs: BTreeMap<u64, Pooled>,
    pub(crate) executable_end: u64,
    /// Not less than the cost of any pooled transaction, so that a richer account needs no scan.
    pub(crate) cost_bound: U256,
    /// Position in the table's list of senders.
    pub(crate) position: usize,
}

impl Sender {
    pub(crate) fn new(facts: AccountFacts, position: usize) -> Self {
        Self {
            facts,
            txs: BTreeMap::new(),
            executable_end: facts.nonce,
            cost_bound: U256::ZERO,
            position,
        }
    }

    /// First nonce from `from` on that is not pooled.
    pub(crate) fn first_gap(&self, from: u64) -> u64 {
        let mut end = from;
        for &nonce in self.txs.range(from..).map(|(nonce, _)| nonce) {
            if nonce != end {
                break;
            }
            end += 1;
        }
        end
    }
}
