use crate::testing::{Chain, ETHER, priced, sender};

#[test]
fn content_and_status_tell_executable_from_parked() {
    let mut chain = Chain::new(|_| {});
    chain.fund(sender(0), 3, ETHER);
    let txs = [
        priced(sender(0), 3, 1_000, 1),
        priced(sender(0), 5, 1_000, 1),
    ];
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    let content = chain.pool.content(sender(0));
    assert_eq!(content.executable[0].hash, txs[0].hash);
    assert_eq!(content.parked[0].hash, txs[1].hash);
    let status = chain.pool.status();
    assert_eq!((status.executable, status.parked), (1, 1));
    assert_eq!(
        status.size_bytes,
        txs.iter().map(|tx| tx.size_bytes()).sum::<u64>()
    );
    assert_eq!(chain.pool.next_nonce(sender(0)), Ok(4));
    assert_eq!(chain.pool.next_nonce(sender(9)), Ok(0));
    assert!(chain.pool.content(sender(9)).executable.is_empty());
}

#[test]
fn a_lagging_subscriber_is_told_what_it_lost() {
    let mut chain = Chain::new(|config| config.new_pending_capacity = 2);
    chain.fund(sender(0), 0, ETHER);
    let mut fresh = chain.pool.subscribe_new();
    for nonce in 0..5 {
        chain.add(&priced(sender(0), nonce, 1_000, 1)).unwrap();
    }
    let lag = fresh.try_recv().unwrap_err();
    assert_eq!(lag, tokio::sync::broadcast::error::TryRecvError::Lagged(3));
}
