//! `Sequencer`: an answer that is waited for.

use std::time::{Duration, Instant};

use blockwright_forward::{Sequencer, SequencerConfig, SequencerError, TargetUrl};

use crate::node::{Mood, Node, encoded, tx, txs};

fn sequencer(url: &str, adjust: impl FnOnce(&mut SequencerConfig)) -> Sequencer {
    let mut config = SequencerConfig::new(TargetUrl::new(url));
    adjust(&mut config);
    Sequencer::new(config).unwrap()
}

#[tokio::test]
async fn each_transaction_has_its_answer_in_batches_of_any_size() {
    let node = Node::start(Mood::Kind).await;
    let sequencer = sequencer(&node.url(), |config| config.batch_max = 4);
    let mut sent = txs(0..10);
    sent.insert(6, tx(2));
    let results = sequencer.submit(&sent).await;
    assert!(matches!(results[6], Err(SequencerError::UnderWay)));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 10);
    assert_eq!(node.received(10).await, encoded(&txs(0..10)));

    let again = sequencer.submit(&[tx(2)]).await;
    let Err(SequencerError::Refused(refusal)) = &again[0] else {
        panic!("{again:?}");
    };
    assert_eq!(refusal.message(), "already known");
}

#[tokio::test]
async fn a_refusal_comes_back_as_it_is() {
    let node = Node::start(Mood::Refusing(-32_003)).await;
    let sequencer = sequencer(&node.url(), |_| {});
    for results in [
        sequencer.submit(&[tx(0)]).await,
        sequencer.submit(&txs(1..3)).await,
    ] {
        for result in results {
            let Err(SequencerError::Refused(refusal)) = result else {
                panic!("{result:?}");
            };
            assert_eq!(
                (refusal.code(), refusal.message()),
                (-32_003, "not this one")
            );
            assert_eq!(refusal.data().unwrap().get(), r#""details""#);
        }
    }
    assert_eq!(node.calls(), 3, "no refusal is asked for twice");
}

#[tokio::test]
async fn the_deadline_holds_for_a_sequencer_that_hangs_and_frees_its_claim() {
    let node = Node::start(Mood::Kind).await;
    node.close();
    let timeout = Duration::from_millis(200);
    let sequencer = sequencer(&node.url(), |config| config.timeout = timeout);
    let before = Instant::now();
    let waiting = sequencer.clone();
    let waiting = tokio::spawn(async move { waiting.submit(&txs(0..2)).await });
    // The claim is made before the first byte is sent.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let meanwhile = sequencer.submit(&[tx(1)]).await;
    assert!(matches!(meanwhile[0], Err(SequencerError::UnderWay)));
    for result in waiting.await.unwrap() {
        assert!(
            matches!(result, Err(SequencerError::Timeout { within }) if within == timeout),
            "{result:?}"
        );
    }
    assert!(before.elapsed() < Duration::from_secs(5));
    node.open();
    let results = sequencer.submit(&[tx(7)]).await;
    assert!(results[0].is_ok(), "{results:?}");
}

#[tokio::test]
async fn a_sequencer_that_restarts_within_the_deadline_is_not_noticed() {
    let node = Node::start(Mood::Kind).await;
    let sequencer = sequencer(&node.url(), |config| {
        config.timeout = Duration::from_secs(20)
    });
    assert!(sequencer.submit(&[tx(0)]).await[0].is_ok());
    let addr = node.addr;
    node.stop().await;
    let waiting = tokio::spawn(async move { sequencer.submit(&txs(1..4)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let node = Node::start_at(addr, Mood::Kind, 1_000).await;
    let results = waiting.await.unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(node.received(3).await, encoded(&txs(1..4)));
}

#[tokio::test]
async fn nobody_there_is_said_at_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let sequencer = sequencer(&url, |config| config.timeout = Duration::from_millis(300));
    let results = sequencer.submit(&[tx(0)]).await;
    let text = results[0].as_ref().unwrap_err().to_string();
    assert!(text.starts_with("sequencer cannot be reached"), "{text}");
}

#[tokio::test]
async fn more_calls_than_may_wait_are_refused_at_once() {
    let node = Node::start(Mood::Kind).await;
    let sequencer = sequencer(&node.url(), |config| config.calls_max = 0);
    let results = sequencer.submit(&[tx(0)]).await;
    assert!(matches!(results[0], Err(SequencerError::Busy { calls: 0 })));
}

#[tokio::test]
async fn a_sequencer_without_batches_gets_single_calls() {
    let any = "127.0.0.1:0".parse().unwrap();
    let node = Node::start_at(any, Mood::Kind, 0).await;
    let sequencer = sequencer(&node.url(), |_| {});
    let results = sequencer.submit(&txs(0..5)).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(node.received(5).await, encoded(&txs(0..5)));
}
