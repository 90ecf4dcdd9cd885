//! Blocks known to be invalid, and with them their descendants.

use std::collections::VecDeque;

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;

/// Why a block is invalid and what its last valid ancestor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) latest_valid: Option<B256>,
    pub(crate) reason: String,
}

/// Remembers the newest `max` invalid blocks; the oldest is forgotten when it is full, and would be
/// found invalid again.
#[derive(Debug)]
pub(crate) struct InvalidBlocks {
    max: usize,
    order: VecDeque<B256>,
    blocks: B256Map<Invalid>,
}

impl InvalidBlocks {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: max.max(1),
            order: VecDeque::new(),
            blocks: B256Map::default(),
        }
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Invalid> {
        self.blocks.get(hash)
    }

    pub(crate) fn insert(&mut self, hash: B256, invalid: Invalid) {
        if self.blocks.insert(hash, invalid).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > self.max {
            if let Some(oldest) = self.order.pop_front() {
                self.blocks.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut blocks = InvalidBlocks::new(2);
        let hashes = [1, 2, 3].map(B256::repeat_byte);
        for hash in hashes {
            let invalid = Invalid {
                latest_valid: None,
                reason: hash.to_string(),
            };
            blocks.insert(hash, invalid.clone());
            blocks.insert(hash, invalid);
        }
        assert!(blocks.get(&hashes[0]).is_none());
        assert!(blocks.get(&hashes[1]).is_some());
        assert!(blocks.get(&hashes[2]).is_some());
    }
}
