//! Every fault of building that peers have shown, as a test of ours.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::{DaLimits, PriorityOrder, ShareRule};
use blockwright_testkit::{
    Decision, FakeArtifact, FakeHost, Happening, ManualClock, Program, RootsScript, Scenario,
    ScriptHost, Transcript, TxSpec, check_block, check_budget, check_order, check_schedule,
    simulate,
};
use blockwright_types::{DaBytes, SkipReason, StopReason, UnixUs};

struct Outcome {
    transcript: Transcript<FakeArtifact>,
    decisions: Vec<Decision>,
}

fn run_with(scenario: &Scenario, roots: RootsScript) -> Outcome {
    let clock = Arc::new(ManualClock::at(UnixUs(0)));
    let mut inner = FakeHost::funded(600);
    inner.clock = Some(Arc::clone(&clock));
    let pool = inner.pool.clone();
    let host = ScriptHost::new(inner, pool.clone(), roots);
    let transcript = simulate(&host, &clock, Box::new(PriorityOrder), scenario).unwrap();
    Outcome {
        transcript,
        decisions: pool.decisions(),
    }
}

fn run(scenario: &Scenario) -> Outcome {
    let outcome = run_with(scenario, RootsScript::Honest);
    check_block(scenario, &outcome.transcript).unwrap();
    check_schedule(scenario, &outcome.transcript).unwrap();
    check_budget(scenario, &outcome.transcript, 0).unwrap();
    check_order(scenario, &outcome.transcript).unwrap();
    outcome
}

impl Outcome {
    /// Hashes per flashblock.
    fn parts(&self) -> Vec<Vec<B256>> {
        let published = self.transcript.published.iter();
        published
            .map(|published| {
                let part = &published.publication.flashblock.part;
                part.transactions.iter().map(|tx| tx.hash).collect()
            })
            .collect()
    }

    /// Index of the flashblock that holds `spec`.
    fn index_of(&self, spec: TxSpec) -> Option<usize> {
        let hash = spec.build().hash;
        self.parts().iter().position(|part| part.contains(&hash))
    }

    fn late_us(&self) -> Vec<u64> {
        let published = self.transcript.published.iter().skip(1);
        published
            .map(|published| published.at.since_us(published.publication.report.due))
            .collect()
    }
}

fn burner(sender: u64, tip: u128, gas: u64) -> TxSpec {
    TxSpec {
        gas_limit: gas + 30_000,
        program: Program::Burn(gas),
        ..TxSpec::transfer(sender, 0, tip)
    }
}

#[test]
fn an_overlong_flashblock_is_cut() {
    let mut scenario = Scenario::quiet(1);
    scenario.request.context.gas_limit = 60_000_000_000;
    for sender in 0..500 {
        scenario = scenario.pooled(burner(sender, 5, 4_000_000));
    }
    let outcome = run(&scenario);
    assert_eq!(outcome.transcript.published.len(), 11);
    let counts: Vec<_> = outcome.parts().iter().skip(1).map(Vec::len).collect();
    // The first slot begins with the fork choice and is shorter than the others.
    assert!(counts[1..].iter().all(|count| *count > 38), "{counts:?}");
    let first_us = outcome.transcript.plan.due(1).unwrap();
    let first_us = first_us.since_us(scenario.opened_at) as usize;
    assert!(counts[0] > 36 * first_us / 200_000, "{counts:?}");
    assert!(
        outcome.late_us().iter().all(|late_us| *late_us < 5_000),
        "{:?}",
        outcome.late_us()
    );
}

#[test]
fn zero_tip_transactions_are_published() {
    let zero = TxSpec::transfer(3, 0, 0);
    let outcome = run(&Scenario::quiet(2)
        .pooled(zero)
        .pooled(TxSpec::transfer(4, 0, 9)));
    assert_eq!(outcome.index_of(zero), Some(1));
}

#[test]
fn no_flashblock_is_empty_while_candidates_fit() {
    let mut scenario = Scenario::quiet(3);
    for sender in 0..20 {
        let after_us = 10_000 + 95_000 * sender;
        scenario = scenario.arriving(after_us, TxSpec::transfer(sender, 0, u128::from(sender)));
    }
    let outcome = run(&scenario);
    let empty = outcome
        .parts()
        .iter()
        .filter(|part| part.is_empty())
        .count();
    assert_eq!(empty, 0, "{:?}", outcome.parts());
}

#[test]
fn what_arrives_before_the_cut_is_in_the_next_flashblock() {
    let plan_start = Scenario::quiet(4);
    let due = run(&plan_start).transcript.plan.due(1).unwrap();
    let before_us = due.since_us(plan_start.opened_at) - 15_000;
    let late = TxSpec::transfer(3, 0, 7);
    let outcome = run(&plan_start.arriving(before_us, late));
    assert_eq!(outcome.index_of(late), Some(1));
}

