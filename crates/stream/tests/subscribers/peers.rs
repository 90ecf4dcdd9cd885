//! Slow, silent, greedy and curious peers: each hurts only itself.

use std::time::Duration;

use crate::fixture::{Read, Running, refused, soon, start};
use blockwright_stream::{FlashblockServer, StreamConfig, StreamError, StreamLimits};
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_are_answered_with_the_matching_pong() {
    let server = start(StreamLimits::default()).await;
    let mut client = server.client().await;
    for payload in ["7f3a9c1e-0001", "7f3a9c1e-0002", "7f3a9c1e-0003"] {
        client
            .socket
            .send(Message::Ping(payload.into()))
            .await
            .unwrap();
        match client.read().await {
            Read::Pong(echo) => assert_eq!(echo, payload.as_bytes()),
            other => panic!("expected a pong: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_client_is_kept_by_the_servers_pings_and_a_mute_one_is_closed() {
    let server = start(StreamLimits {
        ping_interval: Duration::from_millis(50),
        idle_timeout: Duration::from_millis(600),
        ..StreamLimits::default()
    })
    .await;
    let mut mute = server.client().await;
    let mut reading = server.client().await;
    let reader = tokio::spawn(async move { reading.next().await });
    // A mute client has its socket open but its library is never polled, so it answers nothing.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.publish(1, 0);
    assert_eq!(soon("the reading client", reader).await.unwrap(), (1, 0));
    let (read, close) = mute.drain().await;
    assert_eq!(read, []);
    assert_eq!(u16::from(close.code), 1008);
}

/// Frames of a megabyte, a small kernel buffer and a backlog of four: the one that does not read is
/// told so after a contiguous prefix, the other gets everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laggard_is_closed_with_1013_while_others_get_everything() {
    const FRAMES: u64 = 30;
    let server = start(StreamLimits {
        backlog_frames: 4,
        send_buffer_bytes: Some(64 * 1024),
        write_timeout: LONG,
        ..StreamLimits::default()
    })
    .await;
    let mut slow = server.client().await;
    let mut fast = server.client().await;
    server.publish(1, 0);
    assert_eq!(slow.next().await, (1, 0));
    assert_eq!(fast.next().await, (1, 0));
    for index in 1..FRAMES {
        server.publish_sized(1, index, 512 * 1024);
        assert_eq!(fast.next().await, (1, index));
    }
    let (read, close) = slow.drain().await;
    assert_eq!(u16::from(close.code), 1013);
    assert!(close.reason.starts_with("too slow"), "{close}");
    assert!((read.len() as u64) < FRAMES - 4, "{}", read.len());
    for (position, flashblock) in read.iter().enumerate() {
        assert_eq!(*flashblock, (1, position as u64 + 1));
    }
    // It resumes as the reason says.
    assert!(close.reason.contains("?block_number=N&flashblock_index=M"));
    let last = read.last().map_or(0, |(_, index)| *index);
    let path = format!("/?block_number=1&flashblock_index={last}");
    let mut resumed = server.client_at(&path).await;
    for index in last + 1..FRAMES {
        assert_eq!(resumed.next().await, (1, index));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_takes_nothing_is_cut_off() {
    let server = start(StreamLimits {
        subscribers_max: 1,
        send_buffer_bytes: Some(64 * 1024),
        write_timeout: Duration::from_millis(100),
        close_timeout: Duration::from_millis(100),
        ..StreamLimits::default()
    })
    .await;
    let stuck = server.client().await;
    server.publish(1, 0);
    for index in 1..20 {
        server.publish_sized(1, index, 1024 * 1024);
    }
    let mut next = connect_when_free(&server).await;
    assert_eq!(next.next().await, (1, 0));
    drop(stuck);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_block_nobody() {
    let server = start(StreamLimits {
        handshake_timeout: LONG,
        ..StreamLimits::default()
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(server.addr).await.unwrap());
        let mut half = TcpStream::connect(server.addr).await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n")
            .await
            .unwrap();
        idle.push(half);
    }
    let mut client = server.client().await;
    server.publish(1, 0);
    assert_eq!(client.next().await, (1, 0));
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_handshake_is_cut_off() {
    let server = start(StreamLimits {
        handshake_timeout: Duration::from_millis(100),
        ..StreamLimits::default()
    })
    .await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let read = soon("the cut", silent.read(&mut [0u8; 16])).await.unwrap();
    assert_eq!(read, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_answered_and_freed() {
    let by_address = start(StreamLimits {
        subscribers_per_address_max: 2,
        ..StreamLimits::default()
    })
    .await;
    let _one = by_address.client().await;
    let two = by_address.client().await;
    assert_eq!(refused(&by_address, "/").await, 429);
    drop(two);
    let _three = connect_when_free(&by_address).await;

    let total = start(StreamLimits {
        subscribers_max: 1,
        ..StreamLimits::default()
    })
    .await;
    let _only = total.client().await;
    assert_eq!(refused(&total, "/").await, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_served_is_refused_by_name() {
    let server = start(StreamLimits::default()).await;
    assert_eq!(refused(&server, "/?dialect=v9").await, 400);
    assert_eq!(refused(&server, "/x?encoding=gzip").await, 400);
    assert_eq!(refused(&server, "/?block_number=7").await, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_message_closes_its_sender_alone() {
    let server = start(StreamLimits {
        message_bytes_max: 1_024,
        ..StreamLimits::default()
    })
    .await;
    let mut greedy = server.client().await;
    let mut other = server.client().await;
    greedy
        .socket
        .send(Message::Text("x".repeat(4_096).into()))
        .await
        .unwrap();
    let gone = soon("the cut", async {
        loop {
            match futures_util::StreamExt::next(&mut greedy.socket).await {
                Some(Ok(Message::Ping(_))) => {}
                other => break other,
            }
        }
    })
    .await;
    assert!(!matches!(gone, Some(Ok(Message::Text(_)))), "{gone:?}");
    server.publish(1, 0);
    assert_eq!(other.next().await, (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_closes_subscribers_with_1001_and_ends() {
    let server = start(StreamLimits::default()).await;
    let mut client = server.client().await;
    server.publish(1, 0);
    assert_eq!(client.next().await, (1, 0));
    let Running {
        stop,
        serving,
        addr,
        ..
    } = server;
    stop.send(()).unwrap();
    let (read, close) = client.drain().await;
    assert_eq!(read, []);
    assert_eq!(u16::from(close.code), 1001);
    soon("the server's end", serving).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn bad_configuration_is_refused_by_name() {
    let addr = "127.0.0.1:0".parse().unwrap();
    let mut config = StreamConfig::new(addr);
    config.limits.ping_interval = Duration::ZERO;
    let error = FlashblockServer::bind(config).await.unwrap_err();
    assert!(error.to_string().contains("ping_interval"), "{error}");

    let (taken, _publisher) = FlashblockServer::bind(StreamConfig::new(addr))
        .await
        .unwrap();
    let again = StreamConfig::new(taken.local_addr());
    assert!(matches!(
        FlashblockServer::bind(again).await,
        Err(StreamError::Bind { .. })
    ));
}

async fn connect_when_free(server: &Running) -> crate::fixture::Client {
    soon("a free slot", async {
        loop {
            match server.try_client("/").await {
                Ok(client) => break client,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_http_request_is_told_what_is_served() {
    let server = start(StreamLimits::default()).await;
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = socket.read_to_string(&mut answer);
        soon("the answer", read).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_that_say_nothing_take_no_place() {
    let server = start(StreamLimits {
        subscribers_max: 1,
        handshakes_max: 4,
        handshakes_per_address_max: 4,
        ..StreamLimits::default()
    })
    .await;
    let mut silent = Vec::new();
    for host in 2..12 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        let source = std::net::SocketAddr::from(([127, 0, 0, host], 0));
        socket.bind(source).unwrap();
        silent.push(socket.connect(server.addr).await.unwrap());
    }
    // More of them than there are places, and the oldest are gone.
    let first = soon("the cut", silent[0].read(&mut [0; 16])).await;
    assert_eq!(first.unwrap_or_default(), 0);
    let mut client = server.client().await;
    server.publish(1, 0);
    assert_eq!(client.next().await, (1, 0));
}
