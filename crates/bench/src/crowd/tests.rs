use blockwright_types::PayloadId;
use futures_util::SinkExt;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::*;

const ID: u64 = 0x0102_0304_0506_0708;

fn frame(index: u32) -> Message {
    let id = PayloadId::new(ID.to_be_bytes());
    let filling = "x".repeat(30_000);
    Message::text(format!(
        "{{\"payload_id\":\"{id}\",\"index\":{index},\"diff\":\"{filling}\"}}"
    ))
}

/// A server that sends `indices` to each of `count` subscribers, and to the first one a ping between
/// them, whose answer it waits for.
async fn serve(listener: TcpListener, count: usize, indices: &[u32]) {
    use futures_util::StreamExt;
    let mut subscribers = Vec::new();
    for _ in 0..count {
        let (stream, _) = listener.accept().await.unwrap();
        subscribers.push(accept_async(stream).await.unwrap());
    }
    for index in indices {
        for subscriber in &mut subscribers {
            subscriber.send(frame(*index)).await.unwrap();
        }
        let ping = Bytes::from_static(b"there?");
        subscribers[0]
            .send(Message::Ping(ping.clone()))
            .await
            .unwrap();
        let answer = subscribers[0].next().await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong(ping));
    }
    for mut subscriber in subscribers {
        subscriber.close(None).await.unwrap();
        while let Some(Ok(_)) = subscriber.next().await {}
    }
}

async fn crowd_of(count: u32, indices: &'static [u32]) -> CrowdRecord {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { serve(listener, count as usize, indices).await });
    let plan = CrowdPlan {
        subscribers: count,
        ..CrowdPlan::default()
    };
    let crowd = Crowd::gather(&url, plan, Duration::from_secs(1))
        .await
        .unwrap();
    server.await.unwrap();
    while !crowd.members.as_ref().unwrap().is_finished() {
        tokio::task::yield_now().await;
    }
    crowd.disperse()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_notes_every_flashblock() {
    let record = crowd_of(5, &[0, 1, 2]).await;
    let mut counts = [0; 3];
    for delivery in &record.deliveries {
        assert_eq!(delivery.flashblock.payload_id, ID);
        counts[delivery.flashblock.index as usize] += 1;
    }
    assert_eq!(counts, [5; 3]);
    assert_eq!((record.gaps, record.unrecorded), (0, 0));
    // The server said goodbye before the meter did.
    assert_eq!(record.lost, 5);
    assert!(record.first_loss.unwrap().contains("closed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_is_noticed_by_each_member() {
    assert_eq!(crowd_of(3, &[0, 1, 3]).await.gaps, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_refuses_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let plan = CrowdPlan {
        subscribers: 2,
        ..CrowdPlan::default()
    };
    let error = Crowd::gather(&url, plan, Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&url), "{error}");
}
