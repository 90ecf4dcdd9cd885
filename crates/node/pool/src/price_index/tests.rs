use alloy_primitives::U256;
use proptest::prelude::*;

use super::{PriceIndex, effective_price};
use crate::sender::Pooled;
use crate::testing::{priced, property, sender};

fn pooled(arrival: u64, fee_cap: u128, tip: u128) -> Pooled {
    Pooled {
        tx: priced(sender(1), arrival, fee_cap, tip),
        arrival,
        cost: U256::ZERO,
    }
}

proptest! {
    #![proptest_config(property(256))]

    #[test]
    fn equals_a_sort_by_effective_price_at_any_base_fee(
        prices in prop::collection::vec((0u128..50, 0u128..50), 0..40),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        base_fee in 0u64..60,
    ) {
        let mut index = PriceIndex::default();
        let mut all: Vec<Pooled> = prices
            .iter()
            .enumerate()
            .map(|(arrival, &(fee_cap, tip))| pooled(arrival as u64, fee_cap, tip.min(fee_cap)))
            .collect();
        all.iter().for_each(|at| index.insert(at));
        for position in removed {
            if !all.is_empty() {
                index.remove(&all.swap_remove(position.index(all.len())));
            }
        }
        let price = |at: &Pooled| effective_price(&at.tx.envelope, base_fee);
        all.sort_by_key(|at| (price(at), std::cmp::Reverse(at.arrival)));
        let expected: Vec<_> = all.iter().map(|at| (price(at), at.place())).collect();
        prop_assert_eq!(index.cheapest(base_fee).collect::<Vec<_>>(), expected);
        prop_assert_eq!(index.len(), all.len());
    }
}

#[test]
fn prices_beyond_the_index_range_count_as_its_end() {
    let huge = pooled(0, u128::MAX, u128::MAX);
    assert_eq!(effective_price(&huge.tx.envelope, 7), u64::MAX);
}
