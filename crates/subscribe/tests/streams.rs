//! Subscriptions to real servers: ours, and such as know nothing of positions.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use blockwright_flashblocks::Form;
use blockwright_stream::{
    ApiKey, FlashblockServer, RelayPublisher, RelayedFrame, StreamConfig, TlsIdentity,
};
use blockwright_subscribe::{
    Disconnect, Event, Gap, Jitter, StreamKey, Subscriber, SubscriberConfig,
};
use blockwright_trust::TlsTrust;
use blockwright_types::PayloadId;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Nothing here takes seconds; a stuck test fails.
const PATIENCE: Duration = Duration::from_secs(15);

/// Always the longest pause.
#[derive(Debug)]
struct Longest;

impl Jitter for Longest {
    fn fraction(&mut self) -> f64 {
        1.0
    }
}

struct Subscription(mpsc::Receiver<Event>);

fn config(addr: SocketAddr) -> SubscriberConfig {
    SubscriberConfig {
        pauses: (Duration::from_millis(10), Duration::from_millis(40)),
        ..SubscriberConfig::new(format!("ws://{addr}").parse().unwrap())
    }
}

fn subscribe(config: SubscriberConfig) -> Subscription {
    let (subscriber, events) = Subscriber::new(config).unwrap();
    tokio::spawn(subscriber.with_jitter(Box::new(Longest)).run());
    Subscription(events)
}

impl Subscription {
    async fn event(&mut self) -> Event {
        let event = tokio::time::timeout(PATIENCE, self.0.recv()).await;
        event.expect("nothing happened").unwrap()
    }

    /// Payload and index of the next event, which must be a frame.
    async fn frame(&mut self) -> (u8, u64) {
        match self.event().await {
            Event::Frame(received) => (received.header.payload_id.0[0], received.header.index),
            other => panic!("expected a frame: {other:?}"),
        }
    }

    /// Whether the next event, which must be a connection, is a resumed one.
    async fn connected(&mut self) -> bool {
        match self.event().await {
            Event::Connected { is_resumed, .. } => is_resumed,
            other => panic!("expected a connection: {other:?}"),
        }
    }

    async fn disconnected(&mut self) -> (Disconnect, Duration) {
        match self.event().await {
            Event::Disconnected { reason, retry_in } => (reason, retry_in),
            other => panic!("expected an end: {other:?}"),
        }
    }
}

fn json((payload, index): (u8, u64)) -> String {
    let id = PayloadId::new([payload; 8]);
    format!(
        "{{\"payload_id\":\"{id}\",\"index\":{index},\"metadata\":{{\"block_number\":{payload}}}}}"
    )
}

fn relayed((payload, index): (u8, u64)) -> RelayedFrame {
    RelayedFrame {
        payload_id: PayloadId::new([payload; 8]),
        block_number: u64::from(payload),
        index,
        frame: json((payload, index)).into(),
    }
}

async fn serve(config: StreamConfig) -> (SocketAddr, RelayPublisher, tokio::task::JoinHandle<()>) {
    let (server, publisher) = FlashblockServer::bind_relay(config, Form::default())
        .await
        .unwrap();
    let addr = server.local_addr();
    (addr, publisher, tokio::spawn(server.run()))
}

