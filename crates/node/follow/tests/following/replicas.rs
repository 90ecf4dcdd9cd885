//! One block at a time.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use blockwright_engine::{Preconfirmed, decode_all};
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_follow::{Executed, Refutation, Replica};

use crate::author::{Author, Built, RECEIVER, chain};
use crate::node::Node;

/// Executes a stream's flashblocks; the first refutation ends it.
fn follow(
    node: &Node,
    flashblocks: &[Arc<OpFlashblockPayload>],
) -> Result<(Replica, Vec<Executed>), Refutation> {
    let deps = node.replica_deps();
    let mut replica: Option<Replica> = None;
    let mut all = Vec::new();
    for flashblock in flashblocks {
        let encoded = &flashblock.diff.transactions;
        let transactions = decode_all(&node.pool, &node.store, encoded)?;
        all.push(match &mut replica {
            None => {
                let (opened, executed) = Replica::open(&deps, flashblock, &transactions)?;
                replica = Some(opened);
                executed
            }
            Some(replica) => replica.append(flashblock, &transactions)?,
        });
    }
    Ok((replica.unwrap(), all))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_prefix_is_the_block_that_was_published() {
    let chain = chain();
    let node = Node::new(&chain);
    let built = Author::new(&chain).build(&[3, 0, 200, 1]);
    let (_replica, executed) = follow(&node, &built.flashblocks).unwrap();
    let stated = built
        .flashblocks
        .iter()
        .map(|stated| stated.diff.block_hash);
    let hashes: Vec<B256> = executed
        .iter()
        .map(|executed| executed.block.hash)
        .collect();
    assert_eq!(hashes, stated.collect::<Vec<_>>());
    let counts: Vec<usize> = executed
        .iter()
        .map(|executed| executed.part.transactions.len())
        .collect();
    assert_eq!(counts, [1, 3, 0, 200, 1]);
    let last = &executed.last().unwrap().block;
    assert!(last.receipts().eq(built.block.receipts()));
    assert_eq!(last.changes(), built.block.changes());
    assert_eq!(last.value, built.block.value);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_was_followed_is_imported_without_execution() {
    let chain = chain();
    let node = Node::new(&chain);
    let built = Author::new(&chain).build(&[2, 2]);
    let (_replica, executed) = follow(&node, &built.flashblocks).unwrap();
    assert!(node.import(&built.block).await.is_valid());
    let held = node.store.block_by_hash(built.hash()).unwrap();
    // The very same allocation: nothing was executed or decoded again.
    assert!(Arc::ptr_eq(&held, &executed.last().unwrap().block));
    node.choose(built.hash()).await;
    let paid = node.store.reader(built.hash()).unwrap();
    assert_eq!(paid.account(&RECEIVER).unwrap().balance, U256::from(4));
    node.stop().await;
}

/// Roots that the stream leaves out are computed all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_roots_is_handed_over_complete() {
    let chain = chain();
    let node = Node::new(&chain);
    let built = Author::new(&chain).build_with(&[2, 2], |_| false);
    let (replica, executed) = follow(&node, &built.flashblocks).unwrap();
    for Executed { block, .. } in &executed {
        assert_eq!(
            (block.hash, block.header.state_root),
            (B256::ZERO, B256::ZERO)
        );
    }
    assert_eq!(replica.block().unwrap().hash, built.hash());
    let (block, delta) = node.handover.executed(built.hash()).unwrap();
    assert_eq!(delta.roots(), built.delta.roots());
    assert!(block.receipts().eq(built.block.receipts()));
    assert!(node.import(&built.block).await.is_valid());
    node.stop().await;
}

/// Another block's hash, or the hash with other contents, is not handed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_payload_itself_is_taken_over() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut author = Author::new(&chain);
    let other = author.abandon(&[1]);
    let built = author.build(&[2, 2]);
    follow(&node, &built.flashblocks).unwrap();
    assert!(node.import(&other.block).await.is_valid(), "executed");
    let mut forged = (*built.block).clone();
    forged.parts.pop();
    assert!(!node.import(&forged).await.is_valid());
    assert!(!node.store.contains(built.hash()));
    assert!(node.import(&built.block).await.is_valid());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_holds_the_last_few_payloads() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut author = Author::new(&chain);
    let all: Vec<Built> = (0..6).map(|_| author.abandon(&[1, 1])).collect();
    for built in &all {
        follow(&node, &built.flashblocks).unwrap();
    }
    assert_eq!(node.handover.len(), 4);
    let known: Vec<bool> = all
        .iter()
        .map(|built| node.handover.executed(built.hash()).is_some())
        .collect();
    assert_eq!(known, [false, false, true, true, true, true]);
    node.handover.forget_to(0);
    assert_eq!(node.handover.len(), 4);
    node.handover.forget_to(1);
    assert!(node.handover.is_empty());
    node.stop().await;
}

/// A change to a flashblock, and the label of its refutation.
type Lie = (&'static str, usize, fn(&mut OpFlashblockPayload));

const LIES: &[Lie] = &[
    ("base", 0, |it| it.base.as_mut().unwrap().timestamp = 1),
    ("base", 0, |it| it.base.as_mut().unwrap().block_number += 1),
    ("base", 0, |it| {
        it.base.as_mut().unwrap().base_fee_per_gas += U256::ONE;
    }),
    ("base", 0, |it| {
        it.base.as_mut().unwrap().extra_data = vec![9].into();
    }),
    ("gas_limit", 0, |it| {
        it.base.as_mut().unwrap().gas_limit = 1 << 60;
    }),
    ("block_hash", 0, |it| {
        it.base.as_mut().unwrap().prev_randao = B256::repeat_byte(9);
    }),
    ("gas_used", 0, |it| it.diff.transactions.clear()),
    ("gas_used", 1, |it| it.diff.gas_used += 1),
    ("gas_used", 2, |it| {
        it.diff.transactions.pop();
    }),
    ("transaction", 2, |it| it.diff.transactions.swap(0, 1)),
    ("undecodable", 1, |it| {
        it.diff.transactions.push(vec![2, 0xc0].into());
    }),
    ("blob_gas_used", 1, |it| it.diff.blob_gas_used = None),
    ("withdrawals", 1, |it| {
        it.diff.withdrawals.push(Default::default())
    }),
    ("receipts_root", 2, |it| {
        it.diff.receipts_root = B256::repeat_byte(9);
    }),
    ("logs_bloom", 2, |it| it.diff.logs_bloom.0[7] ^= 1),
    ("state_root", 2, |it| {
        it.diff.state_root = B256::repeat_byte(9);
    }),
    ("withdrawals_root", 2, |it| {
        it.diff.withdrawals_root = B256::repeat_byte(9);
    }),
    ("block_hash", 2, |it| {
        it.diff.block_hash = B256::repeat_byte(9);
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lie_is_refuted_by_the_name_of_the_field() {
    let chain = chain();
    let node = Node::new(&chain);
    let built = Author::new(&chain).build(&[2, 3]);
    for (label, at, lie) in LIES {
        let mut flashblocks = built.flashblocks.clone();
        lie(Arc::make_mut(&mut flashblocks[*at]));
        let refutation = follow(&node, &flashblocks).err().unwrap();
        assert_eq!(refutation.label(), *label, "{refutation}");
    }
    assert_eq!(node.store.head().number, 0);
    follow(&node, &built.flashblocks).unwrap();
    node.stop().await;
}
