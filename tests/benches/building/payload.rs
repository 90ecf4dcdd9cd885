//! The answer to getPayload: the envelope of a sealed block as JSON.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use blockwright_engine::PayloadEnvelope;
use blockwright_types::{OpFork, SealedBlock};

use crate::ours::{self, Arrivals};
use crate::world::World;

const TRANSACTIONS: usize = 1_500;
const RUNS: usize = 200;

/// A block of token transfers.
pub fn block(world: &World) -> Arc<SealedBlock> {
    let txs = world.token_transfers();
    ours::build(world, &txs[..TRANSACTIONS], Arrivals::Spread).block
}

/// What the method does behind the lookup of the payload.
pub fn answer(block: &SealedBlock) -> Vec<u8> {
    serde_json::to_vec(&PayloadEnvelope::of_block(block, OpFork::Karst)).unwrap()
}

/// Median, 99th percentile and maximum of single answers.
pub fn print_percentiles(block: &SealedBlock) {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            black_box(answer(block));
            started.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "\ngetPayload answer of {} transactions, {} KB: p50 {:?}, p99 {:?}, maximum {:?} of {RUNS}",
        block.transaction_count(),
        answer(block).len() / 1_000,
        times[RUNS / 2],
        times[RUNS * 99 / 100],
        times[RUNS - 1]
    );
}
