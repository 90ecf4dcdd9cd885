//! Invariants 1 to 5 and 7 over seeded random scripts, on the fakes; 6 by a replay from scratch.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use blockwright_core::{PriorityOrder, RootsRule};
use blockwright_testkit::{
    Accounts, FakeArtifact, FakeBlock, FakeHost, ManualClock, RootsScript, Scenario, ScriptHost,
    Transcript, check_block, check_budget, check_order, check_replay, check_schedule,
    fake_state_root, random_scenario, simulate,
};
use blockwright_types::UnixUs;

const SEEDS: u64 = 600;
const DA_SCALAR: u64 = 40;

fn run(scenario: &Scenario) -> Transcript<FakeArtifact> {
    let clock = Arc::new(ManualClock::at(UnixUs(0)));
    let mut inner = FakeHost::funded(24);
    inner.da_scalar = DA_SCALAR;
    inner.clock = Some(Arc::clone(&clock));
    let pool = inner.pool.clone();
    let host = ScriptHost::new(inner, pool, RootsScript::Honest);
    simulate(&host, &clock, Box::new(PriorityOrder), scenario).unwrap()
}

/// Runs all transactions of the last payload on a fresh block and compares the state roots.
fn check_agreement(scenario: &Scenario, transcript: &Transcript<FakeArtifact>) {
    use blockwright_seams::OpenBlock;
    let Some(last) = transcript.published.last() else {
        return;
    };
    let best = &last.best;
    let mut accounts = Accounts::funded(24);
    let mut fresh = FakeBlock::open(&scenario.request, accounts.clone(), DA_SCALAR, None);
    let sequencer = scenario.request.sequencer_transactions.len();
    for tx in best.block.transactions().skip(sequencer) {
        let sim = fresh.simulate(tx).unwrap();
        fresh.commit(sim).unwrap();
    }
    if let Some(changes) = fresh.take_changes() {
        accounts.apply(&changes);
    }
    let root = fake_state_root(&accounts);
    assert_eq!(best.block.header.state_root, root);
    assert_eq!(best.artifact.state_root, root);
    assert_eq!(best.block.header.gas_used, fresh.usage().gas.0);
}

#[test]
fn invariants_hold_over_seeded_scripts() {
    for roots in [RootsRule::Every, RootsRule::Last, RootsRule::None] {
        hold_over_seeds(roots);
    }
}

/// `BLOCKWRIGHT_SEEDS` scripts (`make simulate`) where it is set.
fn seeds() -> u64 {
    let set = std::env::var("BLOCKWRIGHT_SEEDS").ok();
    set.map_or(SEEDS, |seeds| seeds.parse().expect("a number"))
}

fn hold_over_seeds(roots: RootsRule) {
    let mut with_pool = 0;
    for seed in 0..seeds() {
        let mut scenario = random_scenario(seed);
        scenario.config.roots = roots;
        let transcript = run(&scenario);
        let checks = [
            check_block(&scenario, &transcript),
            check_schedule(&scenario, &transcript),
            check_budget(&scenario, &transcript, DA_SCALAR),
            check_order(&scenario, &transcript),
        ];
        for check in checks {
            check.unwrap_or_else(|violation| panic!("{roots:?}, seed {seed}: {violation}"));
        }
        check_agreement(&scenario, &transcript);
        let pool_txs = transcript.published.iter().skip(1);
        with_pool += u64::from(
            pool_txs
                .map(|published| published.publication.report.transactions)
                .sum::<u64>()
                > 3,
        );
    }
    assert!(
        with_pool > seeds() / 3,
        "the scripts exercise the pool: {with_pool}"
    );
}

#[test]
fn replay_is_byte_identical() {
    for seed in 0..SEEDS / 4 {
        let mut scenario = random_scenario(seed);
        scenario.config.roots =
            [RootsRule::Every, RootsRule::Last, RootsRule::None][(seed % 3) as usize];
        check_replay(&run(&scenario), &run(&scenario))
            .unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
}

#[test]
fn checks_can_fail() {
    let scenario = (0..)
        .map(random_scenario)
        .find(|scenario| run(scenario).published.len() > 3)
        .unwrap();
    let transcript = run(&scenario);
    let mut gap = transcript.clone();
    gap.published.remove(1);
    assert!(check_block(&scenario, &gap).is_err());
    let mut other_rule = scenario.clone();
    other_rule.config.roots = RootsRule::Last;
    assert!(check_block(&other_rule, &transcript).is_err());
    let mut early = transcript.clone();
    early.published[1].at = UnixUs(0);
    assert!(check_schedule(&scenario, &early).is_err());
    assert!(check_replay(&transcript, &early).is_err());
}
