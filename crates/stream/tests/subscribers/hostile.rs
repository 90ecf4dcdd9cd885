//! Many hostile peers at once: who reads gets everything, at once.

use std::time::Duration;

use blockwright_stream::StreamLimits;
use futures_util::SinkExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Read, Running, start};

/// Every deadline of the server: whoever waited for a hostile peer would wait for this.
const LONG: Duration = Duration::from_secs(60);
/// What all frames together may take, with a wide margin for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

fn patient() -> StreamLimits {
    StreamLimits {
        handshake_timeout: LONG,
        write_timeout: LONG,
        close_timeout: LONG,
        send_buffer_bytes: Some(64 * 1024),
        ..StreamLimits::default()
    }
}

/// Handshakes that never begin, that come byte by byte, and that never end.
async fn half_open(server: &Running) -> Vec<TcpStream> {
    let mut open = Vec::new();
    let endless = format!("GET /{} HTTP/1.1\r\n", "x".repeat(10_000));
    for said in ["", "G", "GET / HTTP/1.1\r\nHost: x\r\nUpg", &endless] {
        for _ in 0..10 {
            let mut socket = TcpStream::connect(server.addr).await.unwrap();
            socket.write_all(said.as_bytes()).await.unwrap();
            open.push(socket);
        }
    }
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_peers_delay_nobody() {
    const FRAMES: u64 = 40;
    let server = start(patient()).await;
    let mut reading = server.client().await;
    let _half_open = half_open(&server).await;
    let mut never_reading = Vec::new();
    for path in ["/", "/?encoding=brotli", "/?encoding=zstd", "/notices"] {
        for _ in 0..5 {
            never_reading.push(server.client_at(path).await);
        }
    }
    // Its message is larger than any that is accepted, and it does not read either.
    let mut huge = server.client().await;
    let sending = tokio::spawn(async move {
        let _ = huge
            .socket
            .send(Message::Text("x".repeat(8 << 20).into()))
            .await;
    });
    let all = async {
        for index in 0..FRAMES {
            server.publish_sized(1, index, 256 * 1024);
            assert_eq!(reading.next().await, (1, index));
        }
    };
    tokio::time::timeout(AT_ONCE, all)
        .await
        .expect("a reading client waits for nobody");
    // Written to a peer that takes nothing, the server does not read from it.
    sending.abort();
    // A newcomer is served as well, from the start.
    let mut late = server.client().await;
    for index in 0..FRAMES {
        assert_eq!(late.next().await, (1, index));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_cost_the_subscribers_nothing() {
    let server = start(StreamLimits {
        subscribers_max: 4,
        ..patient()
    })
    .await;
    let mut reading = server.client().await;
    let mut connects = Vec::new();
    let all = async {
        for index in 0..20 {
            for _ in 0..10 {
                connects.push(TcpStream::connect(server.addr).await.unwrap());
            }
            server.publish(1, index);
            assert_eq!(reading.next().await, (1, index));
        }
    };
    tokio::time::timeout(AT_ONCE, all)
        .await
        .expect("a subscriber waits for no connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_messages_closes_its_sender() {
    let server = start(StreamLimits {
        messages_max: 50,
        ..StreamLimits::default()
    })
    .await;
    let mut flooding = server.client().await;
    let mut other = server.client().await;
    for _ in 0..100 {
        let ping = Message::Ping("x".into());
        if flooding.socket.send(ping).await.is_err() {
            break;
        }
    }
    let close = loop {
        match flooding.read().await {
            Read::Pong(_) => {}
            Read::Closed(frame) => break frame.unwrap(),
            Read::Flashblock(_) => panic!("nothing was published"),
        }
    };
    assert_eq!(u16::from(close.code), 1008);
    assert!(close.reason.starts_with("flood"), "{close}");
    server.publish(1, 0);
    assert_eq!(other.next().await, (1, 0));
}
