//! Fork choices that come late, early or for the past, and payloads without a pool.

use blockwright_testkit::{Scenario, TxSpec};

use crate::run;

/// A block of two seconds with a pooled transaction, whose fork choice comes `after_us` after the
/// usual time.
fn delayed(seed: u64, after_us: u64) -> Scenario {
    let mut scenario = Scenario::quiet(seed);
    scenario.opened_at = scenario.opened_at.plus_us(after_us);
    scenario.pooled(TxSpec::transfer(3, 0, 5))
}

#[test]
fn one_that_is_1900_ms_late_gives_one_flashblock_at_the_end() {
    let scenario = delayed(1, 1_900_000);
    let outcome = run(&scenario);
    assert_eq!(outcome.0.published.len(), 2);
    assert_eq!(outcome.index_of(TxSpec::transfer(3, 0, 5)), Some(1));
    let end_s = scenario.request.context.timestamp;
    let last = &outcome.0.published[1];
    let before_us = blockwright_types::UnixUs::from_secs(end_s).since_us(last.at);
    assert!((70_000..=75_000).contains(&before_us), "{before_us}");
}

#[test]
fn one_after_the_timestamp_is_answered_at_once_and_goes_on_for_an_interval() {
    for late_us in [2_045_001, 2_300_000, 60_000_000] {
        let scenario = delayed(2, late_us);
        let outcome = run(&scenario);
        let at: Vec<_> = outcome.0.published.iter().map(|one| one.at).collect();
        assert_eq!(at.len(), 2, "{late_us}");
        assert!(at[0].since_us(scenario.opened_at) < 5_000);
        let interval_us = scenario.config.interval_us;
        assert!((interval_us..interval_us + 1_000).contains(&at[1].since_us(scenario.opened_at)));
        assert_eq!(outcome.index_of(TxSpec::transfer(3, 0, 5)), Some(1));
    }
}

/// A sequencer that has fallen behind L1 gives its blocks timestamps far behind the wall clock, one
/// after the other: each is index 0 at once, and an interval for those who wait.
#[test]
fn a_chain_that_catches_up_is_not_held_up() {
    for block in 0..5 {
        let scenario = delayed(block, 600_000_000 - block * 2_000_000);
        let outcome = run(&scenario);
        assert!(outcome.0.published[0].at.since_us(scenario.opened_at) < 5_000);
        assert_eq!(outcome.0.plan.len(), 1);
    }
}

/// A clock that runs ahead, or a sequencer that asks early: no more flashblocks than the block time
/// holds, and none before its time.
#[test]
fn one_that_is_early_gives_the_usual_flashblocks_at_the_usual_times() {
    let usual = run(&delayed(3, 0));
    let mut scenario = Scenario::quiet(3);
    scenario.opened_at = scenario.opened_at.minus_us(30_000_000);
    let early = run(&scenario.pooled(TxSpec::transfer(3, 0, 5)));
    assert_eq!(early.0.plan.len(), 10);
    let dues = |outcome: &crate::Outcome| -> Vec<_> {
        (2..=10).map(|index| outcome.0.plan.due(index)).collect()
    };
    assert_eq!(dues(&early), dues(&usual));
    assert!(early.late_us().iter().all(|late_us| *late_us < 2_000));
}

#[test]
fn without_a_pool_there_is_index_zero_and_nothing_else() {
    for after_us in [0, 1_900_000, 60_000_000] {
        let mut scenario = delayed(4, after_us);
        scenario.request.no_tx_pool = true;
        let outcome = run(&scenario);
        assert_eq!(outcome.0.published.len(), 1);
        let report = outcome.0.published[0].publication.report;
        assert!(report.last && report.has_roots && outcome.0.complete);
        assert_eq!(outcome.index_of(TxSpec::transfer(3, 0, 5)), None);
    }
}
