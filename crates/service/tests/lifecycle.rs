//! Starting, publishing, resolving, superseding, with real threads and a clock moved by hand.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_service::{Payload, ResolveError, ServiceConfig, StartError};
use blockwright_testkit::{Program, RootsScript, TxSpec};
use blockwright_types::{DaBytes, PayloadId, Severity, StopReason, UnixUs};
use common::{bench, bench_with, build, config, due, hashes};

#[tokio::test(flavor = "multi_thread")]
async fn the_resolved_block_is_what_was_published() {
    let bench = bench(RootsScript::Honest);
    let id = bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    bench.publish(1);
    bench.commit(TxSpec::transfer(4, 0, 0), 2);
    bench.publish(2);
    let best = bench.handle.resolve(id).unwrap();
    assert_eq!(best.block.transaction_count(), 4);
    assert_eq!(hashes(&best), bench.published(1));
    bench.clock.advance_to(due(9));
    let again = bench.handle.resolve(id).unwrap();
    assert_eq!(again.block.hash, best.block.hash);
    assert_eq!(
        bench.handle.built(best.block.hash).unwrap().artifact,
        best.artifact
    );
    assert!(bench.handle.built(B256::ZERO).is_none());
    bench.shut_down().await;
    assert_eq!(bench.sink.all().len(), 3, "silence after the resolve");
}

