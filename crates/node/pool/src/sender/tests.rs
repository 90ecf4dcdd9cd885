use std::collections::BTreeMap;

use alloy_primitives::U256;
use proptest::prelude::*;

use super::{NonceQueue, Pooled};
use crate::testing::{priced, property, sender};

fn pooled(nonce: u64) -> Pooled {
    Pooled::new(priced(sender(1), nonce, 1_000, 1), nonce, U256::ZERO)
}

proptest! {
    #![proptest_config(property(256))]

    #[test]
    fn behaves_like_a_map_by_nonce(
        steps in prop::collection::vec((0u8..4, 3u64..20, 3u64..20), 1..60),
    ) {
        let mut queue = NonceQueue::default();
        let mut map = BTreeMap::new();
        for (step, nonce, other) in steps {
            match step {
                0 | 1 => {
                    queue.insert(pooled(nonce));
                    map.insert(nonce, ());
                }
                2 => prop_assert_eq!(queue.remove(nonce).is_some(), map.remove(&nonce).is_some()),
                _ => {
                    let first = map.keys().next().copied().filter(|&first| first < nonce);
                    prop_assert_eq!(queue.pop_below(nonce).map(|at| at.nonce), first);
                    map.remove(&first.unwrap_or(0));
                }
            }
            let (low, high) = (nonce.min(other), nonce.max(other));
            let nonces = |at: &Pooled| at.nonce;
            let all: Vec<u64> = map.keys().copied().collect();
            prop_assert_eq!(queue.iter().map(nonces).collect::<Vec<_>>(), all);
            let from: Vec<u64> = map.range(low..).map(|(&at, _)| at).collect();
            prop_assert_eq!(queue.from(low).map(nonces).collect::<Vec<_>>(), from);
            let within: Vec<u64> = map.range(low..high).map(|(&at, _)| at).collect();
            prop_assert_eq!(queue.range(low..high).map(nonces).collect::<Vec<_>>(), within);
            prop_assert_eq!(queue.get(nonce).map(nonces), map.get(&nonce).map(|()| nonce));
            prop_assert_eq!(queue.last().map(nonces), map.keys().last().copied());
            prop_assert_eq!(queue.len(), map.len());
        }
    }
}
