//! Blooms of the logs of one block.

use alloy_primitives::map::{AddressMap, B256Map, Entry};
use alloy_primitives::{B256, Bloom, Log, keccak256};

/// Addresses and topics remembered, to bound memory; others are hashed each time.
const INPUTS_MAX: usize = 1 << 16;

/// Computes blooms and remembers the hashes of addresses and topics: in a block the same tokens
/// emit the same events for the same holders, and hashing is all that a bloom costs.
#[derive(Debug, Default)]
pub(crate) struct LogBlooms {
    addresses: AddressMap<B256>,
    topics: B256Map<B256>,
}

impl LogBlooms {
    /// The bloom of `logs`.
    pub(crate) fn of(&mut self, logs: &[Log]) -> Bloom {
        let mut bloom = Bloom::ZERO;
        for log in logs {
            let full = self.addresses.len() >= INPUTS_MAX;
            let hash = match self.addresses.entry(log.address) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) if !full => *entry.insert(keccak256(log.address)),
                Entry::Vacant(_) => keccak256(log.address),
            };
            bloom.m3_2048_hashed(&hash);
            for topic in log.topics() {
                let full = self.topics.len() >= INPUTS_MAX;
                let hash = match self.topics.entry(*topic) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) if !full => *entry.insert(keccak256(topic)),
                    Entry::Vacant(_) => keccak256(topic),
                };
                bloom.m3_2048_hashed(&hash);
            }
        }
        bloom
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bytes};

    use super::*;

    #[test]
    fn remembered_hashes_make_the_same_blooms() {
        let mut blooms = LogBlooms::default();
        assert_eq!(blooms.of(&[]), Bloom::ZERO);
        for round in 0..3 {
            for seed in 0..40_u8 {
                let logs: Vec<_> = (0..seed % 4)
                    .map(|index| {
                        let topics = (0..index).map(|topic| B256::repeat_byte(seed ^ topic));
                        let address = Address::repeat_byte(seed / 3);
                        Log::new_unchecked(address, topics.collect(), Bytes::new())
                    })
                    .collect();
                assert_eq!(blooms.of(&logs), Bloom::from_iter(&logs), "{round} {seed}");
            }
        }
    }
}
