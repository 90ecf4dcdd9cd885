//! The builder's invariants 1 to 7 over seeded random scripts, on the real EVM and the real trie:
//! what `crates/core/tests/invariants.rs` checks on fakes, and Agreement with nodes that import and that
//! follow.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "invariants/agreement.rs"]
mod agreement;
#[path = "invariants/chain.rs"]
mod chain;
#[path = "invariants/followed.rs"]
mod followed;
#[path = "invariants/from_scratch.rs"]
mod from_scratch;
#[path = "invariants/node.rs"]
mod node;
#[path = "invariants/rules.rs"]
mod rules;
#[path = "invariants/script.rs"]
mod script;
#[path = "invariants/streamed.rs"]
mod streamed;
#[path = "invariants/timed.rs"]
mod timed;

use std::sync::Arc;

use alloy_consensus::TxReceipt as _;
use blockwright_core::PriorityOrder;
use blockwright_state::TrieDelta;
use blockwright_testkit::{
    ManualClock, RootsScript, Scenario, ScriptHost, ScriptPool, Transcript, check_replay, simulate,
};
use blockwright_types::{OpFork, StopReason, UnixUs};

use agreement::check_agreement;
use followed::check_followed;
use from_scratch::check_root_from_scratch;
use node::Node;
use rules::{check, pool_transactions, rule};
use script::{Parent, scenario};
use timed::TimedHost;

/// Every how many seeds the state root is also computed from the whole state at once.
const SCRATCH_EVERY: u64 = 16;

fn run(node: &Node, scenario: &Scenario, roots: RootsScript) -> Transcript<TrieDelta> {
    let clock = Arc::new(ManualClock::at(UnixUs(0)));
    let timed = TimedHost::new(node.host.clone(), Arc::clone(&clock));
    let host = ScriptHost::new(timed, ScriptPool::default(), roots);
    simulate(&host, &clock, Box::new(PriorityOrder), scenario).unwrap()
}

/// `count` seeds from `first` on, or `BLOCKWRIGHT_SEEDS` of them (`make simulate`).
fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let set = std::env::var("BLOCKWRIGHT_SEEDS").ok();
    let count = set.map_or(count, |seeds| seeds.parse().expect("a number"));
    first..first + count
}

fn hold_over(fork: OpFork, seeds: std::ops::Range<u64>) {
    let node = Node::new(fork);
    let genesis = Parent::genesis(&node.chain);
    let following = followed::deps(&node);
    let count = seeds.end - seeds.start;
    let (mut busy, mut withdrew, mut reverted) = (0, 0, 0);
    for seed in seeds {
        let mut scenario = scenario(&node.chain, &genesis, seed);
        scenario.config.roots = rule(seed);
        let transcript = run(&node, &scenario, RootsScript::Honest);
        check(fork, seed, &scenario, &transcript);
        check_followed(&following, &transcript)
            .unwrap_or_else(|what| panic!("{fork}, seed {seed}, followed: {what}"));
        for published in &transcript.published {
            check_agreement(&node, &genesis, &scenario, &published.best)
                .unwrap_or_else(|what| panic!("{fork}, seed {seed}: {what}"));
        }
        if let Some(last) = transcript.published.last() {
            let block = &last.best.block;
            if seed % SCRATCH_EVERY == 0 {
                check_root_from_scratch(&node.chain, block)
                    .unwrap_or_else(|what| panic!("{fork}, seed {seed}: {what}"));
            }
            let untouched = genesis.header.withdrawals_root;
            withdrew += u64::from(block.header.withdrawals_root != untouched);
            reverted += u64::from(block.receipts().any(|receipt| !receipt.status()));
        }
        busy += u64::from(pool_transactions(&transcript) > 3);
    }
    assert!(busy > count / 3, "the scripts exercise the pool: {busy}");
    assert!(withdrew > count / 3, "and withdrawals: {withdrew}");
    assert!(reverted > count / 3, "and reverts: {reverted}");
}

