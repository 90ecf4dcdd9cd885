//! What a server does with subscribers, kind ones and others.

use std::time::Duration;

use blockwright_attributes::{ClientConfig, Disconnect, SubscriberLimits, Subscription};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Served, event, soon};

const REQUEST: &str = "GET /events?stream=payload_attributes HTTP/1.1\r\nHost: x\r\n\r\n";

async fn ask(served: &Served, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the server ends it.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    String::from_utf8(bytes).unwrap()
}

async fn subscribe(served: &Served) -> Subscription {
    let config = ClientConfig::new(Vec::new());
    soon(Subscription::open(&served.url(), &config))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_wire_has_the_frame_and_nothing_else() {
    let served = Served::start(SubscriberLimits::default()).await;
    served.feed.publish(&event(1));
    let mut stream = ask(&served, REQUEST).await;
    served.subscribers(1).await;
    served.feed.publish(&event(2));
    let frame = format!("id: \ndata: {}\n\n", event(2).to_json());
    let expected = format!("{:X}\r\n{frame}\r\n", frame.len());
    let mut text = String::new();
    while !text.ends_with(&expected) {
        let mut piece = [0; 4_096];
        let read = soon(stream.read(&mut piece)).await.unwrap();
        assert_ne!(read, 0, "{text}");
        text.push_str(core::str::from_utf8(&piece[..read]).unwrap());
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert_eq!(body, expected, "no replay, no heartbeat");
    drop(stream);
    served.subscribers(0).await;
    served.stop().await;
}

#[tokio::test]
async fn whoever_asks_for_something_else_is_told_so() {
    let served = Served::start(SubscriberLimits::default()).await;
    for (request, status, said) in [
        ("GET / HTTP/1.1", 404, "/events?stream=payload_attributes"),
        (
            "GET /events/x?stream=payload_attributes HTTP/1.1",
            404,
            "nothing is here",
        ),
        ("GET /events HTTP/1.1", 400, "which stream?"),
        ("GET /events?stream=head HTTP/1.1", 404, "no such stream"),
        (
            "GET /events?stream=payload_attributes2 HTTP/1.1",
            404,
            "no such stream",
        ),
        (
            "POST /events?stream=payload_attributes HTTP/1.1",
            405,
            "by GET",
        ),
        ("HEAD /events?stream=payload_attributes HTTP/1.1", 405, ""),
        ("nonsense", 400, ""),
    ] {
        let answer = rest(ask(&served, &format!("{request}\r\nHost: x\r\n\r\n")).await).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{request}: {answer}");
        assert!(answer.contains(said), "{request}: {answer}");
        assert_eq!(answer.contains("allow: GET"), status == 405, "{answer}");
    }
    // What comes before the stream in a query does not matter.
    let stream = ask(&served, &REQUEST.replace('?', "?a=b&")).await;
    served.subscribers(1).await;
    drop(stream);
    served.stop().await;
}

#[tokio::test]
async fn half_a_request_is_not_waited_for() {
    let limits = SubscriberLimits {
        request_timeout: Duration::from_millis(100),
        ..SubscriberLimits::default()
    };
    let served = Served::start(limits).await;
    for half in ["", "GET /events?stream=payload_attr"] {
        let answer = rest(ask(&served, half).await).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    served.stop().await;
}

#[tokio::test]
async fn an_address_has_its_share_of_connections() {
    let limits = SubscriberLimits {
        connections_per_address_max: 2,
        ..SubscriberLimits::default()
    };
    let served = Served::start(limits).await;
    let first = subscribe(&served).await;
    let _second = subscribe(&served).await;
    assert_eq!(rest(ask(&served, REQUEST).await).await, "");
    drop(first);
    served.subscribers(1).await;
    // The place is free once the connection's task has ended.
    let config = ClientConfig::new(Vec::new());
    let again = async { while Subscription::open(&served.url(), &config).await.is_err() {} };
    soon(again).await;
    served.stop().await;
}

// On one thread, so that nobody reads while this publishes.
#[tokio::test]
async fn a_subscriber_that_falls_behind_is_cut() {
    let limits = SubscriberLimits {
        behind_max: 2,
        ..SubscriberLimits::default()
    };
    let served = Served::start(limits).await;
    let mut subscription = subscribe(&served).await;
    for slot in 1..=2 {
        served.feed.publish(&event(slot));
    }
    for slot in 1..=2 {
        let event = soon(subscription.next()).await.unwrap().unwrap();
        assert_eq!(event.slot, slot);
    }
    for slot in 3..=5 {
        served.feed.publish(&event(slot));
    }
    let cut = soon(subscription.next()).await.unwrap_err();
    assert!(
        matches!(cut, Disconnect::Broken(_) | Disconnect::Ended),
        "{cut}"
    );
    served.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_takes_nothing_costs_the_others_nothing() {
    let limits = SubscriberLimits {
        write_timeout: Duration::from_millis(300),
        behind_max: 1_000,
        ..SubscriberLimits::default()
    };
    let served = Served::start(limits).await;
    let mut kind = subscribe(&served).await;
    let idle = ask(&served, REQUEST).await;
    served.subscribers(2).await;
    let mut large = event(1);
    large.attributes.transactions = Some(vec![vec![0x55; 1 << 20].into()]);
    for slot in 1..=30 {
        large.slot = slot;
        served.feed.publish(&large);
        let event = soon(kind.next()).await.unwrap().unwrap();
        assert_eq!(event.slot, slot);
    }
    served.subscribers(1).await;
    drop(idle);
    served.stop().await;
}
