//! Payloads whose flashblocks were published without roots.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_service::{JobConfig, RootsRule, ServiceConfig};
use blockwright_testkit::{Program, RootsScript, TxSpec};
use blockwright_types::{Flashblock, PayloadOutcome, StopReason};
use common::{Bench, bench_with, build, check_roots, config, due, hashes};

const RULES: [RootsRule; 3] = [RootsRule::Every, RootsRule::Last, RootsRule::None];

fn bench(rule: RootsRule, script: RootsScript) -> Bench {
    let job = JobConfig {
        roots: rule,
        ..JobConfig::default()
    };
    bench_with(script, ServiceConfig { job, ..config() })
}

fn has_roots(flashblock: &Flashblock) -> bool {
    !flashblock.state_root.is_zero()
}

/// Publishes index 0 and two flashblocks with a transaction each.
async fn publish_three(bench: &Bench) {
    bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    for index in 1..=2 {
        bench.commit(TxSpec::transfer(2 + index, 0, 5), index);
        bench.publish(index);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_is_handed_out_complete_at_any_time() {
    for rule in RULES {
        let bench = bench(rule, RootsScript::Honest);
        publish_three(&bench).await;
        let best = bench.handle.resolve(build(1).id).unwrap();
        check_roots(&best);
        assert_eq!(best.block.transaction_count(), 4);
        assert_eq!(hashes(&best), bench.published(1), "{rule:?}");
        let again = bench.handle.resolve(build(1).id).unwrap();
        assert_eq!(again.block.hash, best.block.hash);
        assert!(bench.handle.built(best.block.hash).is_some());
        let carried: Vec<bool> = bench.sink.all().iter().map(|one| has_roots(one)).collect();
        assert_eq!(
            carried,
            [true, rule == RootsRule::Every, rule == RootsRule::Every]
        );
        bench.shut_down().await;
        let ends = bench.sink.ends();
        assert_eq!(ends.len(), 1, "told once");
        assert_eq!(ends[0].0.outcome, PayloadOutcome::Sealed);
        assert_eq!(ends[0].0.block_hash, best.block.hash);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_plan_ends_with_roots_as_its_rule_says() {
    for rule in RULES {
        let bench = bench(rule, RootsScript::Honest);
        let id = bench.handle.start(build(1)).await.unwrap();
        bench.pool.arrive(TxSpec::transfer(3, 0, 5).build());
        let last = 10;
        for index in 0..=last {
            let flashblock = bench.publish(index);
            let wanted = rule.covers(index, last);
            assert_eq!(has_roots(&flashblock), wanted, "{rule:?}, {index}");
            assert_eq!(flashblock.block_hash.is_zero(), !wanted);
            assert_eq!(flashblock.withdrawals_root.is_zero(), !wanted);
        }
        bench.no_live_jobs().await;
        let ahead = bench.handle.peek(id).unwrap();
        assert!(ahead.sealed().is_some(), "{rule:?}: completed ahead");
        let best = bench.handle.resolve(id).unwrap();
        check_roots(&best);
        assert_eq!(hashes(&best), bench.published(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_without_a_pool_has_roots_under_every_rule() {
    for rule in RULES {
        let bench = bench(rule, RootsScript::Honest);
        let mut request = build(1);
        request.no_tx_pool = true;
        let id = bench.handle.start(request).await.unwrap();
        assert!(has_roots(&bench.publish(0)));
        check_roots(&bench.handle.resolve(id).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_takes_no_promise_with_it() {
    for rule in RULES {
        for program in [Program::Panic, Program::Fault] {
            let bench = bench(rule, RootsScript::Honest);
            publish_three(&bench).await;
            let bomb = TxSpec {
                program,
                ..TxSpec::transfer(40, 0, 5)
            };
            bench.pool.arrive(bomb.build());
            bench.clock.advance_to(due(3));
            bench.no_live_jobs().await;
            let best = bench.handle.resolve(build(1).id).unwrap();
            check_roots(&best);
            assert_eq!(hashes(&best), bench.published(1), "{rule:?}, {program:?}");
            let ends = bench.sink.ends();
            let outcomes: Vec<_> = ends.iter().map(|(end, _)| end.outcome).collect();
            let failed = PayloadOutcome::Abandoned(StopReason::Failed);
            assert_eq!(outcomes, [failed, PayloadOutcome::Sealed]);
            let unknown = rule != RootsRule::Every;
            assert_eq!(ends[0].0.block_hash == B256::ZERO, unknown, "{rule:?}");
            assert_eq!(ends[1].0.block_hash, best.block.hash);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_payload_can_still_be_completed() {
    for rule in RULES {
        let bench = bench(rule, RootsScript::Honest);
        publish_three(&bench).await;
        bench.handle.start(build(2)).await.unwrap();
        bench.publish(0);
        let best = bench.handle.resolve(build(1).id).unwrap();
        check_roots(&best);
        assert_eq!(hashes(&best), bench.published(1));
        check_roots(&bench.handle.resolve(build(2).id).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_does_not_wait_for_the_late_roots_of_the_last_flashblock() {
    let bench = bench(RootsRule::Last, RootsScript::SilentAt(10));
    let id = bench.handle.start(build(1)).await.unwrap();
    for index in 0..=9 {
        bench.publish(index);
    }
    bench.clock.advance_to(due(10));
    while bench.host.closes() < 2 {
        tokio::task::yield_now().await;
    }
    let best = bench.handle.resolve(id).unwrap();
    check_roots(&best);
    assert_eq!(best.block.parts.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_root_of_the_last_flashblock_costs_that_one_alone() {
    let bench = bench(RootsRule::Last, RootsScript::FailAt(10));
    let id = bench.handle.start(build(1)).await.unwrap();
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    for index in 0..=9 {
        bench.publish(index);
    }
    bench.clock.advance_to(due(10));
    bench.no_live_jobs().await;
    let best = bench.handle.resolve(id).unwrap();
    check_roots(&best);
    assert_eq!(hashes(&best), bench.published(1));
    assert_eq!(best.block.parts.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_fails_is_replaced() {
    for rule in [RootsRule::Last, RootsRule::None] {
        // Session 0 is the job's own.
        let bench = bench(rule, RootsScript::FailSessions(1, 2));
        publish_three(&bench).await;
        let best = bench.handle.resolve(build(1).id).unwrap();
        check_roots(&best);
        assert_eq!(hashes(&best), bench.published(1), "{rule:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_roots_the_newest_complete_block_is_handed_out() {
    for rule in [RootsRule::Last, RootsRule::None] {
        let bench = bench(rule, RootsScript::FailSessions(1, 100));
        publish_three(&bench).await;
        let best = bench.handle.resolve(build(1).id).unwrap();
        check_roots(&best);
        assert_eq!(
            best.block.parts.len(),
            1,
            "a valid block is better than none"
        );
        let again = bench.handle.resolve(build(1).id).unwrap();
        assert_eq!(
            again.block.hash, best.block.hash,
            "and it stays the payload"
        );
        assert_eq!(bench.sink.ends()[0].0.block_hash, best.block.hash);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resolves_at_the_same_time_get_the_same_block() {
    let bench = bench(RootsRule::None, RootsScript::Honest);
    publish_three(&bench).await;
    let resolves = (0..8).map(|_| {
        let handle = bench.handle.clone();
        std::thread::spawn(move || handle.resolve(build(1).id).unwrap().block.hash)
    });
    let resolves: Vec<_> = resolves.collect();
    let mut blocks: Vec<B256> = resolves
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    blocks.dedup();
    assert_eq!(blocks.len(), 1);
    assert_eq!(bench.sink.ends().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_resolves_never_contradict_the_stream() {
    for seed in 0..60_u32 {
        let rule = [RootsRule::Last, RootsRule::None][(seed % 2) as usize];
        let bench = bench(rule, RootsScript::Honest);
        let id = bench.handle.start(build(1)).await.unwrap();
        let tx = TxSpec::transfer(3, 0, seed.into()).build();
        bench.pool.arrive(tx);
        let clock = Arc::clone(&bench.clock);
        let mover = std::thread::spawn(move || {
            for index in 1..=10 {
                clock.advance_to(due(index).minus_us(5_500));
                clock.advance_to(due(index));
                std::thread::yield_now();
            }
        });
        for _ in 0..seed * 37 {
            std::hint::spin_loop();
        }
        let best = bench.handle.resolve(id).unwrap();
        check_roots(&best);
        let published_then = bench.published(1);
        mover.join().unwrap();
        bench.shut_down().await;
        assert_eq!(hashes(&best), published_then, "prefix, seed {seed}");
        assert_eq!(hashes(&best), bench.published(1), "silence, seed {seed}");
    }
}
