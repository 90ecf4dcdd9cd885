//! Payloads by parent: whoever asks gets the same block, and nothing is added to it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use alloy_primitives::B256;
use blockwright_service::{ReleaseError, ServiceConfig};
use blockwright_testkit::{RootsScript, TxSpec, deposit};
use blockwright_types::BuildRequest;
use common::{bench, bench_with, build, check_roots, config, due, hashes};

/// A request for block `id` on a parent of its own.
fn build_on(id: u64, parent: B256) -> BuildRequest {
    let mut request = build(id);
    request.context.parent_hash = parent;
    request.no_tx_pool = true;
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn the_released_block_is_what_was_published() {
    let bench = bench(RootsScript::Honest);
    let (id, context) = (build(1).id, build(1).context);
    bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    bench.publish(1);
    let (parent, number) = (context.parent_hash, context.number);
    let refused = bench.handle.release(parent, number + 1).unwrap_err();
    let parent_hash = parent;
    assert_eq!(
        refused,
        ReleaseError::OtherNumber {
            parent_hash,
            number
        }
    );
    bench.commit(TxSpec::transfer(4, 0, 0), 2);
    bench.publish(2);
    let release = bench.handle.release(parent, number).unwrap();
    assert!(release.first);
    assert_eq!(release.parent_timestamp, build(1).parent_timestamp);
    assert_eq!(hashes(&release.best), bench.published(1));
    assert_eq!(release.best.block.transaction_count(), 4);
    bench.clock.advance_to(due(9));
    let again = bench.handle.release(parent, number).unwrap();
    assert!(!again.first);
    assert_eq!(again.best.block.hash, release.best.block.hash);
    let resolved = bench.handle.resolve(id).unwrap();
    assert_eq!(resolved.block.hash, release.best.block.hash);
    bench.shut_down().await;
    assert_eq!(bench.sink.all().len(), 3, "silence after the release");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_payload_is_released_and_stays_the_one() {
    let bench = bench(RootsScript::Honest);
    let (parent, number) = (build(1).context.parent_hash, build(1).context.number);
    let mut second = build_on(2, parent);
    second.sequencer_transactions = vec![deposit(7)];
    bench.handle.start(build_on(1, parent)).await.unwrap();
    bench.handle.start(second).await.unwrap();
    let release = bench.handle.release(parent, number).unwrap();
    assert_eq!(release.best.block.transaction_count(), 1);
    // A later one on the same parent changes nothing.
    bench.handle.start(build_on(3, parent)).await.unwrap();
    let again = bench.handle.release(parent, number).unwrap();
    assert_eq!(again.best.block.hash, release.best.block.hash);
    bench.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_payload_is_released_by_its_parent() {
    let bench = bench(RootsScript::Honest);
    let (older, newer) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let number = build(1).context.number;
    bench.handle.start(build_on(1, older)).await.unwrap();
    bench.handle.start(build_on(2, newer)).await.unwrap();
    for parent in [older, newer] {
        let release = bench.handle.release(parent, number).unwrap();
        assert_eq!(release.best.block.header.parent_hash, parent);
    }
    bench.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_released_before_the_first_block() {
    let bench = bench(RootsScript::Gated);
    let (parent, number) = (build(1).context.parent_hash, build(1).context.number);
    let unknown = B256::repeat_byte(9);
    assert_eq!(
        bench.handle.release(unknown, number).unwrap_err(),
        ReleaseError::Nothing(unknown)
    );
    let handle = bench.handle.clone();
    let start = tokio::spawn(async move { handle.start(build(1)).await });
    while bench.handle.live_jobs() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        bench.handle.release(parent, number).unwrap_err(),
        ReleaseError::NotReady(parent)
    );
    while !bench.host.release_roots() {
        tokio::task::yield_now().await;
    }
    start.await.unwrap().unwrap();
    let release = bench.handle.release(parent, number).unwrap();
    check_roots(&release.best);
    bench.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn released_payloads_outlive_retention_and_are_bounded() {
    let few = ServiceConfig {
        jobs_live_max: 1,
        payloads_retained_max: 1,
        ..config()
    };
    let bench = bench_with(RootsScript::Honest, few);
    let number = build(1).context.number;
    let parent = |id: u64| B256::with_last_byte(u8::try_from(id).unwrap());
    let mut hashes = Vec::new();
    for id in 1..=6 {
        bench.handle.start(build_on(id, parent(id))).await.unwrap();
        let release = bench.handle.release(parent(id), number).unwrap();
        hashes.push(release.best.block.hash);
        bench.no_live_jobs().await;
    }
    let released = |id| bench.handle.release(parent(id), number);
    assert_eq!(
        released(1).unwrap_err(),
        ReleaseError::Nothing(parent(1)),
        "the oldest was forgotten"
    );
    for id in 3..=6 {
        let release = released(id).unwrap();
        assert!(!release.first);
        assert_eq!(
            release.best.block.hash,
            hashes[usize::try_from(id).unwrap() - 1]
        );
    }
    bench.shut_down().await;
}
