//! What is believed, and for how long.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_seams::Clock;
use blockwright_state::BlockRef;
use blockwright_types::{PayloadEnd, PayloadOutcome};

use super::*;
use crate::assembler::{Assembler, Handed};
use crate::fixture::{Built, INTERVAL_US, World, id, payment};

fn show(world: &World, built: &Built) {
    let mut assembler = Assembler::new(
        world.store.clone(),
        Arc::clone(&world.chain),
        world.feed.clone(),
    );
    for flashblock in &built.flashblocks {
        assembler.take(Handed::Flashblock(
            Arc::clone(flashblock),
            world.clock.now(),
        ));
    }
}

#[test]
fn a_snapshot_is_believed_for_two_intervals_and_not_a_microsecond_longer() {
    let world = World::new();
    let built = world.build(id(1), &[]);
    assert_eq!(
        world.pending.live(world.clock.now()).unwrap_err(),
        Fallback::Absent
    );
    show(&world, &built);
    world.clock.tick(2 * INTERVAL_US);
    let shown = world.pending.current(&world.head(), world.clock.now());
    assert_eq!(shown.unwrap().block.hash, built.block.hash);
    world.clock.tick(1);
    let now = world.clock.now();
    assert!(world.pending.current(&world.head(), now).is_none());
    assert_eq!(world.pending.live(now).unwrap_err(), Fallback::Stale);
    show(&world, &built);
    assert!(world.pending.current(&world.head(), now).is_some());
}

#[test]
fn what_nobody_believes_is_let_go_after_a_minute() {
    let world = World::new();
    show(&world, &world.build(id(1), &[]));
    let block = Arc::downgrade(&world.pending.live(world.clock.now()).unwrap());
    world.clock.tick(2 * INTERVAL_US + KEPT_US);
    world.pending.tidy(world.clock.now());
    assert!(block.upgrade().is_some());
    world.clock.tick(1);
    world.pending.tidy(world.clock.now());
    assert!(block.upgrade().is_none());
    let now = world.clock.now();
    assert_eq!(world.pending.live(now).unwrap_err(), Fallback::Stale);
    world.feed.clear(id(1));
    show(&world, &world.build(id(2), &[]));
    assert!(world.pending.live(now).is_ok());
}

#[test]
fn a_head_that_reached_the_block_ends_it() {
    let world = World::new();
    let built = world.build(id(1), &[vec![payment(0)]]);
    show(&world, &built);
    let before = world.head();
    world.adopt(&built);
    let now = world.clock.now();
    let resolve = |head| world.pending.resolve(&head, now);
    assert!(resolve(before).is_ok());
    assert_eq!(resolve(world.head()).unwrap_err(), Fallback::Passed);
    let elsewhere = BlockRef {
        number: before.number,
        hash: B256::repeat_byte(9),
    };
    assert_eq!(resolve(elsewhere).unwrap_err(), Fallback::Fork);
}

#[test]
fn a_child_of_a_preconfirmed_block_joins_by_its_parent_or_by_the_head() {
    let world = World::new();
    let genesis = world.head();
    let built = world.build(id(1), &[vec![payment(0)]]);
    show(&world, &built);
    let now = world.clock.now();
    let parent = world.pending.current(&genesis, now).unwrap();
    world.adopt(&built);
    let child = world.build(id(2), &[vec![payment(1)]]);
    show(&world, &child);
    // The same child, as one sees it who has not imported its parent yet.
    let stored = world.pending.current(&world.head(), now).unwrap();
    let growth = |part: usize| crate::Growth {
        header: stored.block.header.clone(),
        hash: child.flashblocks[part].block_hash,
        part: Arc::clone(&child.flashblocks[part].part),
    };
    let ahead = PendingBlock::first(
        id(2),
        stored.context.clone(),
        crate::Ground::Preconfirmed(Arc::clone(&parent)),
        growth(0),
    );
    let ahead = Arc::new(ahead.grown(growth(1)));
    world.feed.publish(Arc::clone(&ahead));
    for head in [genesis, world.head()] {
        let shown = world.pending.current(&head, now).unwrap();
        assert!(Arc::ptr_eq(&shown, &ahead));
    }
    // What stands in either block is found, and read alike.
    let tx = built.flashblocks[1].part.transactions[0].hash;
    assert_eq!(ahead.transaction(&tx), None);
    let found = ahead.lineage().find_map(|block| block.transaction(&tx));
    assert_eq!(found, Some(1));
    let sink = crate::fixture::SINK;
    assert_eq!(ahead.state().account(&sink), stored.state().account(&sink));
    // Withdrawn, it leaves its parent.
    world.feed.clear(id(2));
    let left = world.pending.current(&genesis, now).unwrap();
    assert!(Arc::ptr_eq(&left, &parent));
    world.feed.clear(id(2));
    assert!(world.pending.current(&genesis, now).is_some());
    world.feed.clear(id(1));
    assert!(world.pending.current(&genesis, now).is_none());
}

#[test]
fn subscribers_hear_every_snapshot_and_are_told_what_they_missed() {
    let world = World::new();
    let mut news = world.pending.subscribe();
    let built = world.build(id(1), &[vec![payment(0)]]);
    show(&world, &built);
    assert_eq!(news.try_recv().unwrap().index, 0);
    assert_eq!(news.try_recv().unwrap().index, 1);
    for _ in 0..=NEWS_MAX {
        show(&world, &built);
    }
    let lagged = news.try_recv().unwrap_err();
    assert!(
        matches!(lagged, broadcast::error::TryRecvError::Lagged(missed) if missed > 0),
        "{lagged}"
    );
}

/// A proposer may take the block long before its time, and nothing follows then.
#[test]
fn a_block_that_was_handed_out_is_believed_until_its_time() {
    let world = World::new();
    let built = world.build(id(1), &[vec![payment(0)]]);
    let mut assembler = Assembler::new(
        world.store.clone(),
        Arc::clone(&world.chain),
        world.feed.clone(),
    );
    for flashblock in &built.flashblocks {
        let handed = Handed::Flashblock(Arc::clone(flashblock), world.clock.now());
        assembler.take(handed);
    }
    assembler.take(Handed::End(PayloadEnd {
        payload_id: id(1),
        block_number: built.block.header.number,
        block_hash: built.block.hash,
        last_index: built.flashblocks.len() as u64 - 1,
        outcome: PayloadOutcome::Sealed,
    }));
    let end = UnixUs::from_secs(built.block.header.timestamp);
    let last = end.plus_us(2 * INTERVAL_US);
    assert!(
        last > world.clock.now().plus_us(2 * INTERVAL_US),
        "it is early"
    );
    assert!(world.pending.current(&world.head(), last).is_some());
    let late = last.plus_us(1);
    assert_eq!(world.pending.live(late).unwrap_err(), Fallback::Stale);
}