#[test]
fn a_high_tip_child_is_not_gated_behind_a_committed_parent() {
    let parent = TxSpec::transfer(3, 0, 5);
    let child = TxSpec::transfer(3, 1, 1_000);
    let scenario = Scenario::quiet(5)
        .pooled(parent)
        .arriving(500_000, child)
        .arriving(500_000, TxSpec::transfer(4, 0, 10));
    let outcome = run(&scenario);
    assert_eq!(outcome.index_of(parent), Some(1));
    let index = outcome.index_of(child).unwrap();
    assert!(index > 1);
    let part = &outcome.parts()[index];
    assert_eq!(
        part.first(),
        Some(&child.build().hash),
        "the child leads its flashblock"
    );
    assert_eq!(part.len(), 2);
}

#[test]
fn a_better_late_arrival_waits_for_the_next_flashblock() {
    let mut scenario = Scenario::quiet(6);
    scenario.request.context.gas_limit = 60_000_000_000;
    for sender in 0..500 {
        scenario = scenario.pooled(burner(sender, 5, 4_000_000));
    }
    let better = TxSpec::transfer(550, 0, 1_000);
    let outcome = run(&scenario.arriving(100_000, better));
    assert_eq!(outcome.index_of(better), Some(2));
    assert_eq!(outcome.parts()[2].first(), Some(&better.build().hash));
}

#[test]
fn limits_count_for_the_block_not_for_the_flashblock() {
    let mut scenario = Scenario::quiet(7);
    scenario.request.context.gas_limit = 1_000_000;
    for sender in 0..200 {
        scenario = scenario.pooled(TxSpec::transfer(sender, 0, u128::from(sender % 7)));
    }
    let outcome = run(&scenario);
    let last = outcome.transcript.published.last().unwrap();
    let gas_used = last.publication.flashblock.gas_used;
    assert!(gas_used <= 1_000_000);
    assert!(gas_used > 900_000, "the block is filled: {gas_used}");
}

#[test]
fn linear_shares_leave_nothing_unused() {
    let mut scenario = Scenario::quiet(8);
    scenario.config.share = ShareRule::Linear;
    scenario.request.context.gas_limit = 2_000_000;
    for sender in 0..200 {
        scenario = scenario.pooled(TxSpec::transfer(sender, 0, 3));
    }
    let outcome = run(&scenario);
    let last = outcome.transcript.published.last().unwrap();
    assert!(last.publication.flashblock.gas_used > 1_900_000);
}

#[test]
fn a_late_fork_choice_is_not_squeezed_into_the_last_second() {
    let mut scenario = Scenario::quiet(9).pooled(TxSpec::transfer(3, 0, 1));
    scenario.opened_at = scenario.opened_at.plus_us(1_300_000);
    let outcome = run(&scenario);
    assert_eq!(outcome.transcript.plan.len(), 4);
    let times: Vec<_> = outcome.transcript.published.iter().map(|p| p.at).collect();
    // Index 0 is out of the rhythm: it comes with the fork choice.
    assert!(
        times[1..]
            .windows(2)
            .all(|pair| pair[1].since_us(pair[0]) >= 199_000),
        "{times:?}"
    );
}

#[test]
fn both_da_limits_change_together_and_bind_at_once() {
    let mut scenario = Scenario::quiet(10);
    scenario.request.context.gas_limit = 3_000_000;
    for sender in 0..100 {
        scenario = scenario.pooled(TxSpec::transfer(sender, 0, 3));
    }
    let limits = DaLimits {
        tx: DaBytes(5_000),
        block: DaBytes(1),
    };
    let outcome = run(&scenario.happening(900_000, Happening::Limits(limits)));
    let parts = outcome.parts();
    assert!(!parts[2].is_empty());
    assert!(parts[5..].iter().all(Vec::is_empty), "{parts:?}");
}

#[test]
fn a_transaction_over_the_da_limit_of_one_is_refused() {
    let mut scenario = Scenario::quiet(11);
    scenario.limits.tx = DaBytes(400);
    let big = TxSpec {
        padding_bytes: 1_000,
        gas_limit: 200_000,
        ..TxSpec::transfer(3, 0, 9)
    };
    let outcome = run(&scenario.pooled(big).pooled(TxSpec::transfer(4, 0, 1)));
    assert_eq!(outcome.index_of(big), None);
    assert_eq!(outcome.index_of(TxSpec::transfer(4, 0, 1)), Some(1));
    assert!(
        outcome
            .decisions
            .iter()
            .any(|decision| matches!(decision, Decision::Rejected(_, SkipReason::OverBudget(_))))
    );
}

