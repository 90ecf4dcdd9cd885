//! Finding transactions by hash.

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;

/// Where a transaction stands in the canonical chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TxPlace {
    pub(super) number: u64,
    pub(super) index: u32,
}

/// The newest canonical transactions, in two generations: when the young one holds half of the
/// limit, the old one is forgotten and the young one grows old. So forgetting needs no order.
#[derive(Debug, Default)]
pub(super) struct TxIndex {
    young: B256Map<TxPlace>,
    old: B256Map<TxPlace>,
}

impl TxIndex {
    /// Adds the transactions of block `number`, in order.
    pub(super) fn insert_block(
        &mut self,
        number: u64,
        hashes: impl Iterator<Item = B256>,
        limit: usize,
    ) {
        for (index, hash) in (0..).zip(hashes) {
            self.insert(hash, TxPlace { number, index }, limit);
        }
    }

    pub(super) fn insert(&mut self, hash: B256, place: TxPlace, limit: usize) {
        if self.young.len() >= limit.div_ceil(2).max(1) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, place);
    }

    /// Forgets a transaction of block `number`, unless another block has it by now.
    pub(super) fn remove(&mut self, hash: &B256, number: u64) {
        for generation in [&mut self.young, &mut self.old] {
            if generation
                .get(hash)
                .is_some_and(|place| place.number == number)
            {
                generation.remove(hash);
            }
        }
    }

    pub(super) fn get(&self, hash: &B256) -> Option<TxPlace> {
        self.young.get(hash).or_else(|| self.old.get(hash)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_at_least_half_of_the_limit_and_never_more_than_all() {
        let mut index = TxIndex::default();
        for number in 0..1000u64 {
            let hash = B256::left_padding_from(&number.to_be_bytes());
            index.insert(hash, TxPlace { number, index: 0 }, 100);
            assert!(index.young.len() + index.old.len() <= 100);
            for back in 0..=number.min(49) {
                let hash = B256::left_padding_from(&(number - back).to_be_bytes());
                assert_eq!(
                    index.get(&hash).map(|place| place.number),
                    Some(number - back)
                );
            }
        }
    }
}
