//! Block after block, with a consensus client that is behind.

use std::sync::Arc;

use alloy_primitives::U256;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_follow::{Follower, Step};
use blockwright_pending::PendingBlock;
use blockwright_types::UnixUs;

use crate::author::{Author, RECEIVER, chain};
use crate::node::{INTERVAL_US, NOW, Node};

/// Takes all of them, each of which must be executed; the last snapshot.
pub fn follow_all(
    follower: &mut Follower,
    flashblocks: &[Arc<OpFlashblockPayload>],
) -> Arc<PendingBlock> {
    let mut last = None;
    for flashblock in flashblocks {
        match follower.take(flashblock, NOW) {
            Step::Published(pending) => last = Some(pending),
            other => panic!("{} gave {other:?}", flashblock.index),
        }
    }
    last.unwrap()
}

/// What the receiver of all transfers has at `pending`.
pub fn received(node: &Node) -> Option<U256> {
    let state = node.snapshot()?.state();
    let account = state.account(&RECEIVER);
    Some(account.map_or(U256::ZERO, |account| account.balance))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pending_grows_flashblock_by_flashblock() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let built = Author::new(&chain).build(&[1, 2, 3]);
    assert!(node.snapshot().is_none());
    let mut seen = Vec::new();
    for flashblock in &built.flashblocks {
        follow_all(&mut follower, std::slice::from_ref(flashblock));
        seen.push(received(&node).unwrap());
    }
    assert_eq!(seen, [0, 1, 3, 6].map(U256::from));
    let snapshot = node.snapshot().unwrap();
    assert_eq!((snapshot.index, snapshot.block.hash), (3, built.hash()));
    for (place, tx) in built.block.transactions().enumerate() {
        assert_eq!(snapshot.transaction(&tx.hash), Some(place));
    }
    node.adopt(&built.block).await;
    assert!(follower.follow_head().is_none());
    assert!(node.snapshot().is_none(), "imported");
    assert!(node.handover.is_empty());
    node.stop().await;
}