#[test]
fn a_transaction_larger_than_the_share_waits_and_its_nonces_with_it() {
    let mut scenario = Scenario::quiet(12);
    scenario.request.context.gas_limit = 9_000_000;
    let large = burner(3, 50, 2_500_000);
    let child = TxSpec::transfer(3, 1, 90);
    let small = TxSpec::transfer(4, 0, 1);
    let outcome = run(&scenario.pooled(large).pooled(child).pooled(small));
    assert_eq!(outcome.index_of(small), Some(1));
    let index = outcome.index_of(large).unwrap();
    assert!(index >= 3, "{index}");
    assert_eq!(outcome.index_of(child), Some(index));
}

#[test]
fn a_monster_neither_overruns_its_slot_nor_starves() {
    let mut scenario = Scenario::quiet(13);
    scenario.request.context.gas_limit = 10_000_000_000;
    let due = run(&scenario).transcript.plan.due(1).unwrap();
    let before_us = due.since_us(scenario.opened_at) - 20_000;
    let monster = TxSpec {
        gas_limit: 16_777_216,
        program: Program::Burn(16_000_000),
        ..TxSpec::transfer(3, 0, 9)
    };
    let outcome = run(&scenario.arriving(before_us, monster));
    assert_eq!(outcome.index_of(monster), Some(2));
    assert!(outcome.late_us().iter().all(|late_us| *late_us < 5_000));
}

#[test]
fn an_enormous_gas_limit_that_fits_no_slot_is_refused_for_the_block() {
    let mut scenario = Scenario::quiet(14);
    scenario.config.interval_us = 50_000;
    scenario.request.context.gas_limit = 10_000_000_000;
    let monster = TxSpec {
        gas_limit: 5_000_000_000,
        ..TxSpec::transfer(3, 0, 9)
    };
    let outcome = run(&scenario.pooled(monster).pooled(TxSpec::transfer(4, 0, 1)));
    assert_eq!(outcome.index_of(monster), None);
    assert!(outcome.decisions.contains(&Decision::Rejected(
        monster.build().hash,
        SkipReason::WouldOverrun
    )));
}

#[test]
fn a_reverting_transaction_is_included_and_the_block_goes_on() {
    let revert = TxSpec {
        program: Program::Revert,
        ..TxSpec::transfer(3, 0, 9)
    };
    let next = TxSpec::transfer(3, 1, 9);
    let outcome = run(&Scenario::quiet(15).pooled(revert).pooled(next));
    assert_eq!(
        (outcome.index_of(revert), outcome.index_of(next)),
        (Some(1), Some(1))
    );
}

#[test]
fn a_replacement_takes_the_place_of_what_it_replaced() {
    let old = TxSpec::transfer(3, 0, 5);
    let new = TxSpec::transfer(3, 0, 50);
    let outcome = run(&Scenario::quiet(16).pooled(old).arriving(50_000, new));
    assert_eq!(
        (outcome.index_of(old), outcome.index_of(new)),
        (None, Some(1))
    );
}

#[test]
fn a_nonce_gap_waits_for_what_fills_it() {
    let second = TxSpec::transfer(3, 1, 5);
    let first = TxSpec::transfer(3, 0, 5);
    let outcome = run(&Scenario::quiet(17).pooled(second).arriving(700_000, first));
    let index = outcome.index_of(first);
    assert!(index.is_some() && outcome.index_of(second) == index);
}

#[test]
fn an_underpriced_transaction_is_told_why() {
    let mut scenario = Scenario::quiet(18);
    scenario.request.context.base_fee = 2_000_000_000_000;
    let outcome = run(&scenario.pooled(TxSpec::transfer(3, 0, 5)));
    assert_eq!(
        outcome.decisions,
        [Decision::Rejected(
            TxSpec::transfer(3, 0, 5).build().hash,
            SkipReason::FeeCapBelowBaseFee
        )]
    );
}

#[test]
fn late_roots_delay_flashblocks_and_keep_their_order() {
    let mut scenario = Scenario::quiet(19);
    scenario.roots_us = (450_000, 450_000);
    for sender in 0..30 {
        scenario = scenario.arriving(60_000 * sender, TxSpec::transfer(sender, 0, 3));
    }
    let outcome = run(&scenario);
    assert_eq!(outcome.transcript.published.len(), 11);
    assert!(outcome.transcript.complete);
}

#[test]
fn a_failed_root_ends_the_job_and_the_last_payload_stays() {
    let scenario = Scenario::quiet(20).pooled(TxSpec::transfer(3, 0, 3));
    let outcome = run_with(&scenario, RootsScript::FailAt(3));
    assert_eq!(outcome.transcript.published.len(), 3);
    let end = outcome.transcript.end.unwrap();
    assert_eq!(end.reason, StopReason::Failed);
    assert_eq!(
        end.fault.unwrap().to_string(),
        "root of flashblock 3 failed"
    );
}