#[tokio::test(flavor = "multi_thread")]
async fn start_answers_only_once_the_first_block_is_there() {
    let bench = bench(RootsScript::Gated);
    let mut start = Box::pin(bench.handle.start(build(1)));
    let early = tokio::time::timeout(Duration::from_millis(30), &mut start).await;
    assert!(early.is_err(), "no answer before the roots");
    let id = build(1).id;
    assert_eq!(
        bench.handle.resolve(id).unwrap_err(),
        ResolveError::NotReady(id)
    );
    assert!(bench.sink.all().is_empty());
    assert!(bench.host.release_roots());
    assert_eq!(start.await.unwrap(), id);
    assert_eq!(
        bench.handle.resolve(id).unwrap().block.transaction_count(),
        2
    );
    bench.publish(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_right_after_start_still_publishes_what_it_hands_out() {
    let held = ServiceConfig {
        first_hold_us: 60_000_000,
        ..config()
    };
    let bench = bench_with(RootsScript::Honest, held);
    let id = bench.handle.start(build(1)).await.unwrap();
    assert!(
        bench.sink.all().is_empty(),
        "held until the answer is on the wire"
    );
    let best = bench.handle.resolve(id).unwrap();
    assert_eq!(hashes(&best), bench.published(1));
    assert_eq!(bench.sink.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ready_too_late_is_neither_published_nor_handed_out() {
    let end = UnixUs::from_secs(build(1).context.timestamp);
    let limited = ServiceConfig {
        // Between the due times of flashblocks 2 and 3.
        publish_by_us: end.since_us(due(2).plus_us(100_000)),
        ..config()
    };
    let bench = bench_with(RootsScript::Honest, limited);
    let id = bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    bench.publish(1);
    bench.publish(2);
    bench.commit(TxSpec::transfer(4, 0, 0), 3);
    bench.clock.advance_to(due(3));
    bench.clock.advance_to(end.plus_us(1));
    bench.no_live_jobs().await;
    let best = bench.handle.resolve(id).unwrap();
    assert_eq!(bench.sink.all().len(), 3);
    assert_eq!(hashes(&best), bench.published(1));
    assert_eq!(best.block.transaction_count(), 3);
    bench.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_a_known_id_starts_nothing() {
    let bench = bench(RootsScript::Honest);
    let starts = (0..20).map(|_| bench.handle.start(build(1)));
    let mut answers = Vec::new();
    for start in starts {
        answers.push(start.await.unwrap());
    }
    assert!(answers.iter().all(|id| *id == build(1).id));
    bench.publish(0);
    bench.handle.resolve(build(1).id).unwrap();
    bench.handle.start(build(1)).await.unwrap();
    bench.shut_down().await;
    assert_eq!(bench.sink.all().len(), 1, "one content per id and index");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_fork_choice_silences_the_older_job() {
    let bench = bench(RootsScript::Honest);
    bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.handle.start(build(2)).await.unwrap();
    bench.publish(0);
    bench.clock.advance_to(due(1));
    let next = bench.sink.next().unwrap();
    assert_eq!(next.payload_id, build(2).id);
    bench.shut_down().await;
    let of_first = bench.published(1);
    assert_eq!(of_first.len(), 2, "the older job published index 0 only");
    let best = bench.handle.resolve(build(1).id).unwrap();
    assert_eq!(hashes(&best), of_first, "and stays resolvable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_costs_nobody_a_payload() {
    let bench = bench(RootsScript::Honest);
    bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    let mut bad = build(2);
    bad.context.parent_hash = B256::repeat_byte(0xbb);
    let refused = bench.handle.start(bad.clone()).await.unwrap_err();
    assert!(matches!(&refused, StartError::Host(_)), "{refused}");
    assert_eq!(refused.severity(), Severity::Retry);
    assert!(refused.to_string().contains("0xbbbb"), "{refused}");
    assert_eq!(
        bench.handle.resolve(bad.id).unwrap_err(),
        ResolveError::Unknown(bad.id)
    );
    bench.publish(1);
    bench.handle.start(build(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_payload_is_named() {
    let bench = bench(RootsScript::Honest);
    let id = PayloadId::new([9; 8]);
    let error = bench.handle.resolve(id).unwrap_err();
    assert_eq!(error.to_string(), format!("unknown payload {id}"));
    assert!(bench.handle.subscribe(id).is_err() && bench.handle.peek(id).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_the_later_flashblocks_and_nothing_else() {
    let bench = bench(RootsScript::Honest);
    let id = bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    let mut watch = bench.handle.subscribe(id).unwrap();
    let published = bench.publish(1);
    let bomb = TxSpec {
        program: Program::Panic,
        ..TxSpec::transfer(4, 0, 5)
    };
    bench.pool.arrive(bomb.build());
    bench.clock.advance_to(due(2));
    bench.no_live_jobs().await;
    let best = bench.handle.resolve(id).unwrap();
    assert_eq!(best.block.hash, published.block_hash);
    assert_eq!(watched(watch.best()), best.block.hash);
    assert_eq!(watched(watch.changed().await), best.block.hash);
}

fn watched<A>(payload: Option<Payload<A>>) -> B256 {
    payload.unwrap().sealed().unwrap().block.hash
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_before_the_first_block_is_an_error_and_may_be_tried_again() {
    let bench = bench(RootsScript::PanicAt(0));
    let error = bench.handle.start(build(1)).await.unwrap_err();
    assert!(matches!(error, StartError::Panicked), "{error}");
    let again = bench.handle.start(build(1)).await.unwrap_err();
    assert!(matches!(again, StartError::Panicked), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_first_root_is_an_error_with_its_cause() {
    let bench = bench(RootsScript::FailAt(0));
    let error = bench.handle.start(build(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "building failed: root of flashblock 0 failed"
    );
    assert_eq!(error.severity(), Severity::AbandonJob);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_roots_publish_late_and_in_order() {
    let bench = bench(RootsScript::Gated);
    let start = tokio::spawn({
        let handle = bench.handle.clone();
        async move { handle.start(build(1)).await }
    });
    while !bench.host.release_roots() {
        tokio::task::yield_now().await;
    }
    start.await.unwrap().unwrap();
    bench.publish(0);
    bench.clock.advance_to(due(3));
    while bench.host.closes() < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.sink.all().len(), 1, "nothing without roots");
    for index in 1..=3 {
        while !bench.host.release_roots() {
            tokio::task::yield_now().await;
        }
        assert_eq!(bench.sink.next().unwrap().index, index);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_roots_expires() {
    let short = ServiceConfig {
        expire_after_us: 1_000_000,
        ..config()
    };
    let bench = bench_with(RootsScript::Gated, short);
    let start = tokio::spawn({
        let handle = bench.handle.clone();
        async move { handle.start(build(1)).await }
    });
    while bench.host.closes() < 1 {
        tokio::task::yield_now().await;
    }
    bench.clock.advance_to(due(9).plus_us(10_000_000));
    let error = start.await.unwrap().unwrap_err();
    assert!(
        matches!(error, StartError::Stopped(StopReason::Expired)),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_jobs_are_refused_as_busy() {
    let narrow = ServiceConfig {
        jobs_live_max: 2,
        ..config()
    };
    let bench = bench_with(RootsScript::Gated, narrow);
    let mut waiting = Vec::new();
    for id in 1..=2 {
        let handle = bench.handle.clone();
        waiting.push(tokio::spawn(async move { handle.start(build(id)).await }));
        while bench.host.closes() < id {
            tokio::task::yield_now().await;
        }
    }
    let error = bench.handle.start(build(3)).await.unwrap_err();
    assert!(matches!(error, StartError::Busy(_)), "{error}");
    assert_eq!(error.severity(), Severity::Retry);
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_payloads_are_bounded() {
    let few = ServiceConfig {
        jobs_live_max: 2,
        payloads_retained_max: 3,
        ..config()
    };
    let small = ServiceConfig {
        jobs_live_max: 2,
        payloads_retained_bytes_max: 1,
        ..config()
    };
    assert_eq!(retained(few).await, [6, 7, 8]);
    // The one that was resolved last stays, and what is built next to it.
    assert_eq!(retained(small).await, [6, 7, 8]);
}

/// Which of eight payloads, started and resolved one after the other, are still known.
async fn retained(limits: ServiceConfig) -> Vec<u64> {
    let bench = bench_with(RootsScript::Honest, limits);
    for id in 1..=8 {
        let mut request = build(id);
        request.no_tx_pool = true;
        bench.handle.start(request).await.unwrap();
        bench.publish(0);
        bench.handle.resolve(build(id).id).unwrap();
        bench.no_live_jobs().await;
    }
    (1..=8)
        .filter(|id| bench.handle.peek(build(*id).id).is_ok())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn da_limits_are_set_together_and_bind_running_jobs() {
    let bench = bench(RootsScript::Honest);
    let id = bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.commit(TxSpec::transfer(3, 0, 5), 1);
    bench.publish(1);
    bench.handle.set_da_limits(0, 1);
    assert_eq!(bench.handle.da_limits().tx, DaBytes::MAX);
    assert_eq!(bench.handle.da_limits().block, DaBytes(1));
    bench.pool.arrive(TxSpec::transfer(4, 0, 5).build());
    for index in 2..=9 {
        bench.publish(index);
    }
    assert_eq!(
        bench.handle.resolve(id).unwrap().block.transaction_count(),
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_jobs_and_keeps_payloads() {
    let bench = bench(RootsScript::Honest);
    let id = bench.handle.start(build(1)).await.unwrap();
    bench.publish(0);
    bench.shut_down().await;
    assert_eq!(
        bench.handle.resolve(id).unwrap().block.transaction_count(),
        2
    );
    let error = bench.handle.start(build(2)).await.unwrap_err();
    assert!(matches!(error, StartError::ShutDown), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_resolves_never_contradict_the_stream() {
    for seed in 0..60_u32 {
        let bench = bench(RootsScript::Honest);
        let id = bench.handle.start(build(1)).await.unwrap();
        bench
            .pool
            .arrive(TxSpec::transfer(3, 0, seed.into()).build());
        let clock = Arc::clone(&bench.clock);
        let mover = std::thread::spawn(move || {
            for index in 1..=9 {
                clock.advance_to(due(index).minus_us(5_500));
                clock.advance_to(due(index));
                std::thread::yield_now();
            }
        });
        for _ in 0..seed * 37 {
            std::hint::spin_loop();
        }
        let best = bench.handle.resolve(id).unwrap();
        let published_then = bench.published(1);
        mover.join().unwrap();
        bench.shut_down().await;
        assert_eq!(hashes(&best), published_then, "prefix, seed {seed}");
        assert_eq!(hashes(&best), bench.published(1), "silence, seed {seed}");
    }
}
