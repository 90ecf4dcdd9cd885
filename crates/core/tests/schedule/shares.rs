//! What each flashblock may take of the block, by the specification's formulas.

use blockwright_core::ShareRule;
use blockwright_testkit::{Scenario, TxSpec};

use crate::run;

const FREE_GAS: u64 = 20_000_000;
const COUNT: u64 = 10;
const TRANSFER_GAS: u64 = 21_000;

/// Cumulative gas of the pool's transactions after each flashblock of a block that has more
/// candidates than room.
fn filled_by(rule: ShareRule) -> Vec<u64> {
    let mut scenario = Scenario::quiet(8);
    scenario.config.share = rule;
    let sequencer = run(&scenario).gas()[0];
    scenario.request.context.gas_limit = sequencer + FREE_GAS;
    for sender in 0..550 {
        for nonce in 0..3 {
            scenario = scenario.pooled(TxSpec::transfer(sender, nonce, u128::from(sender % 7)));
        }
    }
    let outcome = run(&scenario);
    assert_eq!(outcome.0.plan.len(), COUNT);
    let late_us = outcome.late_us();
    assert!(
        late_us.iter().all(|late_us| *late_us < 2_000),
        "{late_us:?}"
    );
    let gas = outcome.gas();
    gas.iter().map(|gas| gas - sequencer).collect()
}

/// The share is never exceeded, and used up to what the next candidate does not fit into: the
/// protocol charges its gas limit, here 60,000.
fn check(used: &[u64], share: impl Fn(u64) -> u64) {
    assert_eq!(used.len() as u64, COUNT + 1);
    for (index, used) in used.iter().enumerate().skip(1) {
        let limit = share(index as u64);
        assert!(*used <= limit, "flashblock {index}: {used} of {limit}");
        assert!(
            *used + 60_000 + TRANSFER_GAS > limit,
            "flashblock {index}: {used} of {limit}"
        );
    }
}

#[test]
fn even_shares_grow_by_the_same() {
    check(&filled_by(ShareRule::Even), |index| {
        FREE_GAS * index / COUNT
    });
}

#[test]
fn linear_shares_grow_with_the_index_up_to_the_limit() {
    let used = filled_by(ShareRule::Linear);
    check(&used, |index| {
        (FREE_GAS * index * (index + 1) / (2 * COUNT)).min(FREE_GAS)
    });
    let own: Vec<u64> = used.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let largest = own.iter().copied().max().unwrap();
    assert_eq!(own[3], largest, "the fourth is the largest: {own:?}");
    let percent = largest * 100 / FREE_GAS;
    assert!((39..=40).contains(&percent), "with 40 %: {percent}");
    assert!(own[4..].iter().all(|own| *own < 100_000), "{own:?}");
}
