//! Transactions that take longer than their gas says.

use blockwright_core::RootsRule;
use blockwright_testkit::{Rng, Scenario, TxSpec};

use crate::{run, slow};

/// What may come on top of a transaction's own execution: roots, seal, a late timer.
const OVERHEAD_US: u64 = 4_000;
const RULES: [RootsRule; 3] = [RootsRule::Every, RootsRule::Last, RootsRule::None];

/// A running transaction cannot be interrupted: whatever it does, no flashblock is later than by
/// what it took, and the ones that it did not meet are on time. Where it ran ahead of all commits, the
/// others get a tenth of a slot on top, lest the flashblock be empty.
#[test]
fn one_slow_transaction_makes_flashblocks_late_by_no_more_than_itself() {
    let mut worst_us = 0;
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let took_us = 1_000 + rng.below(500_000);
        let mut scenario = Scenario::quiet(seed);
        scenario.config.roots = RULES[(seed % 3) as usize];
        scenario = scenario.arriving(rng.below(1_900_000), slow(3, 10_000, took_us));
        for sender in 10..40 {
            let transfer = TxSpec::transfer(sender, 0, u128::from(rng.below(20)));
            scenario = scenario.arriving(rng.below(1_900_000), transfer);
        }
        let late_us = run(&scenario).late_us();
        let extension_us = scenario.config.interval_us / 10;
        let bound_us = took_us + extension_us + OVERHEAD_US;
        assert!(
            late_us.iter().all(|late_us| *late_us <= bound_us),
            "seed {seed}: {took_us} us, {late_us:?}"
        );
        // It may run twice: ahead, and where something it read changed, when it is committed.
        let late = late_us.iter().filter(|late_us| **late_us > OVERHEAD_US);
        let met = 2 * (1 + took_us / scenario.config.interval_us);
        assert!(
            late.count() as u64 <= met,
            "seed {seed}: {took_us} us, {late_us:?}"
        );
        worst_us = worst_us.max(late_us.iter().copied().max().unwrap_or_default());
    }
    assert!(worst_us > 100_000, "the scripts meet deadlines: {worst_us}");
}

/// A flood of transactions that take thirty times what their gas says: the first ones are met
/// unprepared, from then on the measured rate keeps them from what is left of a slot.
#[test]
fn a_flood_of_slow_transactions_is_kept_within_the_slots_once_their_rate_is_known() {
    let took_us = 60_000;
    for roots in RULES {
        let mut scenario = Scenario::quiet(7);
        scenario.config.roots = roots;
        scenario.request.context.gas_limit = 60_000_000_000;
        for sender in 0..200 {
            scenario = scenario.pooled(slow(sender, 2_000_000, took_us));
        }
        let outcome = run(&scenario);
        let late_us = outcome.late_us();
        assert!(
            late_us
                .iter()
                .all(|late_us| *late_us <= took_us + 2_000 + OVERHEAD_US),
            "{roots:?}: {late_us:?}"
        );
        assert!(
            late_us
                .iter()
                .skip(1)
                .all(|late_us| *late_us <= OVERHEAD_US),
            "{roots:?}: {late_us:?}"
        );
        let gas = outcome.gas();
        let filled = gas.windows(2).skip(1).filter(|pair| pair[1] > pair[0]);
        assert!(filled.count() >= 8, "and the slots are used: {gas:?}");
    }
}

/// What the gas rate says could overrun what is left of a slot waits for the next one.
#[test]
fn a_transaction_too_long_for_what_is_left_of_its_slot_waits_for_the_next() {
    for roots in RULES {
        let mut scenario = Scenario::quiet(8);
        scenario.config.roots = roots;
        scenario.request.context.gas_limit = 10_000_000_000;
        let due = run(&scenario).0.plan.due(2).unwrap();
        let before_us = due.since_us(scenario.opened_at) - 45_000;
        let long = slow(3, 12_000_000, 30_000);
        let outcome = run(&scenario.arriving(before_us, long));
        assert_eq!(outcome.index_of(long), Some(3), "{roots:?}");
        let late_us = outcome.late_us();
        assert!(
            late_us.iter().all(|late_us| *late_us <= OVERHEAD_US),
            "{late_us:?}"
        );
    }
}
