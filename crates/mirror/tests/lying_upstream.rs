//! A mirror between real servers, one of which invents payloads.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::net::SocketAddr;
use std::time::Duration;

use blockwright_mirror::{Health, Mirror, MirrorConfig};
use blockwright_stream::{FlashblockServer, RelayPublisher, RelayedFrame, StreamConfig};
use blockwright_subscribe::{Disconnect, Event, Subscriber, SubscriberConfig};
use blockwright_types::PayloadId;
use tokio::sync::{mpsc, watch};

/// Nothing here takes seconds; a stuck test fails.
const PATIENCE: Duration = Duration::from_secs(15);

fn config(addr: SocketAddr) -> SubscriberConfig {
    SubscriberConfig {
        pauses: (Duration::from_millis(10), Duration::from_millis(40)),
        ..SubscriberConfig::new(format!("ws://{addr}").parse().unwrap())
    }
}

fn relayed((payload, index): (u8, u64)) -> RelayedFrame {
    let payload_id = PayloadId::new([payload; 8]);
    let frame = format!(
        "{{\"payload_id\":\"{payload_id}\",\"index\":{index},\"metadata\":{{\"block_number\":{payload}}}}}"
    );
    RelayedFrame {
        payload_id,
        block_number: u64::from(payload),
        index,
        frame: frame.into(),
    }
}

async fn serve() -> (SocketAddr, RelayPublisher) {
    let loopback = StreamConfig::new("127.0.0.1:0".parse().unwrap());
    let form = config(SocketAddr::from(([127, 0, 0, 1], 1))).form;
    let (server, publisher) = FlashblockServer::bind_relay(loopback, form).await.unwrap();
    let addr = server.local_addr();
    tokio::spawn(server.run());
    (addr, publisher)
}

/// Two servers, a mirror of them, and a subscriber of that.
struct Stage {
    honest: RelayPublisher,
    liar: RelayPublisher,
    health: watch::Receiver<Health>,
    events: mpsc::Receiver<Event>,
}

impl Stage {
    async fn start() -> Self {
        let (honest_addr, honest) = serve().await;
        let (liar_addr, liar) = serve().await;
        let (addr, relay) = serve().await;
        let upstreams = vec![config(honest_addr), config(liar_addr)];
        let hold = Duration::from_secs(60);
        let mirror = Mirror::new(MirrorConfig { upstreams, hold }, relay).unwrap();
        let health = mirror.health();
        tokio::spawn(mirror.run_until(std::future::pending()));
        let (subscriber, events) = Subscriber::new(config(addr)).unwrap();
        tokio::spawn(subscriber.run());
        Self {
            honest,
            liar,
            health,
            events,
        }
    }

    async fn next(&mut self) -> Option<(u8, u64)> {
        next(&mut self.events).await
    }

    /// Both servers send a flashblock, which the subscriber gets. They take turns in being first: what is
    /// awaited of one shows that the mirror has what it sent before. A new payload needs both.
    async fn both(&mut self, position: (u8, u64)) {
        let mut servers = [&mut self.honest, &mut self.liar];
        if position.1.is_multiple_of(2) {
            servers.reverse();
        }
        let [first, second] = servers;
        first.publish(relayed(position)).unwrap();
        if position.1 == 0 {
            second.publish(relayed(position)).unwrap();
            assert_eq!(next(&mut self.events).await, Some(position));
        } else {
            assert_eq!(next(&mut self.events).await, Some(position));
            second.publish(relayed(position)).unwrap();
        }
    }

    async fn whole(&mut self, payload: u8) {
        for index in 0..3 {
            self.both((payload, index)).await;
        }
    }
}

/// The next flashblock; `None` where the connection was closed with 1013 before.
async fn next(events: &mut mpsc::Receiver<Event>) -> Option<(u8, u64)> {
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await;
        match event.expect("nothing happened").unwrap() {
            Event::Frame(received) => {
                return Some((received.header.payload_id.0[0], received.header.index));
            }
            Event::Disconnected { reason, .. } => {
                let is_told = matches!(reason, Disconnect::Closed { code: 1013, .. });
                assert!(is_told, "{reason}");
                return None;
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invented_payload_does_not_cut_a_running_one_off() {
    let mut stage = Stage::start().await;
    for payload in 1..4 {
        stage.whole(payload).await;
    }
    assert_eq!(*stage.health.borrow_and_update(), Health::Live);
    stage.both((4, 0)).await;
    stage.both((4, 1)).await;
    stage.liar.publish(relayed((200, 0))).unwrap();
    stage.liar.publish(relayed((200, 1))).unwrap();
    stage.honest.publish(relayed((4, 2))).unwrap();
    assert_eq!(stage.next().await, Some((4, 2)));
    stage.both((5, 0)).await;
    stage.both((5, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_are_told_of_what_was_cut_off() {
    let mut stage = Stage::start().await;
    for payload in 1..5 {
        stage.whole(payload).await;
    }
    // Payload 4 is as long as the others, so that one upstream's word ends it.
    stage.liar.publish(relayed((200, 0))).unwrap();
    assert_eq!(stage.next().await, Some((200, 0)));
    stage.honest.publish(relayed((4, 3))).unwrap();
    assert_eq!(stage.next().await, None);
    // The other one's stream goes on.
    stage.honest.publish(relayed((5, 0))).unwrap();
    assert_eq!(stage.next().await, Some((5, 0)));
    // Nobody can tell which of the two is the liar, so that the end of the invented payload is a loss as
    // well; it is said once, whatever else the liar adds to it.
    stage.liar.publish(relayed((200, 1))).unwrap();
    assert_eq!(stage.next().await, None);
    for index in 1..20 {
        stage.liar.publish(relayed((200, index + 1))).unwrap();
        stage.honest.publish(relayed((5, index))).unwrap();
        assert_eq!(stage.next().await, Some((5, index)));
    }
}
