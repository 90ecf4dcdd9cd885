//! What large blocks cost on their way out and back in: frames for subscribers, getPayload,
//! newPayload of the same block, and the fork choice that makes it durable.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "building/frames.rs"]
mod frames;
#[path = "building/payload.rs"]
mod payload;
#[path = "building/token.rs"]
mod token;
#[path = "building/world.rs"]
#[allow(dead_code)] // the other benchmark's transactions
mod world;

use world::World;

/// The binary's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    frames::print();
    let world = World::new();
    for (transactions, runs) in [(1_500, 500), (20_000, 100)] {
        let directory = tempfile::tempdir().unwrap();
        let node = payload::Node::new(&world, transactions, directory.path());
        node.print_percentiles(runs);
        node.stop();
    }
}
