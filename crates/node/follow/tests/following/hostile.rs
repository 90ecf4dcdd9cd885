//! Streams that lie, are of another chain, or are no streams.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U256};
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_follow::{Follower, Sources, Step, start_following};
use blockwright_subscribe::{Event, FrameHeader, Received, Unreadable};
use blockwright_types::PayloadId;
use tokio::sync::mpsc;

use crate::author::{Author, chain};
use crate::blocks_ahead::{follow_all, received};
use crate::node::{NOW, Node};

fn changed(
    flashblock: &Arc<OpFlashblockPayload>,
    change: impl FnOnce(&mut OpFlashblockPayload),
) -> Arc<OpFlashblockPayload> {
    let mut changed = (**flashblock).clone();
    change(&mut changed);
    Arc::new(changed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lie_withdraws_its_block_and_the_next_one_begins_anew() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let first = author.build(&[1, 1]);
    let second = author.build(&[1, 1, 1]);
    let third = author.build(&[1]);
    follow_all(&mut follower, &first.flashblocks);
    follow_all(&mut follower, &second.flashblocks[..2]);
    assert_eq!(received(&node), Some(U256::from(3)));
    let lie = changed(&second.flashblocks[2], |it| {
        it.diff.state_root = B256::repeat_byte(1);
    });
    let step = follower.take(&lie, NOW);
    assert!(matches!(step, Step::Refuted(_)), "{step:?}");
    // The block below it was true.
    assert_eq!(received(&node), Some(U256::from(2)));
    let step = follower.take(&second.flashblocks[3], NOW);
    assert!(matches!(step, Step::Ignored("given_up")), "{step:?}");
    // Nobody lied about the third: it waits for the second like any other.
    assert!(matches!(
        follower.take(&third.flashblocks[0], NOW),
        Step::Waiting
    ));
    node.adopt(&first.block).await;
    node.adopt(&second.block).await;
    let step = follower.follow_head();
    assert!(matches!(step, Some(Step::Published(_))), "{step:?}");
    follow_all(&mut follower, &third.flashblocks[1..]);
    assert_eq!(received(&node), Some(U256::from(6)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_content_is_shown_with_the_first_which_stands() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let built = Author::new(&chain).build(&[1, 2]);
    follow_all(&mut follower, &built.flashblocks[..2]);
    let other = changed(&built.flashblocks[1], |it| it.diff.transactions.clear());
    let Step::Equivocation(found) = follower.take(&other, NOW) else {
        panic!("not noticed");
    };
    assert_eq!(found.first.as_deref(), Some(&*built.flashblocks[1]));
    assert_eq!(found.second, other);
    follow_all(&mut follower, &built.flashblocks[2..]);
    assert_eq!(received(&node), Some(U256::from(3)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_and_repetition_do_not_matter_until_the_right_one_comes() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let built = Author::new(&chain).build(&[1, 1, 1]);
    let mut labels = Vec::new();
    for index in [0, 2, 1, 1, 0, 2, 3] {
        labels.push(follower.take(&built.flashblocks[index], NOW).label());
    }
    let expected = [
        "executed",
        "skipped",
        "executed",
        "duplicate",
        "duplicate",
        "executed",
        "executed",
    ];
    assert_eq!(labels, expected);
    assert_eq!(received(&node), Some(U256::from(3)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_another_chain_changes_nothing() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let built = Author::new(&chain).build(&[1, 1]);
    let foreign = |flashblock: &Arc<OpFlashblockPayload>| {
        changed(flashblock, |it| {
            if let Some(base) = &mut it.base {
                base.parent_hash = B256::repeat_byte(0xee);
            }
        })
    };
    for flashblock in built.flashblocks.iter().map(foreign) {
        assert!(matches!(follower.take(&flashblock, NOW), Step::Waiting));
    }
    assert!(node.snapshot().is_none());
    assert!(node.handover.is_empty());
    node.stop().await;
}

/// Valid blocks that nobody asked for are held in a bounded number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invented_blocks_do_not_fill_the_store() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut follower = Follower::new(node.follow_deps());
    let mut author = Author::new(&chain);
    let invented: Vec<_> = (0..70).map(|_| author.abandon(&[1])).collect();
    let real = author.build(&[1]);
    let next = author.build(&[1]);
    for (place, rival) in (0_u64..).zip(&invented) {
        follow_all(&mut follower, &rival.flashblocks);
        let names_it = changed(&next.flashblocks[0], |it| {
            it.payload_id = PayloadId::new((1_000 + place).to_be_bytes());
            it.base.as_mut().unwrap().parent_hash = rival.hash();
        });
        let step = follower.take(&names_it, NOW);
        assert!(!matches!(step, Step::Published(_)), "{step:?}");
    }
    let held = |node: &Node| {
        let held = invented.iter().filter(|it| node.store.contains(it.hash()));
        held.count()
    };
    assert_eq!(held(&node), 64);
    // Until then each block waits for its parent's import, and that goes on.
    node.adopt(&real.block).await;
    follow_all(&mut follower, &next.flashblocks);
    assert_eq!(received(&node), Some(U256::from(2)));
    assert_eq!(held(&node), 64);
    node.stop().await;
}

fn frame(flashblock: &OpFlashblockPayload) -> Event {
    raw(serde_json::to_vec(flashblock).unwrap(), flashblock)
}

fn raw(bytes: Vec<u8>, flashblock: &OpFlashblockPayload) -> Event {
    Event::Frame(Received {
        at: Instant::now(),
        at_us: 0,
        header: FrameHeader {
            payload_id: flashblock.payload_id,
            index: flashblock.index,
            block_number: Some(flashblock.metadata.block_number),
        },
        frame: bytes.into(),
    })
}

/// The thread goes on whatever it is sent, hears of heads, and ends with the subscription.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_does_not_end_the_following() {
    let chain = chain();
    let node = Node::new(&chain);
    let mut author = Author::new(&chain);
    let missed = author.build(&[1]);
    let built = author.build(&[1, 1]);
    let (events, received_events) = mpsc::channel(4);
    let sources = Sources {
        events: received_events,
        heads: node.engine.heads().head(),
    };
    let mut news = node.pending.subscribe();
    let thread = start_following(node.follow_deps(), sources).unwrap();
    let first = &built.flashblocks[0];
    let garbage = [
        raw(b"{\"payload_id\":1}".to_vec(), first),
        raw(vec![0xff; 1_000], first),
        Event::Unreadable {
            received_us: 0,
            size_bytes: 1,
            cause: Unreadable::TooLarge { max_bytes: 1 },
        },
        Event::Stalled {
            silent: Duration::from_secs(1),
        },
    ];
    for event in garbage {
        events.send(event).await.unwrap();
    }
    for flashblock in &built.flashblocks {
        events.send(frame(flashblock)).await.unwrap();
    }
    // Nothing more is sent: the head alone moves it.
    node.adopt(&missed.block).await;
    for index in 0..3 {
        let snapshot = tokio::time::timeout(Duration::from_secs(20), news.recv()).await;
        assert_eq!(snapshot.unwrap().unwrap().index, index);
    }
    drop(events);
    tokio::task::spawn_blocking(|| thread.join().unwrap())
        .await
        .unwrap();
    node.stop().await;
}
