//! Seeded streams that do anything, and heads that go anywhere.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_primitives::map::B256Set;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_follow::{Follower, Step};
use blockwright_testkit::Rng;
use blockwright_types::PayloadId;

use crate::author::{Author, Built, chain};
use crate::blocks_ahead::follow_all;
use crate::node::{NOW, Node};

const SEEDS: u64 = 24;
const ACTIONS: u64 = 120;

/// Changes one thing, or nothing.
fn mangled(rng: &mut Rng, flashblock: &Arc<OpFlashblockPayload>) -> Arc<OpFlashblockPayload> {
    let mut changed = (**flashblock).clone();
    let noise = B256::from(alloy_primitives::U256::from(rng.next_u64()));
    match rng.below(14) {
        0 => changed.diff.state_root = noise,
        1 => changed.diff.block_hash = noise,
        2 => changed.diff.receipts_root = noise,
        3 => changed.diff.gas_used = rng.next_u64(),
        4 => changed.diff.transactions.clear(),
        5 => changed.diff.transactions.reverse(),
        6 => changed.index = rng.below(5),
        7 => changed.payload_id = PayloadId::new(rng.next_u64().to_be_bytes()),
        8 => changed.metadata.block_number = rng.below(6),
        9 => changed.base = None,
        10 => changed.diff.transactions.push(noise.to_vec().into()),
        _ => {}
    }
    if let Some(base) = &mut changed.base {
        match rng.below(10) {
            0 => base.parent_hash = noise,
            1 => base.timestamp = rng.next_u64(),
            2 => base.gas_limit = rng.next_u64(),
            3 => base.extra_data = noise.to_vec().into(),
            _ => {}
        }
    }
    Arc::new(changed)
}

/// Hashes that honest flashblocks state.
fn stated(blocks: &[Built]) -> B256Set {
    let flashblocks = blocks.iter().flat_map(|built| &built.flashblocks);
    flashblocks.map(|stated| stated.diff.block_hash).collect()
}

async fn run(seed: u64) -> [u64; 2] {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let mut rng = Rng::new(seed);
    let mut rivals = Vec::new();
    let mut blocks = Vec::new();
    for _ in 0..4 {
        rivals.push(author.abandon(&[1, 2]));
        blocks.push(author.build(&[1, 0, 2]));
    }
    let mut known = stated(&blocks);
    known.extend(stated(&rivals));
    let mut stream = blocks
        .iter()
        .zip(&rivals)
        .flat_map(|(block, rival)| rival.flashblocks[..2].iter().chain(&block.flashblocks))
        .cloned()
        .collect::<Vec<_>>();
    stream.extend(stream.clone());
    let mut adopted = 0;
    let mut place = 0;
    let mut published = 0;
    for _ in 0..ACTIONS {
        match rng.below(12) {
            0 if adopted < blocks.len() => {
                node.adopt(&blocks[adopted].block).await;
                adopted += 1;
                follower.follow_head();
            }
            1 => place = rng.below(stream.len() as u64) as usize,
            _ => {
                let honest = &stream[place % stream.len()];
                place += 1;
                let next = if rng.chance(25) {
                    mangled(&mut rng, honest)
                } else {
                    Arc::clone(honest)
                };
                if let Step::Published(pending) = follower.take(&next, NOW) {
                    published += 1;
                    let hash = pending.block.hash;
                    assert!(known.contains(&hash), "seed {seed}: {hash}");
                }
            }
        }
        let head = node.store.head();
        let canonical = adopted.checked_sub(1).map(|last| blocks[last].hash());
        assert_eq!(head.hash, canonical.unwrap_or(chain.genesis_hash()));
        if let Some(snapshot) = node.snapshot() {
            assert!(snapshot.context.number > head.number, "seed {seed}");
        }
        assert!(node.handover.len() <= 4);
    }
    // Whatever it was, the next block on the head is followed.
    for built in &blocks[adopted..] {
        node.adopt(&built.block).await;
    }
    let next = author.build(&[2]);
    follower.follow_head();
    let last = follow_all(&mut follower, &next.flashblocks);
    assert_eq!(last.block.hash, next.hash(), "seed {seed}");
    node.stop().await;
    [published, adopted as u64]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stream_moves_the_chain_or_stops_the_following() {
    let mut sums = [0, 0];
    for seed in 0..SEEDS {
        for (sum, count) in sums.iter_mut().zip(run(seed).await) {
            *sum += count;
        }
    }
    let [published, adopted] = sums;
    assert!(
        published > SEEDS * 4,
        "much of it was followed: {published}"
    );
    assert!(adopted > SEEDS, "and heads moved: {adopted}");
}
