use std::sync::Arc;
use std::sync::mpsc;

use alloy_consensus::{TxEip2930, TxLegacy};
use alloy_primitives::{Address, Bytes, TxKind, keccak256};
use op_alloy_consensus::OpTypedTransaction;

use crate::testing::{CHAIN_ID, Chain, ETHER, key, signed, transfer};
use crate::{AccountFacts, AccountView, PoolError, ViewError};

fn chain() -> Chain {
    let mut chain = Chain::new(|_| {});
    for index in 0..4 {
        chain.fund(key(index).address(), 0, ETHER);
    }
    chain
}

#[tokio::test]
async fn recovers_the_sender_of_every_type() {
    let chain = chain();
    let txs: [OpTypedTransaction; 3] = [
        TxLegacy {
            chain_id: Some(CHAIN_ID),
            gas_limit: 21_000,
            gas_price: 1_000,
            to: TxKind::Call(Address::ZERO),
            ..TxLegacy::default()
        }
        .into(),
        TxEip2930 {
            chain_id: CHAIN_ID,
            nonce: 1,
            gas_limit: 21_000,
            gas_price: 1_000,
            to: TxKind::Call(Address::ZERO),
            ..TxEip2930::default()
        }
        .into(),
        transfer(2).into(),
    ];
    for tx in txs {
        let encoded = signed(&key(0), tx);
        let hash = chain.pool.add_raw(encoded.clone()).await.unwrap();
        assert_eq!(hash, keccak256(&encoded));
        let pooled = chain.pool.get(&hash).unwrap();
        assert_eq!(pooled.sender, key(0).address());
        assert_eq!(pooled.encoded, encoded);
    }
    assert_eq!(chain.pool.status().executable, 3);
}

#[tokio::test]
async fn answers_a_batch_in_order() {
    let chain = chain();
    let mut batch: Vec<Bytes> = (0..60)
        .map(|nonce| signed(&key((nonce % 4) as u8), transfer(nonce / 4)))
        .collect();
    batch[7] = Bytes::from_static(&[0x03, 0xc0]);
    batch[31] = Bytes::from_static(&[0x02, 0xff]);
    let results = chain.pool.add_batch(batch.clone()).await;
    for (index, (result, encoded)) in results.iter().zip(&batch).enumerate() {
        match index {
            7 => assert_eq!(*result, Err(PoolError::TypeNotSupported(3))),
            31 => assert_eq!(result.as_ref().unwrap_err().label(), "decode"),
            _ => assert_eq!(*result, Ok(keccak256(encoded))),
        }
    }
}

#[tokio::test]
async fn never_recovers_a_transaction_twice() {
    let chain = chain();
    let encoded = signed(&key(0), transfer(0));
    // Twice in one batch, and again when pooled.
    let results = chain.pool.add_batch(vec![encoded.clone(); 2]).await;
    let hash = keccak256(&encoded);
    assert_eq!(results, [Ok(hash), Err(PoolError::AlreadyKnown(hash))]);
    let again = chain.pool.add_raw(encoded).await;
    assert_eq!(again, Err(PoolError::AlreadyKnown(hash)));
    assert_eq!(chain.pool.status().recovered, 1);
}

#[tokio::test]
async fn pays_for_no_recovery_where_the_bytes_say_no() {
    let chain = chain();
    let mut poor = transfer(0);
    poor.gas_limit = 20_000;
    let error = chain.pool.add_raw(signed(&key(0), poor)).await.unwrap_err();
    assert_eq!(error.label(), "intrinsic_gas");
    assert_eq!(chain.pool.status().recovered, 0);
}

#[tokio::test]
async fn a_broken_signature_is_an_invalid_sender() {
    let chain = chain();
    let mut encoded = signed(&key(0), transfer(0)).to_vec();
    // The last 65 bytes are 0xa0 r(32)… 0xa0 s(32): an r beyond the field recovers to nothing.
    let at = encoded.len() - 65;
    encoded[at..at + 32].fill(0xff);
    let error = chain.pool.add_raw(encoded.into()).await.unwrap_err();
    assert!(error.to_string().starts_with("invalid sender"), "{error}");
}

