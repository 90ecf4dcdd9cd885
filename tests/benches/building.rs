//! What building costs beside executing: the same transactions by raw op-revm on one thread and by
//! our builder with ten flashblocks, incremental roots and sealing; and sealing alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "building/ours.rs"]
mod ours;
#[path = "building/raw.rs"]
mod raw;
#[path = "building/token.rs"]
mod token;
#[path = "building/world.rs"]
mod world;

use std::time::Duration;

use blockwright_types::SharedTx;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use ours::{Built, Mode};
use raw::Raw;
use world::{TRANSACTIONS, World};

/// The binary's allocator, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds of the comparison; its figures are medians.
const ROUNDS: usize = 11;

/// A machine with time to spare, which runs transactions ahead of their commit.
const IDLE: Mode = Mode {
    at_once: false,
    slowdown: 1,
};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Raw and ours in turns, so that whatever else runs on the machine hits both.
fn compare(world: &World, raw: &Raw, name: &str, txs: &[SharedTx]) {
    // Five times raw would fill half of the block's two seconds.
    let slowdown = (200.0 / ms(raw.time(txs).0)).ceil() as u64;
    let mode = |at_once, slowdown| Mode { at_once, slowdown };
    let modes = [
        (
            "1,000 arriving for each flashblock, busy",
            mode(false, slowdown),
        ),
        ("1,000 arriving for each flashblock, idle time used", IDLE),
        ("all pooled at the fork choice, busy", mode(true, slowdown)),
    ];
    let mut raw_times = Vec::new();
    let mut built: [Vec<Built>; 3] = Default::default();
    let mut gas = 0;
    for _ in 0..ROUNDS {
        let (time, used) = raw.time(txs);
        raw_times.push(time);
        gas = used;
        for (builds, (_, mode)) in built.iter_mut().zip(modes) {
            builds.push(ours::build(world, txs, mode));
        }
    }
    let raw_time = median(raw_times);
    println!(
        "\n{name}: {TRANSACTIONS} transactions, {} Mgas; raw op-revm {:.1} ms ({:.2} Ggas/s)",
        gas / 1_000_000,
        ms(raw_time),
        gas as f64 / raw_time.as_secs_f64() / 1e9
    );
    for (builds, (name, _)) in built.into_iter().zip(modes) {
        let wall = median(builds.iter().map(|built| built.work).collect());
        let job = median(builds.iter().map(|built| built.job).collect());
        let sealing = median(builds.iter().map(|built| built.sealing).collect());
        let last = builds.last().unwrap();
        println!(
            "  {name}: {:.1} ms = {:.2} x raw; of it the job's thread {:.1} ms, sealing {:.1} ms; \
             {} flashblocks, {} transactions, {} simulations",
            ms(wall),
            wall.as_secs_f64() / raw_time.as_secs_f64(),
            ms(job),
            ms(sealing),
            last.flashblocks,
            last.transactions,
            last.simulations,
        );
    }
}

fn building(criterion: &mut Criterion) {
    let world = World::new();
    let raw = Raw::new(&world);
    let sets = [
        ("transfers", world.transfers()),
        ("ERC-20 transfers", world.token_transfers()),
    ];
    for (name, txs) in &sets {
        compare(&world, &raw, name, txs);
    }
    let mut group = criterion.benchmark_group("10,000 transactions");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4));
    for (name, txs) in &sets {
        group.bench_function(format!("{name}, raw op-revm"), |bencher| {
            bencher.iter_custom(|rounds| (0..rounds).map(|_| raw.time(txs).0).sum());
        });
        group.bench_function(
            format!("{name}, built and sealed in ten flashblocks"),
            |bencher| {
                bencher.iter_custom(|rounds| {
                    let build = |_| ours::build(&world, txs, IDLE).work;
                    (0..rounds).map(build).sum()
                });
            },
        );
        group.bench_function(format!("{name}, seal of the tenth flashblock"), |bencher| {
            bencher.iter_batched(
                || ours::unsealed(&world, txs),
                ours::Unsealed::seal,
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, building);
criterion_main!(benches);
