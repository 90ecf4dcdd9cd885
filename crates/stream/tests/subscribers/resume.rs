//! Resuming by position: nothing twice, nothing missing.

use std::time::Duration;

use blockwright_stream::{RingLimits, StreamConfig, StreamLimits};

use crate::fixture::{Running, answer, config, refused, soon, start, start_with};

/// What a subscriber asks for behind the flashblock `index` of block `block`.
fn after((block, index): (u8, u64)) -> String {
    format!("/?block_number={block}&flashblock_index={index}")
}

/// Publishes `blocks` blocks of `frames` flashblocks each, as fast as one reader takes them.
async fn publish_paced(server: &Running, blocks: u8, frames: u64) {
    let mut pacer = server.client_at("/?replay=none").await;
    for payload in 1..=blocks {
        for index in 0..frames {
            server.publish(payload, index);
            assert_eq!(pacer.next().await, (payload, index));
        }
    }
}

/// A subscriber that is cut after every single frame, and comes back in another form each time, reads
/// what one that was never cut reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_cut_after_every_frame_reads_each_exactly_once() {
    const LAST: (u8, u64) = (20, 4);
    let server = start(StreamLimits::default()).await;
    server.publish(0, 0);
    let mut first = server.client().await;
    assert_eq!(first.next().await, (0, 0));
    drop(first);
    let reading = Box::pin(async {
        let mut read = vec![(0, 0)];
        let forms = ["", "&encoding=brotli", "&encoding=zstd", "&replay=none"];
        for form in forms.iter().cycle() {
            let last = *read.last().unwrap();
            if last == LAST {
                break;
            }
            let mut client = server.client_at(&format!("{}{form}", after(last))).await;
            read.push(client.next().await);
        }
        read
    });
    let publishing = Box::pin(publish_paced(&server, LAST.0, LAST.1 + 1));
    let (read, ()) = soon("the cut subscriber", async {
        tokio::join!(reading, publishing)
    })
    .await;
    let mut expected = vec![(0, 0)];
    for payload in 1..=LAST.0 {
        expected.extend((0..=LAST.1).map(|index| (payload, index)));
    }
    assert_eq!(read, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_subscriber_is_replayed_what_it_missed_and_goes_on_live() {
    let server = start(StreamLimits::default()).await;
    publish_paced(&server, 5, 3).await;
    let mut resumed = server.client_at(&after((2, 1))).await;
    let mut at_the_end = server.client_at(&after((5, 2))).await;
    server.publish(6, 0);
    for expected in [(2, 2), (3, 0), (3, 1), (3, 2), (4, 0)] {
        assert_eq!(resumed.next().await, expected);
    }
    for expected in [(4, 1), (4, 2), (5, 0), (5, 1), (5, 2), (6, 0)] {
        assert_eq!(resumed.next().await, expected);
    }
    assert_eq!(at_the_end.next().await, (6, 0));
}

/// More frames to be replayed than a live subscriber may be behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_replay_does_not_count_as_being_behind() {
    let server = start(StreamLimits {
        backlog_frames: 2,
        ..StreamLimits::default()
    })
    .await;
    publish_paced(&server, 10, 5).await;
    let mut resumed = server.client_at(&after((1, 0))).await;
    for position in 1..50u64 {
        let expected = (u8::try_from(position / 5 + 1).unwrap(), position % 5);
        assert_eq!(resumed.next().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_is_not_held_is_refused_with_what_is() {
    let server = start_with(StreamConfig {
        ring: RingLimits {
            age: Duration::from_secs(60),
            frames_max: 1,
            size_bytes_max: usize::MAX,
        },
        ..config()
    })
    .await;
    let nothing = answer(&server, &after((1, 0))).await;
    assert!(nothing.starts_with("HTTP/1.1 410 "), "{nothing}");
    assert!(nothing.contains("nothing is held"), "{nothing}");
    publish_paced(&server, 4, 2).await;
    let too_old = answer(&server, &after((2, 1))).await;
    assert!(too_old.starts_with("HTTP/1.1 410 "), "{too_old}");
    let held = "held are block_number=3&flashblock_index=0 to block_number=4&flashblock_index=1";
    assert!(too_old.contains(held), "{too_old}");
    for unknown in [after((4, 2)), after((5, 0))] {
        assert_eq!(refused(&server, &unknown).await, 410);
    }
    let foreign = format!("{}&payload_id=0x0000000000000001", after((4, 0)));
    assert_eq!(refused(&server, &foreign).await, 410);
    let mut held = server.client_at(&after((3, 0))).await;
    assert_eq!(held.next().await, (3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_replay_a_newcomer_gets_what_comes_next() {
    let server = start(StreamLimits::default()).await;
    publish_paced(&server, 1, 3).await;
    let mut live = server.client_at("/?replay=none").await;
    let mut whole = server.client_at("/?replay=block").await;
    server.publish(1, 3);
    assert_eq!(live.next().await, (1, 3));
    for index in 0..4 {
        assert_eq!(whole.next().await, (1, index));
    }
}

/// Whoever has all that came before a loss is not sent away again and again: it waits for the next
/// block.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_resumes_behind_a_loss() {
    let server = start(StreamLimits::default()).await;
    let mut client = server.client().await;
    server.publish(1, 0);
    server.publish(1, 2);
    let (read, close) = client.drain().await;
    assert_eq!((read, u16::from(close.code)), (vec![(1, 0)], 1013));
    let mut resumed = server.client_at(&after((1, 0))).await;
    server.publish(2, 0);
    assert_eq!(resumed.next().await, (2, 0));
}
