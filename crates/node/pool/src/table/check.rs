//! The table's invariants, checked from scratch.

use std::collections::BTreeSet;

use alloy_primitives::U256;

use super::Table;
use crate::price_index::PriceIndex;

fn places(index: &PriceIndex) -> BTreeSet<(alloy_primitives::Address, u64)> {
    let all: Vec<_> = index.cheapest(0).collect();
    assert_eq!(all.len(), index.len());
    all.iter().map(|(_, at)| (at.sender, at.nonce)).collect()
}

impl Table {
    /// Panics where two of the table's orders disagree.
    pub(crate) fn assert_consistent(&self) {
        let mut executable = BTreeSet::new();
        let mut parked = BTreeSet::new();
        let mut size_bytes = 0;
        for (&address, sender) in &self.senders {
            assert!(!sender.txs.is_empty(), "empty senders are forgotten");
            let slot = self.list[sender.position];
            assert_eq!((slot.sender, slot.nonce), (address, sender.facts.nonce));
            assert_eq!(sender.executable_end, sender.first_gap(sender.facts.nonce));
            let dearest = sender.txs.iter().map(|at| at.cost).max();
            assert!(sender.cost_bound >= dearest.unwrap_or(U256::ZERO));
            for pooled in sender.txs.iter() {
                let nonce = pooled.nonce;
                assert!(nonce >= sender.facts.nonce);
                assert_eq!(self.by_hash.get(&pooled.tx.hash), Some(&pooled.place()));
                assert_eq!((pooled.tx.sender, pooled.tx.nonce()), (address, nonce));
                size_bytes += pooled.tx.size_bytes();
                let class = if nonce < sender.executable_end {
                    &mut executable
                } else {
                    &mut parked
                };
                class.insert((address, nonce));
            }
        }
        assert_eq!(self.list.len(), self.senders.len());
        assert_eq!(self.by_hash.len(), executable.len() + parked.len());
        assert_eq!(self.size_bytes, size_bytes);
        assert_eq!(places(&self.executable), executable);
        assert_eq!(places(&self.parked), parked);
    }
}