async fn next_block_before_the_import(rooted: fn(u64) -> bool) {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let first = author.build_with(&[1, 2], rooted);
    let second = author.build_with(&[3, 4], rooted);
    let third = author.build_with(&[5], rooted);
    let all = [&first, &second, &third];
    let ends = all.map(|built| {
        follow_all(&mut follower, &built.flashblocks);
        received(&node).unwrap()
    });
    assert_eq!(ends, [3, 10, 15].map(U256::from));
    let lineage: Vec<u64> = node
        .snapshot()
        .unwrap()
        .lineage()
        .map(|block| block.context.number)
        .collect();
    assert_eq!(lineage, [3, 2, 1]);
    assert_eq!(node.store.head().number, 0, "nothing was chosen");
    for built in [&first, &second] {
        assert!(node.store.contains(built.hash()), "held beside the chain");
        assert!(!node.store.is_canonical(built.hash()));
    }
    // The consensus client catches up, block by block.
    for (built, left) in all.into_iter().zip([Some(15), Some(15), None]) {
        node.adopt(&built.block).await;
        follower.follow_head();
        assert_eq!(received(&node), left.map(U256::from), "{}", built.number());
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_blocks_run_before_the_first_is_imported() {
    next_block_before_the_import(|_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_they_do_where_the_stream_carries_no_roots() {
    next_block_before_the_import(|_| false).await;
}

/// Whoever joins in the middle of a block cannot execute it, but does the next one as soon as the
/// consensus client brings the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_waits_for_a_parent_that_was_not_seen() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let missed = author.build(&[1, 1]);
    let next = author.build(&[1, 1, 1]);
    assert!(matches!(
        follower.take(&missed.flashblocks[1], NOW),
        Step::Ignored("not_begun")
    ));
    for flashblock in &next.flashblocks[..3] {
        assert!(matches!(follower.take(flashblock, NOW), Step::Waiting));
    }
    assert!(node.snapshot().is_none());
    assert!(node.import(&missed.block).await.is_valid());
    assert!(follower.follow_head().is_none(), "not the head yet");
    node.choose(missed.hash()).await;
    let Some(Step::Published(pending)) = follower.follow_head() else {
        panic!("not resumed");
    };
    assert_eq!((pending.index, pending.context.number), (2, 2));
    follow_all(&mut follower, &next.flashblocks[3..]);
    assert_eq!(received(&node), Some(U256::from(5)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_head_withdraws_what_does_not_lead_on_from_it() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let rival = author.abandon(&[1]);
    let first = author.build(&[1]);
    let second = author.build(&[1]);
    follow_all(&mut follower, &first.flashblocks);
    follow_all(&mut follower, &second.flashblocks[..1]);
    node.adopt(&rival.block).await;
    assert!(node.snapshot().is_none(), "no descendant of the head");
    let step = follower.take(&second.flashblocks[1], NOW);
    assert!(matches!(step, Step::Ignored("given_up")), "{step:?}");
    assert!(node.snapshot().is_none());
    assert_eq!(node.store.head().hash, rival.hash());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_payload_for_the_same_place_replaces_the_old_one() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let given_up = author.abandon(&[7]);
    let built = author.build(&[1, 1]);
    follow_all(&mut follower, &given_up.flashblocks);
    assert_eq!(received(&node), Some(U256::from(7)));
    follow_all(&mut follower, &built.flashblocks);
    assert_eq!(received(&node), Some(U256::from(2)));
    // Either may become the block.
    assert!(node.import(&given_up.block).await.is_valid());
    assert!(node.import(&built.block).await.is_valid());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_consensus_client_is_left_behind_by_eight_blocks_at_most() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let all: Vec<_> = (0..11).map(|_| author.build(&[1])).collect();
    for built in &all[..9] {
        follow_all(&mut follower, &built.flashblocks);
    }
    for built in &all[9..] {
        assert!(matches!(
            follower.take(&built.flashblocks[0], NOW),
            Step::Waiting
        ));
    }
    let held = all.iter().filter(|built| node.store.contains(built.hash()));
    assert_eq!(held.count(), 8);
    for built in &all[..10] {
        node.adopt(&built.block).await;
    }
    let step = follower.follow_head();
    assert!(matches!(step, Some(Step::Published(_))), "{step:?}");
    follow_all(&mut follower, &all[10].flashblocks[1..]);
    assert_eq!(received(&node), Some(U256::from(11)));
    node.stop().await;
}

/// A consensus client is mostly a block behind, for ever: snapshots must not pile up on each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_of_imported_blocks_are_let_go() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let mut behind = author.build(&[1, 1]);
    let mut sent = 2;
    let mut seen = vec![Arc::downgrade(&follow_all(
        &mut follower,
        &behind.flashblocks,
    ))];
    for _ in 0..12 {
        let next = author.build(&[1]);
        sent += 1;
        // Its beginning comes before the import of the one before, its end after it.
        follow_all(&mut follower, &next.flashblocks[..1]);
        node.adopt(&behind.block).await;
        let last = follow_all(&mut follower, &next.flashblocks[1..]);
        assert!(last.lineage().count() <= 2);
        assert_eq!(received(&node), Some(U256::from(sent)));
        seen.push(Arc::downgrade(&last));
        behind = next;
    }
    let kept = seen.iter().filter(|seen| seen.strong_count() > 0).count();
    assert!(kept <= 2, "{kept} of {}", seen.len());
    let held = node.snapshot().unwrap().state().base_hash();
    assert_eq!(Some(held), node.snapshot().map(|it| it.context.parent_hash));
    node.stop().await;
}

/// State is as old as the flashblock, not as its execution.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_too_long_to_be_executed_is_not_believed() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let built = Author::new(&chain).build(&[1]);
    let last_us = NOW.0 - 2 * INTERVAL_US;
    follower.take(&built.flashblocks[0], UnixUs(last_us - 1));
    assert!(node.snapshot().is_none());
    follower.take(&built.flashblocks[1], UnixUs(last_us));
    assert_eq!(received(&node), Some(U256::ONE));
    node.stop().await;
}
