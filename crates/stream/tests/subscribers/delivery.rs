//! Order, contiguity and the seam between replay and live frames, with real clients on loopback.

use crate::fixture::start;
use blockwright_stream::StreamLimits;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscriber_gets_every_flashblock_in_order() {
    let server = start(StreamLimits::default()).await;
    let mut clients = Vec::new();
    for path in [
        "/",
        "/ws",
        "/any/path?dialect=v1",
        "/?token=x",
        "/flashblocks",
    ] {
        clients.push(server.client_at(path).await);
    }
    server.publish(1, 0);
    for client in &mut clients {
        assert_eq!(client.next().await, (1, 0));
    }
    for (payload, index) in [(1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)] {
        server.publish(payload, index);
    }
    for client in &mut clients {
        for expected in [(1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)] {
            assert_eq!(client.next().await, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_the_current_block_from_index_0_and_then_the_live_ones() {
    let server = start(StreamLimits::default()).await;
    let mut early = server.client().await;
    for (payload, index) in [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)] {
        server.publish(payload, index);
        assert_eq!(early.next().await, (payload, index));
    }
    let mut late = server.client().await;
    for index in 0..3 {
        assert_eq!(late.next().await, (2, index));
    }
    server.publish(2, 3);
    server.publish(3, 0);
    assert_eq!(late.next().await, (2, 3));
    assert_eq!(late.next().await, (3, 0));
}

/// Many join at arbitrary moments of a running stream: each sees a contiguous sequence from some
/// index 0 to the last flashblock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_at_any_moment_leaves_no_gap_and_no_duplicate() {
    const LAST: (u8, u64) = (40, 4);
    let server = start(StreamLimits::default()).await;
    let mut pacer = server.client().await;
    let mut joined = Vec::new();
    for payload in 1..=LAST.0 {
        for index in 0..=LAST.1 {
            server.publish(payload, index);
            if index % 2 == 0 {
                let url = format!("ws://{}/", server.addr);
                joined.push(tokio::spawn(async move {
                    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
                    let mut client = crate::fixture::Client { socket };
                    let mut read = vec![client.next().await];
                    while *read.last().unwrap() != LAST {
                        read.push(client.next().await);
                    }
                    read
                }));
            }
            assert_eq!(pacer.next().await, (payload, index));
        }
    }
    for reader in joined {
        let read = crate::fixture::soon("joiner", reader).await.unwrap();
        assert_eq!(read[0].1, 0, "{read:?}");
        for pair in read.windows(2) {
            let follows = pair[1] == (pair[0].0, pair[0].1 + 1)
                || (pair[0].1 == LAST.1 && pair[1] == (pair[0].0 + 1, 0));
            assert!(follows, "{pair:?} in {read:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_payload_restarts_the_stream_in_the_middle_of_a_block() {
    let server = start(StreamLimits::default()).await;
    let mut client = server.client().await;
    for (payload, index) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
        server.publish(payload, index);
        assert_eq!(client.next().await, (payload, index));
    }
}

/// A hole in what the builder publishes never becomes a hole in the stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_flashblock_interrupts_the_stream_with_1013() {
    let server = start(StreamLimits::default()).await;
    let mut client = server.client().await;
    server.publish(1, 0);
    server.publish(1, 2);
    let (read, close) = client.drain().await;
    assert_eq!(read, [(1, 0)]);
    assert_eq!(u16::from(close.code), 1013);
    assert!(close.reason.contains("reconnect"), "{close}");

    let mut again = server.client().await;
    server.publish(1, 3);
    server.publish(2, 0);
    assert_eq!(again.next().await, (2, 0));
}
