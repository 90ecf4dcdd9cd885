//! Seeded scripts on real threads: late fork choices, payloads that nobody fetches, newer ones that
//! supersede them, roots that fail or never come, jobs that panic. Whatever happens, a payload is what
//! was published of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use blockwright_seams::Clock as _;
use blockwright_service::{JobConfig, RootsRule, ServiceConfig};
use blockwright_testkit::{Program, Rng, RootsScript, TxSpec};
use common::{Bench, bench_with, build, check_roots, config, hashes};

const RULES: [RootsRule; 3] = [RootsRule::Every, RootsRule::Last, RootsRule::None];
const SEEDS: u64 = 60;
const STEPS: u64 = 24;
const PATIENCE: Duration = Duration::from_micros(500);

/// What went on over all seeds, so that a script that does nothing is noticed.
#[derive(Debug, Default)]
struct Sums {
    flashblocks: usize,
    transactions: usize,
    superseded: u64,
    unrooted: u64,
}

fn seeds() -> u64 {
    let set = std::env::var("BLOCKWRIGHT_SEEDS").ok();
    set.map_or(SEEDS, |seeds| seeds.parse().expect("a number"))
}

/// Faults that leave a way to the roots: one of a place would hit every attempt to complete it.
fn script(rng: &mut Rng, rule: RootsRule) -> RootsScript {
    let index = 1 + rng.below(9);
    match (rng.below(4), rule) {
        (0, RootsRule::Every) => RootsScript::FailAt(index),
        (1, RootsRule::Every) => RootsScript::PanicAt(index),
        // What completes a payload opens the sessions after the job's own.
        (0, _) => RootsScript::FailSessions(1, 2),
        _ => RootsScript::Honest,
    }
}

fn transaction(rng: &mut Rng, nonces: &mut [u64; 20]) -> TxSpec {
    let sender = rng.below(20);
    let nonce = &mut nonces[sender as usize];
    let mut spec = TxSpec::transfer(sender + 5, *nonce, u128::from(rng.below(9)));
    *nonce += 1;
    match rng.below(300) {
        0 => spec.program = Program::Panic,
        1 => spec.program = Program::Fault,
        2..40 => spec.program = Program::Revert,
        _ => {}
    }
    spec
}

/// Whether what a payload hands out is what was published of it, now and later.
fn check(bench: &Bench, id: u64, seed: u64) {
    let best = bench.handle.resolve(build(id).id).unwrap();
    check_roots(&best);
    assert_eq!(
        hashes(&best),
        bench.published(id),
        "seed {seed}, payload {id}"
    );
    let all = bench.sink.all();
    let of_payload = all.iter().filter(|one| one.payload_id == build(id).id);
    let indices: Vec<u64> = of_payload.map(|one| one.index).collect();
    let wanted: Vec<u64> = (0..best.block.parts.len() as u64).collect();
    assert_eq!(
        indices, wanted,
        "seed {seed}, payload {id}: none missing, none twice"
    );
}

async fn run(seed: u64, sums: &mut Sums) {
    let mut rng = Rng::new(seed);
    let roots = RULES[(seed % 3) as usize];
    let job = JobConfig {
        roots,
        ..JobConfig::default()
    };
    let script = script(&mut rng, roots);
    let bench = bench_with(script, ServiceConfig { job, ..config() });
    if rng.chance(25) {
        let late_us = rng.below(2_400_000);
        bench.clock.advance_to(bench.clock.now().plus_us(late_us));
    }
    let mut nonces = [0; 20];
    let mut started = 1;
    bench.handle.start(build(1)).await.unwrap();
    let supersede_at = rng.below(2 * STEPS);
    let resolve_at = rng.below(2 * STEPS);
    for step in 0..STEPS {
        for _ in 0..rng.below(4) {
            bench
                .pool
                .arrive(transaction(&mut rng, &mut nonces).build());
        }
        let on_us = rng.below(2_000_000 / STEPS * 2);
        bench.clock.advance_to(bench.clock.now().plus_us(on_us));
        if rng.chance(80) {
            // Most of the time the job gets to act before time goes on.
            while bench.pool.next_decision(PATIENCE).is_some() {}
        }
        if step == supersede_at {
            // A payload whose own first roots fail is refused, and the older one goes on.
            let answer = bench.handle.start(build(2)).await;
            assert!(
                answer.is_ok() || script == RootsScript::FailSessions(1, 2),
                "{answer:?}"
            );
            started += u64::from(answer.is_ok());
        }
        if step == resolve_at {
            let payload = bench.handle.peek(build(started).id).unwrap();
            sums.unrooted += u64::from(payload.sealed().is_none());
            check(&bench, started, seed);
        }
    }
    // Those that were dropped or superseded are asked for after all.
    for id in 1..=started {
        check(&bench, id, seed);
    }
    bench.shut_down().await;
    for id in 1..=started {
        check(&bench, id, seed);
    }
    sums.superseded += started - 1;
    sums.flashblocks += bench.sink.all().len();
    sums.transactions += bench.published(started).len();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_are_what_was_published_whatever_happens() {
    let mut sums = Sums::default();
    for seed in 0..seeds() {
        run(seed, &mut sums).await;
    }
    println!("{} seeds: {sums:?}", seeds());
    let count = seeds();
    assert!(sums.superseded > count / 4, "{sums:?}");
    let opened = count + sums.superseded;
    assert!(
        sums.flashblocks as u64 > opened,
        "more than index 0: {sums:?}"
    );
    assert!(
        sums.transactions as u64 > 2 * count,
        "and than deposits: {sums:?}"
    );
}
