//! Blocks that are shown first and handed out later.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use alloy_primitives::B256;
use blockwright_service::{ReleaseError, RootsRule, Settled};
use blockwright_testkit::{RootsScript, TxSpec};
use common::{bench, bench_with, build, check_roots, config, due, hashes};

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_state_that_is_handed_out_is_the_payload_for_everybody() {
    let bench = bench(RootsScript::Honest);
    let (id, context) = (build(1).id, build(1).context);
    let mut newest = bench.handle.newest();
    assert_eq!(*newest.borrow_and_update(), None);
    bench.handle.start(build(1)).await.unwrap();
    assert_eq!(*newest.borrow_and_update(), Some(id));
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    bench.publish(1);
    let offer = bench.handle.offer(context.parent_hash).unwrap();
    assert_eq!(offer.parent_timestamp, build(1).parent_timestamp);
    assert_eq!(hashes(&offer.best), bench.published(1));
    // The building goes on.
    bench.commit(TxSpec::transfer(4, 0, 0), 2);
    bench.publish(2);
    let better = bench.handle.offer(context.parent_hash).unwrap();
    assert_ne!(better.best.block.hash, offer.best.block.hash);
    let settled = bench.handle.settle(&offer);
    assert_eq!(settled, Settled::Here { left_out: 1 });
    assert_eq!(bench.handle.settle(&offer), Settled::Already);
    let hash = offer.best.block.hash;
    assert_eq!(bench.handle.settle(&better), Settled::Elsewhere(hash));
    let resolved = bench.handle.resolve(id).unwrap();
    assert_eq!(resolved.block.hash, hash);
    let release = bench.handle.release(context.parent_hash, context.number);
    assert_eq!(release.unwrap().best.block.hash, hash);
    assert!(bench.handle.built(hash).is_some());
    bench.clock.advance_to(due(9));
    bench.shut_down().await;
    assert_eq!(bench.sink.all().len(), 3, "silence after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_without_roots_gets_them_for_an_offer() {
    let mut config = config();
    config.job.roots = RootsRule::None;
    let bench = bench_with(RootsScript::Honest, config);
    let parent = build(1).context.parent_hash;
    let unknown = B256::repeat_byte(0x99);
    let refused = bench.handle.offer(unknown).unwrap_err();
    assert_eq!(refused, ReleaseError::Nothing(unknown));
    bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    bench.publish(1);
    let offer = bench.handle.offer(parent).unwrap();
    assert_eq!(hashes(&offer.best), bench.published(1));
    check_roots(&offer.best);
    bench.commit(TxSpec::transfer(4, 0, 0), 2);
    bench.publish(2);
    let settled = bench.handle.settle(&offer);
    assert_eq!(settled, Settled::Here { left_out: 1 });
    let resolved = bench.handle.resolve(build(1).id).unwrap();
    assert_eq!(resolved.block.hash, offer.best.block.hash);
    bench.shut_down().await;
}
