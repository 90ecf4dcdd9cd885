//! `Forwarder`: copies that nobody waits for.

use blockwright_forward::{ForwardConfig, Forwarder, TargetUrl};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::node::{Mood, Node, encoded, tx, txs};

struct Running {
    forwarder: Forwarder,
    stop: oneshot::Sender<()>,
    service: JoinHandle<()>,
}

fn start(urls: &[String], adjust: impl FnOnce(&mut ForwardConfig)) -> Running {
    let targets = urls.iter().map(TargetUrl::new).collect();
    let mut config = ForwardConfig::new(targets);
    adjust(&mut config);
    let (forwarder, service) = Forwarder::new(&config).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = tokio::spawn(service.run_until(async move {
        let _ = stopped.await;
    }));
    Running {
        forwarder,
        stop,
        service,
    }
}

/// An address where nothing listens now.
async fn nobody() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn every_target_gets_everything_in_order_in_batches_of_any_size() {
    let (b, c) = (Node::start(Mood::Kind).await, Node::start(Mood::Kind).await);
    let running = start(&[b.url(), c.url()], |config| config.batch_max = 7);
    let sent = txs(0..100);
    for chunk in sent.chunks(33) {
        running.forwarder.forward(chunk.to_vec());
    }
    assert_eq!(b.received(100).await, encoded(&sent));
    assert_eq!(c.received(100).await, encoded(&sent));
    running.stop.send(()).unwrap();
    running.service.await.unwrap();
}

#[tokio::test]
async fn a_transaction_is_forwarded_once() {
    let b = Node::start(Mood::Kind).await;
    let running = start(&[b.url()], |_| {});
    for _ in 0..3 {
        running.forwarder.forward([tx(1)]);
    }
    running.forwarder.forward([tx(1), tx(2)]);
    assert_eq!(b.received(2).await, encoded(&txs(1..3)));
    assert_eq!(b.calls(), 2);
}

#[tokio::test]
async fn a_dead_target_costs_the_others_nothing_and_gets_the_newest_when_it_is_back() {
    let (b, dead) = (Node::start(Mood::Kind).await, nobody().await);
    let running = start(&[format!("http://{dead}"), b.url()], |config| {
        config.queue_count_max = 20;
        config.batch_max = 5;
    });
    let sent = txs(0..50);
    for (place, one) in sent.iter().enumerate() {
        running.forwarder.forward([one.clone()]);
        // The one that lives is as fast as ever.
        b.received(place + 1).await;
    }
    assert_eq!(b.received(50).await, encoded(&sent));
    let back = Node::start_at(dead, Mood::Kind, 1_000).await;
    assert_eq!(back.received(20).await, encoded(&sent[30..]));
}

#[tokio::test]
async fn what_a_target_has_not_answered_is_sent_again_and_nothing_is_lost() {
    let b = Node::start(Mood::Kind).await;
    let running = start(&[b.url()], |config| config.batch_max = 10);
    let sent = txs(0..40);
    running.forwarder.forward(sent[..10].to_vec());
    assert_eq!(b.received(10).await.len(), 10);
    let addr = b.addr;
    b.stop().await;
    running.forwarder.forward(sent[10..].to_vec());
    let again = Node::start_at(addr, Mood::Kind, 1_000).await;
    assert_eq!(again.received(30).await, encoded(&sent[10..]));
}

#[tokio::test]
async fn a_target_that_hangs_is_asked_again_after_the_deadline() {
    let b = Node::start(Mood::Kind).await;
    b.close();
    let running = start(&[b.url()], |config| {
        config.call_timeout = std::time::Duration::from_millis(100);
    });
    running.forwarder.forward(txs(0..3));
    tokio::time::timeout(std::time::Duration::from_millis(300), b.received(1))
        .await
        .unwrap_err();
    b.open();
    let mut received = b.received(3).await;
    // Calls that had hung may come to life beside the repeated one.
    received.sort();
    assert_eq!(received, encoded(&txs(0..3)));
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    let b = Node::start(Mood::Refusing(-32_005)).await;
    let c = Node::start(Mood::Kind).await;
    let running = start(&[b.url(), c.url()], |config| config.batch_max = 2);
    running.forwarder.forward(txs(0..9));
    assert_eq!(c.received(9).await.len(), 9);
    running.forwarder.forward([tx(9)]);
    assert_eq!(c.received(10).await.len(), 10);
    let all_offered = async {
        while b.calls() < 10 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all_offered)
        .await
        .unwrap();
    assert_eq!(b.calls(), 10, "each once");
}

#[tokio::test]
async fn a_target_without_batches_gets_single_calls_in_order() {
    let any = "127.0.0.1:0".parse().unwrap();
    let b = Node::start_at(any, Mood::Kind, 0).await;
    let running = start(&[b.url()], |_| {});
    let sent = txs(0..30);
    running.forwarder.forward(sent.clone());
    assert_eq!(b.received(30).await, encoded(&sent));
}

#[test]
fn bad_targets_are_named_without_their_secrets() {
    let refused = |urls: &[&str]| {
        let targets = urls.iter().map(|url| TargetUrl::new(*url)).collect();
        Forwarder::new(&ForwardConfig::new(targets))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(&["ftp://a:secret@b"]),
        "the URL must begin with http:// or https://"
    );
    assert_eq!(
        refused(&["http://b/secret", "http://b/secret"]),
        "b:80 is named twice"
    );
}