#[tokio::test]
async fn trailing_bytes_are_refused() {
    let chain = chain();
    let mut encoded = signed(&key(0), transfer(0)).to_vec();
    encoded.push(0);
    let error = chain.pool.add_raw(encoded.into()).await.unwrap_err();
    assert_eq!(error.label(), "decode");
}

/// Accounts that cannot be read until the gate opens, or whose reading panics.
struct Gate {
    entered: mpsc::SyncSender<()>,
    open: parking_lot::Mutex<mpsc::Receiver<bool>>,
}

impl AccountView for Gate {
    fn account(&self, _: Address) -> Result<AccountFacts, ViewError> {
        self.entered.send(()).unwrap();
        let healthy = self.open.lock().recv().unwrap();
        assert!(healthy, "an account view that panics");
        Ok(AccountFacts {
            balance: alloy_primitives::U256::from(ETHER),
            ..AccountFacts::default()
        })
    }
}

fn gated(chain: &Chain) -> (mpsc::Receiver<()>, mpsc::Sender<bool>) {
    let (entered, has_entered) = mpsc::sync_channel(8);
    let (opener, open) = mpsc::channel();
    let mut view = chain.view();
    view.accounts = Arc::new(Gate {
        entered,
        open: open.into(),
    });
    chain.pool.on_head_jump(view);
    (has_entered, opener)
}

#[tokio::test]
async fn a_full_intake_refuses_at_once_and_recovers() {
    let chain = Chain::new(|config| {
        config.intake_threads = 1;
        config.intake_count_max = 2;
    });
    let (has_entered, opener) = gated(&chain);
    let submit = |nonce: u64| {
        let pool = chain.pool.clone();
        let encoded = signed(&key(0), transfer(nonce));
        tokio::spawn(async move { pool.add_raw(encoded).await })
    };
    let first = submit(0);
    let second = submit(1);
    // Let both be submitted; the first then waits at the gate.
    tokio::task::yield_now().await;
    has_entered.recv().unwrap();
    let third = chain.pool.add_raw(signed(&key(0), transfer(2))).await;
    assert_eq!(third, Err(PoolError::IntakeFull { waiting: 2 }));
    assert!(third.unwrap_err().is_transient());
    opener.send(true).unwrap();
    opener.send(true).unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    opener.send(true).unwrap();
    let third = chain.pool.add_raw(signed(&key(0), transfer(2))).await;
    assert!(third.is_ok(), "{third:?}");
}

#[tokio::test]
async fn bytes_in_the_intake_are_bounded_too() {
    let chain = Chain::new(|config| config.intake_size_bytes_max = 100);
    let result = chain.pool.add_raw(signed(&key(0), transfer(0))).await;
    assert_eq!(result, Err(PoolError::IntakeFull { waiting: 0 }));
}

#[tokio::test]
async fn a_panic_costs_its_batch_and_nothing_else() {
    let chain = Chain::new(|config| config.intake_threads = 1);
    let (_has_entered, opener) = gated(&chain);
    opener.send(false).unwrap();
    let encoded = signed(&key(0), transfer(0));
    let lost = chain.pool.add_raw(encoded.clone()).await;
    assert_eq!(lost, Err(PoolError::Closed));
    opener.send(true).unwrap();
    let again = chain.pool.add_raw(encoded).await;
    assert!(again.is_ok(), "the hash is claimed no more: {again:?}");
}

#[tokio::test]
async fn a_batch_without_room_for_all_of_it_is_refused_as_a_whole() {
    let chain = Chain::new(|config| config.intake_count_max = 30);
    let batch: Vec<Bytes> = (0..31)
        .map(|nonce| signed(&key(0), transfer(nonce)))
        .collect();
    let results = chain.pool.add_batch(batch).await;
    assert_eq!(results, vec![Err(PoolError::IntakeFull { waiting: 0 }); 31]);
    assert_eq!(chain.pool.status().recovered, 0);
}
