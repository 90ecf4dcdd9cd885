use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_primitives::B256;
use blockwright_seams::{Candidate, Candidates};
use blockwright_types::{SharedTx, SkipReason};

use super::PoolCandidates;
use crate::testing::{Chain, ETHER, counting_wake, deposit, priced, request, sender};

fn chain(senders: u8) -> Chain {
    let mut chain = Chain::new(|_| {});
    for index in 0..senders {
        chain.fund(sender(index), 0, ETHER);
    }
    chain
}

fn open(chain: &Chain, sequencer: Vec<SharedTx>) -> PoolCandidates {
    let (wake, _) = counting_wake();
    let request = request(chain.head.hash, sequencer);
    let view = Arc::new(chain.accounts.clone());
    chain.pool.candidates(&request, view, wake)
}

fn hashes(candidates: &[Candidate]) -> Vec<B256> {
    candidates.iter().map(|at| at.tx.hash).collect()
}

fn poll(job: &mut PoolCandidates) -> Vec<B256> {
    let mut out = Vec::new();
    assert!(!job.poll_new(1_000, &mut out));
    hashes(&out)
}

#[test]
fn offers_one_head_a_sender_then_what_follows() {
    let chain = chain(2);
    let (a0, a1) = (
        priced(sender(0), 0, 1_000, 1),
        priced(sender(0), 1, 1_000, 99),
    );
    let b0 = priced(sender(1), 0, 1_000, 5);
    let parked = priced(sender(1), 2, 1_000, 500);
    for tx in [&a0, &a1, &b0, &parked] {
        chain.add(tx).unwrap();
    }
    let mut job = open(&chain, vec![]);
    assert_eq!(poll(&mut job), [a0.hash, b0.hash]);
    assert_eq!(job.committed(&a0).unwrap().tx.hash, a1.hash);
    assert!(job.committed(&a1).is_none());
    assert!(job.committed(&b0).is_none(), "nonce 1 is missing");
    assert!(poll(&mut job).is_empty());
    let b1 = priced(sender(1), 1, 1_000, 5);
    chain.add(&b1).unwrap();
    assert_eq!(poll(&mut job), [b1.hash]);
    assert_eq!(job.committed(&b1).unwrap().tx.hash, parked.hash);
}

#[test]
fn polling_is_bounded_and_says_whether_more_waits() {
    let chain = chain(5);
    for index in 0..5 {
        chain.add(&priced(sender(index), 0, 1_000, 1)).unwrap();
    }
    let mut job = open(&chain, vec![]);
    let mut out = Vec::new();
    assert!(job.poll_new(2, &mut out));
    assert_eq!(out.len(), 2);
    assert!(job.poll_new(2, &mut out));
    assert!(!job.poll_new(2, &mut out));
    assert_eq!(out.len(), 5);
}

#[test]
fn wakes_once_for_what_the_job_could_take_and_not_for_the_rest() {
    let chain = chain(2);
    let (wake, woken) = counting_wake();
    let view = Arc::new(chain.accounts.clone());
    let head = chain.head.hash;
    let mut job = chain.pool.candidates(&request(head, vec![]), view, wake);
    assert!(poll(&mut job).is_empty());
    chain.add(&priced(sender(0), 0, 1_000, 1)).unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    chain.add(&priced(sender(1), 0, 1_000, 1)).unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 1, "not yet polled");
    assert_eq!(poll(&mut job).len(), 2);
    chain.add(&priced(sender(0), 1, 1_000, 1)).unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 1, "behind the offered one");
    chain.add(&priced(sender(0), 0, 2_000, 2)).unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 2, "a replacement");
    drop(job);
    chain.add(&priced(sender(1), 0, 2_000, 2)).unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 2, "the job is gone");
}

#[test]
fn a_replacement_is_offered_again() {
    let chain = chain(1);
    chain.add(&priced(sender(0), 0, 1_000, 1)).unwrap();
    let mut job = open(&chain, vec![]);
    poll(&mut job);
    let better = priced(sender(0), 0, 2_000, 2);
    chain.add(&better).unwrap();
    assert_eq!(poll(&mut job), [better.hash]);
    assert!(poll(&mut job).is_empty());
}

#[test]
fn sequencer_transactions_use_nonces() {
    let chain = chain(3);
    let txs: Vec<_> = (0..3)
        .flat_map(|index| (0..3).map(move |nonce| priced(sender(index), nonce, 1_000, 1)))
        .collect();
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    let forced = priced(sender(1), 0, 3_000, 3);
    let two_deposits = [deposit(sender(0)), deposit(sender(0))];
    let mut job = open(
        &chain,
        vec![two_deposits[0].clone(), two_deposits[1].clone(), forced],
    );
    assert_eq!(poll(&mut job), [txs[2].hash, txs[4].hash, txs[6].hash]);
}

#[test]
fn stands_on_its_own_parent_not_on_the_pools_head() {
    let mut chain = chain(1);
    let txs: Vec<_> = (0..3)
        .map(|nonce| priced(sender(0), nonce, 1_000, 1))
        .collect();
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    // The job builds on a block that the pool has not followed yet.
    let block = chain.block(&txs[..1]);
    let mut job = open(&chain, vec![]);
    assert_eq!(poll(&mut job), [txs[1].hash]);
    chain.pool.on_new_head(chain.view(), &[], &[block]);
    assert_eq!(job.committed(&txs[1]).unwrap().tx.hash, txs[2].hash);
}