#[test]
fn invariants_hold_at_karst() {
    hold_over(OpFork::Karst, seeds(0, 400));
}

#[test]
fn invariants_hold_at_isthmus() {
    hold_over(OpFork::Isthmus, seeds(400, 300));
}

#[test]
fn replay_is_byte_identical() {
    let node = Node::new(OpFork::Karst);
    let genesis = Parent::genesis(&node.chain);
    for seed in 1_000..1_040 {
        let scenario = scenario(&node.chain, &genesis, seed);
        let one = run(&node, &scenario, RootsScript::Honest);
        let two = run(&Node::new(OpFork::Karst), &scenario, RootsScript::Honest);
        check_replay(&one, &two).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
}

/// What was published before the roots failed stays valid and resolvable.
#[test]
fn a_failed_root_leaves_a_valid_block() {
    let node = Node::new(OpFork::Karst);
    let genesis = Parent::genesis(&node.chain);
    let mut failed = 0;
    for seed in 2_000..2_040 {
        let scenario = scenario(&node.chain, &genesis, seed);
        let at = seed % 5;
        let transcript = run(&node, &scenario, RootsScript::FailAt(at));
        check(OpFork::Karst, seed, &scenario, &transcript);
        assert!(transcript.published.len() as u64 <= at);
        if let Some(last) = transcript.published.last() {
            check_agreement(&node, &genesis, &scenario, &last.best)
                .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        }
        let end = transcript.end.map(|end| end.reason);
        failed += u64::from(end == Some(StopReason::Failed));
    }
    assert!(failed > 15, "the failures were met: {failed}");
}

/// Blocks on blocks: each is handed to the builder's own store with its trie delta, and imported by
/// another node that has nothing but the transactions.
#[test]
fn chains_of_built_blocks_are_followed_by_an_importing_node() {
    for seed in [3_000, 4_000, 5_000] {
        let (builder, follower) = (Node::new(OpFork::Karst), Node::new(OpFork::Karst));
        let mut parent = Parent::genesis(&builder.chain);
        for generation in 0..chain::GENERATIONS {
            let seed = seed + generation;
            let mut scenario = scenario(&builder.chain, &parent, seed);
            scenario.config.roots = rule(seed);
            let transcript = run(&builder, &scenario, RootsScript::Honest);
            check(OpFork::Karst, seed, &scenario, &transcript);
            let Some(last) = transcript.published.last() else {
                continue;
            };
            let best = &last.best;
            let imported = agreement::import(&follower, &parent, &best.block)
                .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
            follower
                .store
                .insert(Arc::clone(&best.block), imported)
                .unwrap();
            builder
                .store
                .insert(Arc::clone(&best.block), best.artifact.clone())
                .unwrap();
            parent = parent.child(&best.block);
        }
        assert!(parent.generation > 4, "the chain grew: {parent:?}");
    }
}

#[test]
fn agreement_can_fail() {
    let node = Node::new(OpFork::Karst);
    let genesis = Parent::genesis(&node.chain);
    let (scenario, transcript) = (0..)
        .map(|seed| scenario(&node.chain, &genesis, seed))
        .map(|scenario| (scenario.clone(), run(&node, &scenario, RootsScript::Honest)))
        .find(|(_, transcript)| pool_transactions(transcript) > 3)
        .unwrap();
    let best = &transcript.published.last().unwrap().best;
    let mut forged = best.clone();
    let mut block = (*best.block).clone();
    block.header.state_root = genesis.header.state_root;
    block.hash = block.header.hash_slow();
    forged.block = Arc::new(block);
    assert!(check_agreement(&node, &genesis, &scenario, &forged).is_err());
    assert!(check_root_from_scratch(&node.chain, &forged.block).is_err());
    assert!(check_agreement(&node, &genesis, &scenario, best).is_ok());
}