#[test]
fn a_failing_evm_ends_the_job_and_the_last_payload_stays() {
    let fault = TxSpec {
        program: Program::Fault,
        ..TxSpec::transfer(3, 0, 9)
    };
    let scenario = Scenario::quiet(21)
        .pooled(TxSpec::transfer(4, 0, 3))
        .arriving(600_000, fault);
    let outcome = run_with(&scenario, RootsScript::Honest);
    assert_eq!(outcome.transcript.end.unwrap().reason, StopReason::Failed);
    assert!(outcome.transcript.published.len() >= 2);
}

#[test]
fn a_flood_that_fills_the_block_leaves_every_flashblock_on_time() {
    let mut scenario = Scenario::quiet(22);
    scenario.request.context.gas_limit = 9_000_000;
    for sender in 0..500 {
        for nonce in 0..2 {
            scenario = scenario.pooled(TxSpec::transfer(sender, nonce, u128::from(sender % 11)));
        }
    }
    let outcome = run(&scenario);
    assert_eq!(outcome.transcript.published.len(), 11);
    assert!(outcome.late_us().iter().all(|late_us| *late_us < 1_000));
    let per_part: Vec<_> = outcome.parts().iter().skip(1).map(Vec::len).collect();
    assert!(
        per_part.iter().all(|count| (40..=50).contains(count)),
        "{per_part:?}"
    );
}

#[test]
fn catching_up_gives_index_zero_at_once() {
    let mut scenario = Scenario::quiet(23).happening(2_500, Happening::Resolve);
    scenario.opened_at = scenario.opened_at.plus_us(60_000_000);
    scenario.happenings[0].0 = scenario.opened_at.plus_us(2_500);
    scenario.roots_us = (100, 200);
    let outcome = run(&scenario);
    let (_, best) = outcome.transcript.resolved.unwrap();
    assert_eq!(best.unwrap().block.transaction_count(), 2);
    assert_eq!(outcome.transcript.published.len(), 1);
}

#[test]
fn large_gas_limits_do_not_keep_smaller_candidates_out() {
    let mut scenario = Scenario::quiet(24);
    scenario.config.interval_us = 50_000;
    scenario.request.context.gas_limit = 60_000_000_000;
    for sender in 10..110 {
        let spec = TxSpec {
            gas_limit: 16_777_216,
            ..TxSpec::transfer(sender, 0, 1_000)
        };
        scenario = scenario.arriving(505_000, spec);
    }
    let small = TxSpec::transfer(200, 0, 1);
    let outcome = run(&scenario.arriving(505_000, small));
    let first = outcome
        .parts()
        .iter()
        .skip(1)
        .position(|part| !part.is_empty());
    assert_eq!(outcome.index_of(small), first.map(|position| position + 1));
    let all: usize = outcome.parts().iter().skip(1).map(Vec::len).sum();
    let lost: Vec<_> = outcome
        .decisions
        .iter()
        .filter(|decision| matches!(decision, Decision::Rejected(..)))
        .collect();
    assert_eq!(all, 101, "nobody starves: {lost:?}");
}

#[test]
fn a_thread_that_wakes_up_late_does_not_publish_empty_flashblocks() {
    for seed in 0..20 {
        let mut scenario = Scenario::quiet(seed);
        scenario.timer_late_us_max = 60_000;
        for sender in 0..48 {
            scenario = scenario.arriving(sender * 40_000, TxSpec::transfer(sender, 0, 5));
        }
        let outcome = run_with(&scenario, RootsScript::Honest);
        check_block(&scenario, &outcome.transcript).unwrap();
        check_order(&scenario, &outcome.transcript).unwrap();
        let parts = outcome.parts();
        let empty: Vec<usize> = (1..parts.len())
            .filter(|index| parts[*index].is_empty())
            .collect();
        assert_eq!(empty, Vec::<usize>::new(), "seed {seed}");
    }
}

#[test]
fn deep_queues_of_few_senders_fill_the_interval() {
    let mut scenario = Scenario::quiet(41);
    scenario.request.context.gas_limit = 1_000_000_000;
    for nonce in 0..500 {
        for sender in 10..14 {
            scenario = scenario.pooled(TxSpec::transfer(sender, nonce, 5));
        }
    }
    let outcome = run(&scenario);
    let sizes: Vec<usize> = outcome.parts().iter().map(Vec::len).collect();
    let soon: usize = sizes[1..=3].iter().sum();
    assert_eq!(soon, 2_000, "the backlog was left waiting: {sizes:?}");
}
