//! The queue between the builder and the snapshots.

use blockwright_seams::{Feedback, FlashblockSink};

use super::*;
use crate::Fallback;
use crate::fixture::{INTERVAL_US, World, id, payment};

#[tokio::test]
async fn the_builders_flashblocks_become_snapshots() {
    let world = World::new();
    let built = world.build(id(1), &[vec![payment(0)]]);
    let mut news = world.pending.subscribe();
    let chain = Arc::clone(&world.chain);
    let sink = start_assembler(world.store.clone(), chain, world.feed.clone()).unwrap();
    for flashblock in &built.flashblocks {
        assert_eq!(sink.publish(Arc::clone(flashblock)), Feedback::Accepted);
    }
    for index in 0..2 {
        assert_eq!(news.recv().await.unwrap().index, index);
    }
}

#[test]
fn what_waited_in_the_queue_is_no_fresher_for_it() {
    let world = World::new();
    let built = world.build(id(1), &[]);
    let (sink, queue) = handover(1, world.feed.clone());
    let mut assembler = Assembler::new(
        world.store.clone(),
        Arc::clone(&world.chain),
        world.feed.clone(),
    );
    sink.publish(Arc::clone(&built.flashblocks[0]));
    world.clock.tick(2 * INTERVAL_US + 1);
    assembler.take(queue.try_recv().unwrap());
    let shown = world.pending.live(world.pending.now());
    assert_eq!(shown.unwrap_err(), Fallback::Stale);
}

#[test]
fn a_loss_is_told_and_withdraws_what_came_before() {
    let world = World::new();
    let built = world.build(id(1), &[vec![payment(0)], vec![payment(1)]]);
    let (sink, queue) = handover(1, world.feed.clone());
    let mut assembler = Assembler::new(
        world.store.clone(),
        Arc::clone(&world.chain),
        world.feed.clone(),
    );
    let publish = |index: usize| sink.publish(Arc::clone(&built.flashblocks[index]));
    assert_eq!(publish(0), Feedback::Accepted);
    assembler.take(queue.try_recv().unwrap());
    assert!(world.pending.live(world.pending.now()).is_ok());
    assert_eq!(publish(1), Feedback::Accepted);
    assert_eq!(publish(2), Feedback::Dropped);
    let lost = Arc::clone(&sink.lost);
    drop(sink);
    follow(&queue, &lost, &mut assembler);
    assert!(world.pending.live(world.pending.now()).is_err());
}
