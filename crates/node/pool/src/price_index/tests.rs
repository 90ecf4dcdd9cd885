use alloy_consensus::Transaction;
use alloy_primitives::U256;
use proptest::prelude::*;

use super::PriceIndex;
use crate::sender::Pooled;
use crate::testing::{priced, property, sender};

fn pooled(arrival: u64, fee_cap: u128, tip: u128) -> Pooled {
    let tx = priced(sender(1), arrival, fee_cap, tip);
    Pooled::new(tx, arrival, U256::ZERO)
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
        let price = |at: &Pooled| {
            let tx = &at.tx.envelope;
            let tip = tx.max_priority_fee_per_gas().unwrap() as u64;
            (tx.max_fee_per_gas() as u64).min(base_fee + tip)
        };
        all.sort_by_key(|at| (price(at), std::cmp::Reverse(at.arrival)));
        let expected: Vec<_> = all.iter().map(|at| (price(at), at.place())).collect();
        prop_assert_eq!(index.cheapest(base_fee).collect::<Vec<_>>(), expected);
        prop_assert_eq!(index.len(), all.len());
    }
}

#[test]
fn prices_beyond_the_index_range_count_as_its_end() {
    let huge = pooled(0, u128::MAX, u128::MAX);
    assert_eq!(huge.prices.effective(7), u64::MAX);
}
