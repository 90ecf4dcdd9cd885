//! What leaving roots out is for: flashblocks that do not wait for them.

use blockwright_core::RootsRule;
use blockwright_testkit::{Scenario, TxSpec};

use crate::run;

/// Roots that take longer than two intervals.
fn with_slow_roots(roots: RootsRule) -> Scenario {
    let mut scenario = Scenario::quiet(19);
    scenario.config.roots = roots;
    scenario.roots_us = (450_000, 450_000);
    for sender in 0..30 {
        scenario = scenario.arriving(60_000 * sender, TxSpec::transfer(sender, 0, 3));
    }
    scenario
}

#[test]
fn flashblocks_without_roots_do_not_wait_for_any() {
    for (rule, waiting) in [(RootsRule::Last, 2), (RootsRule::None, 0)] {
        let outcome = run(&with_slow_roots(rule));
        let late_us = outcome.late_us();
        assert_eq!(late_us.len(), 10, "{rule:?}");
        // The first two stand behind index 0, which has roots under every rule.
        let free = &late_us[2..10 - usize::from(waiting > 0)];
        assert!(
            free.iter().all(|late_us| *late_us < 2_000),
            "{rule:?}: {late_us:?}"
        );
    }
    let every = run(&with_slow_roots(RootsRule::Every)).late_us();
    assert!(
        every[2..].iter().all(|late_us| *late_us > 100_000),
        "{every:?}"
    );
}

#[test]
fn they_are_cut_later_so_that_later_arrivals_are_in_them() {
    let quiet = |rule, tx: Option<(u64, TxSpec)>| {
        let mut scenario = Scenario::quiet(20);
        scenario.config.roots = rule;
        scenario.roots_us = (10_000, 10_000);
        match tx {
            Some((after_us, tx)) => scenario.arriving(after_us, tx),
            None => scenario,
        }
    };
    let scenario = quiet(RootsRule::None, None);
    let due = run(&scenario).0.plan.due(5).unwrap();
    let after_us = due.since_us(scenario.opened_at) - 4_000;
    let tx = TxSpec::transfer(3, 0, 5);
    let index = |rule| run(&quiet(rule, Some((after_us, tx)))).index_of(tx);
    assert_eq!(index(RootsRule::None), Some(5));
    assert_eq!(index(RootsRule::Every), Some(6));
}