#[test]
fn jobs_do_not_see_each_other() {
    let chain = chain(1);
    let (a0, a1) = (
        priced(sender(0), 0, 1_000, 1),
        priced(sender(0), 1, 1_000, 1),
    );
    chain.add(&a0).unwrap();
    chain.add(&a1).unwrap();
    let (mut one, mut two) = (open(&chain, vec![]), open(&chain, vec![]));
    assert_eq!(poll(&mut one), [a0.hash]);
    one.committed(&a0);
    assert_eq!(poll(&mut two), [a0.hash]);
}

#[test]
fn a_final_rejection_drops_from_the_pool_and_parks_followers() {
    let chain = chain(1);
    let (a0, a1) = (
        priced(sender(0), 0, 1_000, 1),
        priced(sender(0), 1, 1_000, 1),
    );
    chain.add(&a0).unwrap();
    chain.add(&a1).unwrap();
    let mut job = open(&chain, vec![]);
    poll(&mut job);
    job.reject(&a0, &SkipReason::InsufficientFunds);
    assert!(chain.pool.get(&a0.hash).is_some(), "not final");
    job.reject(&a0, &SkipReason::Invalid("bad".into()));
    assert!(chain.pool.get(&a0.hash).is_none());
    let status = chain.pool.status();
    assert_eq!((status.executable, status.parked), (0, 1));
}

#[test]
fn a_late_rejection_spares_the_replacement() {
    let chain = chain(1);
    let old = priced(sender(0), 0, 1_000, 1);
    chain.add(&old).unwrap();
    let mut job = open(&chain, vec![]);
    poll(&mut job);
    let new = priced(sender(0), 0, 2_000, 2);
    chain.add(&new).unwrap();
    job.reject(&old, &SkipReason::Invalid("bad".into()));
    assert!(chain.pool.get(&new.hash).is_some());
    assert_eq!(poll(&mut job), [new.hash]);
}

#[test]
fn a_nonce_moved_within_the_block_is_followed_and_costs_the_pool_nothing() {
    let chain = chain(1);
    let txs: Vec<_> = (0..3)
        .map(|nonce| priced(sender(0), nonce, 1_000, 1))
        .collect();
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    let mut job = open(&chain, vec![]);
    poll(&mut job);
    job.reject(&txs[0], &SkipReason::NonceTooLow { tx: 0, state: 2 });
    assert_eq!(poll(&mut job), [txs[2].hash]);
    assert_eq!(
        chain.pool.status().executable,
        3,
        "only the head's chain decides that a nonce is used"
    );
}

#[test]
fn arrivals_beside_a_polling_job_are_never_missed() {
    let chain = chain(4);
    let mut job = open(&chain, vec![]);
    let txs: Vec<_> = (0..200)
        .flat_map(|nonce| (0..4).map(move |index| priced(sender(index), nonce, 1_000, 1)))
        .collect();
    let sent = txs.clone();
    let intake = std::thread::spawn(move || {
        for tx in sent {
            chain.add(&tx).unwrap();
        }
    });
    let mut committed = 0;
    let mut ready = Vec::new();
    while committed < txs.len() {
        let finished = intake.is_finished();
        let mut out = Vec::new();
        job.poll_new(16, &mut out);
        ready.append(&mut out);
        if ready.is_empty() {
            assert!(!finished, "stuck at {committed}");
            std::thread::yield_now();
        }
        while let Some(candidate) = ready.pop() {
            committed += 1;
            ready.extend(job.committed(&candidate.tx));
        }
    }
    intake.join().unwrap();
}

#[test]
fn what_left_the_pool_is_offered_no_more_though_it_was_taken_along() {
    let chain = chain(1);
    let txs: Vec<_> = (0..4)
        .map(|nonce| priced(sender(0), nonce, 1_000, 1))
        .collect();
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    let mut job = open(&chain, vec![]);
    poll(&mut job);
    let better = priced(sender(0), 1, 2_000, 2);
    chain.add(&better).unwrap();
    assert_eq!(job.committed(&txs[0]).unwrap().tx.hash, better.hash);
    let mut other = open(&chain, vec![]);
    other.reject(&txs[2], &SkipReason::Invalid("bad".into()));
    assert!(job.committed(&better).is_none(), "nonce 2 was dropped");
    chain.add(&txs[2]).unwrap();
    assert_eq!(poll(&mut job), [txs[2].hash]);
    assert_eq!(job.committed(&txs[2]).unwrap().tx.hash, txs[3].hash);
}

#[test]
fn a_sender_that_was_forgotten_and_came_back_is_heard_of() {
    let chain = chain(1);
    let old = priced(sender(0), 0, 1_000, 1);
    chain.add(&old).unwrap();
    let mut job = open(&chain, vec![]);
    assert_eq!(poll(&mut job), [old.hash]);
    open(&chain, vec![]).reject(&old, &SkipReason::Invalid("bad".into()));
    assert_eq!(chain.pool.status().senders, 0);
    let new = priced(sender(0), 0, 900, 1);
    chain.add(&new).unwrap();
    assert_eq!(poll(&mut job), [new.hash]);
}

#[test]
fn a_long_chain_of_one_sender_comes_one_by_one() {
    let chain = chain(1);
    let txs: Vec<_> = (0..40)
        .map(|nonce| priced(sender(0), nonce, 1_000, 1))
        .collect();
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    let mut job = open(&chain, vec![]);
    assert_eq!(poll(&mut job), [txs[0].hash]);
    for (tx, next) in txs.iter().zip(&txs[1..]) {
        assert_eq!(job.committed(tx).unwrap().tx.hash, next.hash);
        assert!(poll(&mut job).is_empty());
    }
    assert!(job.committed(&txs[39]).is_none());
}