fn loopback() -> StreamConfig {
    StreamConfig::new("127.0.0.1:0".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_is_resumed_where_the_server_holds_it_and_a_gap_told_where_not() {
    let (addr, mut publisher, serving) = serve(loopback()).await;
    publisher.publish(relayed((1, 0))).unwrap();
    let mut subscription = subscribe(config(addr));
    assert!(!subscription.connected().await);
    assert_eq!(subscription.frame().await, (1, 0));
    // Every connection is cut; the server and its ring live on.
    publisher.publish(relayed((1, 1))).unwrap();
    assert_eq!(subscription.frame().await, (1, 1));
    publisher.gap();
    let (reason, _) = subscription.disconnected().await;
    assert!(
        matches!(reason, Disconnect::Closed { code: 1013, .. }),
        "{reason}"
    );
    // What was lost behind the position is not passed over in silence.
    assert!(!subscription.connected().await);
    publisher.publish(relayed((2, 0))).unwrap();
    assert_eq!(subscription.event().await, Event::Gap(Gap::Unproven));
    assert_eq!(subscription.frame().await, (2, 0));

    // Another server, which never sent that, takes the port.
    serving.abort();
    drop(serving.await);
    let (_, mut publisher, _) = serve(StreamConfig::new(addr)).await;
    publisher.publish(relayed((3, 0))).unwrap();
    loop {
        match subscription.event().await {
            Event::Disconnected { .. } => {}
            event => {
                assert_eq!(event, Event::Gap(Gap::NotHeld));
                break;
            }
        }
    }
    assert!(!subscription.connected().await);
    assert_eq!(subscription.frame().await, (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packed_frames_keys_and_tls_of_our_server_are_understood() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let guarded = StreamConfig {
        tls: Some(TlsIdentity::from_pem_files(&cert, &key).unwrap()),
        api_keys: vec![ApiKey::new("secret")],
        ..loopback()
    };
    let (addr, mut publisher, _serving) = serve(guarded).await;
    publisher.publish(relayed((1, 0))).unwrap();
    for encoding in [None, Some("brotli"), Some("zstd")] {
        let url = format!("wss://localhost:{}", addr.port());
        let mut subscription = subscribe(SubscriberConfig {
            key: Some(StreamKey::new("secret")),
            trust: Some(TlsTrust::load(Some(&cert)).unwrap()),
            encoding,
            ..SubscriberConfig::new(url.parse().unwrap())
        });
        subscription.connected().await;
        match subscription.event().await {
            Event::Frame(received) => assert_eq!(received.frame, json((1, 0))),
            other => panic!("{other:?}"),
        }
    }
    let url = format!("wss://localhost:{}", addr.port());
    let stranger = SubscriberConfig {
        trust: Some(TlsTrust::load(Some(&cert)).unwrap()),
        ..SubscriberConfig::new(url.parse().unwrap())
    };
    let (reason, _) = subscribe(stranger).disconnected().await;
    assert!(
        matches!(reason, Disconnect::Refused { status: 401, .. }),
        "{reason}"
    );
    let doubter = SubscriberConfig::new(url.parse().unwrap());
    let (reason, _) = subscribe(SubscriberConfig {
        key: Some(StreamKey::new("secret")),
        ..doubter
    })
    .disconnected()
    .await;
    assert!(matches!(reason, Disconnect::Connect(_)), "{reason}");
}

type Socket = WebSocketStream<TcpStream>;

/// A server that knows no positions.
struct Foreign(TcpListener);

impl Foreign {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The next subscriber, which is sent these flashblocks.
    async fn accept(&self, positions: &[(u8, u64)]) -> Socket {
        let accepting = async {
            let (socket, _) = self.0.accept().await.unwrap();
            accept_async(socket).await.unwrap()
        };
        let mut socket = tokio::time::timeout(PATIENCE, accepting).await.unwrap();
        for position in positions {
            // Some of these servers send text in binary messages.
            let frame = Message::Binary(json(*position).into());
            socket.send(frame).await.unwrap();
        }
        socket
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_left_out_and_what_may_be_missing_is_told() {
    let server = Foreign::new().await;
    let mut subscription = subscribe(config(server.addr()));
    let first = server.accept(&[(1, 0), (1, 1)]).await;
    subscription.connected().await;
    assert_eq!(subscription.frame().await, (1, 0));
    assert_eq!(subscription.frame().await, (1, 1));
    drop(first);
    subscription.disconnected().await;
    let second = server.accept(&[(1, 0), (1, 1), (1, 2)]).await;
    assert!(!subscription.connected().await);
    assert_eq!(subscription.frame().await, (1, 2));
    drop(second);
    subscription.disconnected().await;
    let _third = server.accept(&[(2, 0), (2, 1), (2, 3)]).await;
    subscription.connected().await;
    assert_eq!(subscription.event().await, Event::Gap(Gap::Unproven));
    assert_eq!(subscription.frame().await, (2, 0));
    assert_eq!(subscription.frame().await, (2, 1));
    assert_eq!(subscription.event().await, Event::Gap(Gap::Skipped));
    assert_eq!(subscription.frame().await, (2, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_are_none_are_told_and_dropped() {
    let server = Foreign::new().await;
    let mut subscription = subscribe(SubscriberConfig {
        frame_bytes_max: 1_000,
        ..config(server.addr())
    });
    let mut socket = server.accept(&[]).await;
    subscription.connected().await;
    let bomb = zstd::encode_all(&[b'{'; 100_000][..], 3).unwrap();
    let not_utf8 = [json((1, 0)).as_bytes(), b" "].concat();
    let not_utf8 = String::from_utf8(not_utf8)
        .unwrap()
        .replace("\"metadata\"", "\"x\":\"?\",\"metadata\"");
    let not_utf8: Vec<u8> = not_utf8
        .bytes()
        .map(|byte| if byte == b'?' { 0xff } else { byte })
        .collect();
    for bad in [b"{}".to_vec(), b"\x00\x01".to_vec(), bomb, not_utf8] {
        socket.send(Message::Binary(bad.into())).await.unwrap();
        let event = subscription.event().await;
        assert!(matches!(event, Event::Unreadable { .. }), "{event:?}");
    }
    let good = Message::Text(json((1, 0)).into());
    socket.send(good).await.unwrap();
    assert_eq!(subscription.frame().await, (1, 0));
    let huge = Message::Text(" ".repeat(2_000).into());
    socket.send(huge).await.unwrap();
    let event = subscription.event().await;
    assert!(matches!(event, Event::Unreadable { .. }), "{event:?}");
    let (reason, _) = subscription.disconnected().await;
    assert!(matches!(reason, Disconnect::Broken(_)), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_noticed_after_two_intervals_and_left() {
    let server = Foreign::new().await;
    let interval = Duration::from_millis(100);
    let mut subscription = subscribe(SubscriberConfig {
        interval: Some(interval),
        ..config(server.addr())
    });
    // Nobody polls it, so that pings are not answered either.
    let _silent = server.accept(&[(1, 0)]).await;
    subscription.connected().await;
    assert_eq!(subscription.frame().await, (1, 0));
    let before = Instant::now();
    match subscription.event().await {
        Event::Stalled { silent } => {
            assert!(silent >= 2 * interval, "{silent:?}");
            assert!(silent < 8 * interval, "{silent:?} on a loaded machine");
        }
        other => panic!("{other:?}"),
    }
    let (reason, retry_in) = subscription.disconnected().await;
    assert_eq!((reason, retry_in), (Disconnect::Dead, Duration::ZERO));
    assert!(before.elapsed() < 10 * interval);
    let _again = server.accept(&[]).await;
    subscription.connected().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_is_kept_although_it_sends_nothing() {
    let server = Foreign::new().await;
    let mut subscription = subscribe(SubscriberConfig {
        interval: Some(Duration::from_millis(60)),
        ..config(server.addr())
    });
    let mut alive = server.accept(&[(1, 0)]).await;
    // Polled, it answers pings; after ten of them it sends again.
    let pings = tokio::spawn(async move {
        for _ in 0..10 {
            alive.next().await.unwrap().unwrap();
        }
        alive
            .send(Message::Text(json((1, 1)).into()))
            .await
            .unwrap();
        alive
    });
    subscription.connected().await;
    assert_eq!(subscription.frame().await, (1, 0));
    let event = subscription.event().await;
    assert!(matches!(event, Event::Stalled { .. }), "{event:?}");
    assert_eq!(subscription.frame().await, (1, 1));
    drop(pings.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_paced_and_other_servers_of_the_stream_tried() {
    let server = Foreign::new().await;
    let gone = Foreign::new().await.addr();
    let mut subscription = subscribe(SubscriberConfig {
        urls: vec![
            format!("ws://{gone}").parse().unwrap(),
            format!("ws://{gone}").parse().unwrap(),
            format!("ws://{gone}").parse().unwrap(),
            format!("ws://{gone}").parse().unwrap(),
            format!("ws://{}", server.addr()).parse().unwrap(),
        ],
        ..config(server.addr())
    });
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let (reason, pause) = subscription.disconnected().await;
        assert!(matches!(reason, Disconnect::Connect(_)), "{reason}");
        pauses.push(pause.as_millis());
    }
    assert_eq!(pauses, [10, 20, 40, 40]);
    let _socket = server.accept(&[(1, 0)]).await;
    subscription.connected().await;
    assert_eq!(subscription.frame().await, (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_takes_its_time_loses_nothing_and_ends_the_subscription() {
    let server = Foreign::new().await;
    let mut subscription = subscribe(SubscriberConfig {
        queue: 1,
        interval: Some(Duration::from_millis(50)),
        ..config(server.addr())
    });
    let positions: Vec<(u8, u64)> = (0..20).map(|index| (1, index)).collect();
    let mut socket = server.accept(&positions).await;
    subscription.connected().await;
    for position in positions {
        assert_eq!(subscription.frame().await, position);
    }
    drop(subscription);
    // The subscriber is gone with its receiver.
    let end = tokio::time::timeout(PATIENCE, async {
        while let Some(Ok(_)) = socket.next().await {}
    });
    end.await.unwrap();
}
