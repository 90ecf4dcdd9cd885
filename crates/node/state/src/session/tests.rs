//! Sessions against roots from scratch, and what they do when they fail or are in a hurry.

use std::sync::{Arc, mpsc};

use alloy_primitives::Bytes;
use blockwright_seams::{RootSession as _, RootsAnswer};

use super::*;
use crate::StateTrie;
use crate::fixture::{self, Model, Rng};
use crate::trie::NodeSource;

type Answer = RootsAnswer<TrieDelta>;

fn reply() -> (RootsReply<TrieDelta>, mpsc::Receiver<Answer>) {
    let (sender, answers) = mpsc::channel();
    let reply = move |answer| {
        // The test may have seen enough.
        sender.send(answer).ok();
    };
    (Box::new(reply), answers)
}

#[test]
fn every_close_answers_with_the_roots_of_what_was_pushed_before() {
    let store = fixture::memory(8);
    let (genesis, start) = fixture::genesis();
    for seed in 0..20 {
        let mut rng = Rng(seed);
        let (reply, answers) = reply();
        let mut session = store.root_session(genesis.hash, reply).unwrap();
        let mut model = start.clone();
        let mut expected = Vec::new();
        for index in 0..8 {
            for _ in 0..rng.below(5) {
                let changes = fixture::changes(&mut rng);
                model.apply(&changes);
                session.push(Arc::new(changes));
            }
            session.close(index);
            expected.push((index, model.roots()));
        }
        for (index, roots) in expected {
            let answer = answers.recv().unwrap();
            assert_eq!(answer.index, index);
            let (found, delta) = answer.result.unwrap();
            assert_eq!(found, roots, "seed {seed}, index {index}");
            assert_eq!(delta.roots(), roots);
            assert_eq!(delta.parent(), genesis.hash);
        }
    }
    start.assert_read_by(&store, genesis.hash);
}

#[test]
fn an_early_delta_is_not_changed_by_later_pushes() {
    let store = fixture::memory(8);
    let (genesis, mut model) = fixture::genesis();
    let (reply, answers) = reply();
    let mut session = store.root_session(genesis.hash, reply).unwrap();
    let mut rng = Rng(3);
    let first = fixture::changes(&mut rng);
    session.push(Arc::new(first.clone()));
    session.close(0);
    for _ in 0..20 {
        session.push(Arc::new(fixture::changes(&mut rng)));
    }
    session.close(1);
    let (_, delta) = answers.recv().unwrap().result.unwrap();
    answers.recv().unwrap().result.unwrap();
    let (block, same) = fixture::child(&store, genesis.hash, first.clone(), 0);
    assert_eq!(delta.roots(), same.roots());
    store.insert(Arc::clone(&block), delta).unwrap();
    model.apply(&first);
    model.assert_read_by(&store, block.hash);
}

#[test]
fn a_full_queue_merges_and_stays_bounded() {
    let store = fixture::memory(8);
    let (genesis, mut model) = fixture::genesis();
    let (entered_sender, entered) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let (sender, answers) = mpsc::channel();
    let held = Box::new(move |answer: Answer| {
        entered_sender.send(()).unwrap();
        gate.recv().unwrap();
        sender.send(answer).unwrap();
    });
    let mut session = store.root_session(genesis.hash, held).unwrap();
    session.close(0);
    // The worker is inside the answer now and takes nothing from the queue.
    entered.recv().unwrap();
    let mut rng = Rng(5);
    for _ in 0..1000 {
        let changes = fixture::changes(&mut rng);
        model.apply(&changes);
        session.push(Arc::new(changes));
        assert!(session.waiting() <= 64);
    }
    session.close(1);
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(answers.recv().unwrap().index, 0);
    assert_eq!(answers.recv().unwrap().result.unwrap().0, model.roots());
}

/// A source that fails in the worst way.
struct Explosive;

impl NodeSource for Explosive {
    fn node(&self, _hash: &B256) -> Option<Bytes> {
        panic!("source exploded")
    }
}

struct Forgetful;

impl NodeSource for Forgetful {
    fn node(&self, _hash: &B256) -> Option<Bytes> {
        None
    }
}

fn failing(source: impl NodeSource + 'static) -> (TrieSession, mpsc::Receiver<Answer>) {
    let state = State {
        trie: StateTrie::blinded(B256::repeat_byte(1), Arc::new(source)),
        ..State::default()
    };
    let (reply, answers) = reply();
    (start(B256::ZERO, state, reply), answers)
}

#[test]
fn a_panic_and_an_error_are_answered_at_every_close() {
    for (cause, (mut session, answers)) in [
        ("source exploded", failing(Explosive)),
        ("0x0101", failing(Forgetful)),
    ] {
        session.push(Arc::new(fixture::changes(&mut Rng(1))));
        for index in 0..2 {
            session.close(index);
            let answer = answers.recv().unwrap();
            assert_eq!(answer.index, index);
            let fault = answer.result.unwrap_err();
            assert!(fault.0.contains(cause), "{fault}");
        }
    }
}

#[test]
fn dropping_a_session_ends_its_thread() {
    let store = fixture::memory(8);
    let (genesis, _) = fixture::genesis();
    let (reply, answers) = reply();
    let mut session = store.root_session(genesis.hash, reply).unwrap();
    session.push(Arc::new(fixture::changes(&mut Rng(1))));
    drop(session);
    // The thread owns the reply; when it ends, the channel closes.
    assert!(answers.recv().is_err());
}

#[test]
fn an_unknown_parent_has_no_session() {
    let (reply, _answers) = reply();
    let store = fixture::memory(8);
    assert!(store.root_session(B256::repeat_byte(9), reply).is_none());
}

#[test]
fn merged_changes_lead_to_the_same_state() {
    for seed in 0..50 {
        let mut rng = Rng(seed);
        let (mut model, mut merged) = (Model::default(), Changes::default());
        let mut trie = StateTrie::default();
        for _ in 0..6 {
            let changes = fixture::changes(&mut rng);
            model.apply(&changes);
            merged.extend(&changes);
            trie.apply(&changes).unwrap();
        }
        let mut at_once = StateTrie::default();
        at_once.apply(&merged).unwrap();
        assert_eq!(at_once.roots().unwrap(), model.roots());
        assert_eq!(trie.roots().unwrap(), model.roots());
    }
}
