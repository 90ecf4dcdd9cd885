//! Payloads whose parent has not arrived yet.

use std::collections::VecDeque;

use alloy_primitives::B256;

use crate::incoming::Incoming;

/// The newest orphans, bounded in number and size; the oldest is forgotten when there is no room. A
/// consensus client sends a forgotten one again.
#[derive(Debug)]
pub(crate) struct Orphans {
    count_max: usize,
    size_bytes_max: usize,
    size_bytes: usize,
    waiting: VecDeque<Incoming>,
}

impl Orphans {
    pub(crate) const fn new(count_max: usize, size_bytes_max: usize) -> Self {
        Self {
            count_max,
            size_bytes_max,
            size_bytes: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Remembers a payload. Returns how many were forgotten for it.
    pub(crate) fn insert(&mut self, orphan: Incoming) -> u64 {
        let hash = orphan.payload.block_hash;
        if self
            .waiting
            .iter()
            .any(|known| known.payload.block_hash == hash)
        {
            return 0;
        }
        self.size_bytes += orphan.size_bytes();
        self.waiting.push_back(orphan);
        let mut forgotten = 0;
        while self.waiting.len() > self.count_max || self.size_bytes > self.size_bytes_max {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.size_bytes -= oldest.size_bytes();
            forgotten += 1;
        }
        forgotten
    }

    pub(crate) fn has_children(&self, parent: &B256) -> bool {
        self.waiting
            .iter()
            .any(|orphan| orphan.payload.parent_hash == *parent)
    }

    /// Takes what waits for `parent`.
    pub(crate) fn take_children(&mut self, parent: &B256) -> Vec<Incoming> {
        let (children, rest): (Vec<_>, Vec<_>) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|orphan| orphan.payload.parent_hash == *parent);
        self.waiting = rest.into();
        self.size_bytes -= children.iter().map(Incoming::size_bytes).sum::<usize>();
        children
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_primitives::{Address, Bloom, Bytes, U256};

    use super::*;
    use crate::ExecutionPayload;

    /// A payload by its hash and its parent's, with `size_bytes` of transactions.
    fn orphan(hash: u8, parent: u8, size_bytes: usize) -> Incoming {
        let payload = ExecutionPayload {
            parent_hash: B256::repeat_byte(parent),
            fee_recipient: Address::ZERO,
            state_root: B256::ZERO,
            receipts_root: B256::ZERO,
            logs_bloom: Bloom::ZERO,
            prev_randao: B256::ZERO,
            block_number: 1,
            gas_limit: 0,
            gas_used: 0,
            timestamp: 0,
            extra_data: Bytes::new(),
            base_fee_per_gas: U256::ZERO,
            block_hash: B256::repeat_byte(hash),
            transactions: vec![vec![0; size_bytes].into()],
            withdrawals: None,
            blob_gas_used: None,
            excess_blob_gas: None,
            withdrawals_root: None,
        };
        Incoming::new(payload, None)
    }

    #[test]
    fn the_oldest_makes_room_in_number_and_in_size() {
        let mut orphans = Orphans::new(3, 100);
        assert_eq!(orphans.insert(orphan(2, 1, 40)), 0);
        assert_eq!(orphans.insert(orphan(2, 1, 40)), 0, "known");
        assert_eq!(orphans.insert(orphan(3, 2, 40)), 0);
        assert_eq!(orphans.insert(orphan(4, 3, 40)), 1, "too large together");
        assert!(!orphans.has_children(&B256::repeat_byte(1)));
        assert_eq!(orphans.insert(orphan(5, 3, 0)), 0);
        assert_eq!(orphans.insert(orphan(6, 5, 0)), 1, "too many");
        assert_eq!(
            orphans.insert(orphan(7, 6, 101)),
            4,
            "larger than everything"
        );
        assert_eq!(orphans.size_bytes, 0);
    }

    #[test]
    fn all_children_of_a_parent_are_taken_at_once() {
        let mut orphans = Orphans::new(9, 100);
        for (hash, parent) in [(2, 1), (3, 1), (4, 2)] {
            orphans.insert(orphan(hash, parent, 10));
        }
        let parent = B256::repeat_byte(1);
        assert!(orphans.has_children(&parent));
        assert_eq!(orphans.take_children(&parent).len(), 2);
        assert!(!orphans.has_children(&parent));
        assert_eq!(orphans.size_bytes, 10);
    }
}
