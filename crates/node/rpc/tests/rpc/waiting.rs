//! `eth_sendRawTransactionSync`: who waits for what, and for how long.

use std::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, TxKind};
use blockwright_rpc::{Placeholders, RpcLimits, ServerConfig};
use blockwright_types::SharedTx;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::fixture::{Chain, signed, start_overlaid, start_with, transaction};

const METHOD: &str = "eth_sendRawTransactionSync";
const LONG_MS: u64 = 9_000;

type Answer = Result<Value, ErrorObjectOwned>;

fn payment(nonce: u64) -> SharedTx {
    signed(
        0,
        transaction(nonce, TxKind::Call(Address::repeat_byte(0xaa))),
    )
}

/// A caller that waits; returns once its transaction is in the pool.
async fn caller(
    chain: &Chain,
    tx: &SharedTx,
    pooled: &mut broadcast::Receiver<B256>,
) -> JoinHandle<Answer> {
    let waiting = calls(chain, tx, LONG_MS);
    assert_eq!(pooled.recv().await.unwrap(), tx.hash);
    waiting
}

fn calls(chain: &Chain, tx: &SharedTx, timeout_ms: u64) -> JoinHandle<Answer> {
    let (client, encoded) = (chain.client.clone(), tx.encoded.clone());
    tokio::spawn(async move {
        let params = rpc_params![encoded, timeout_ms];
        match client.request::<Value, _>(METHOD, params).await {
            Ok(receipt) => Ok(receipt),
            Err(ClientError::Call(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    })
}

fn data(error: &ErrorObjectOwned) -> Value {
    serde_json::from_str(error.data().unwrap().get()).unwrap()
}

#[tokio::test]
async fn a_flashblock_answers_who_waits() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let mut pooled = chain.pool.subscribe_new();
    let tx = payment(0);
    let first = caller(&chain, &tx, &mut pooled).await;
    // The same transaction once more is waited for alike.
    let second = calls(&chain, &tx, LONG_MS);
    let grown = chain.preconfirmed(&[vec![chain.pool.get(&tx.hash).unwrap()]]);
    chain.feed.publish(grown[0].clone());
    assert!(!first.is_finished());
    chain.feed.publish(grown[1].clone());
    for answer in [first, second] {
        let receipt = answer.await.unwrap().unwrap();
        assert_eq!(receipt["transactionHash"], json!(tx.hash));
        assert_eq!(receipt["blockHash"], json!(B256::ZERO));
        let asked = chain
            .ask("eth_getTransactionReceipt", rpc_params![tx.hash])
            .await;
        assert_eq!(receipt, asked);
    }
}

#[tokio::test]
async fn without_an_overlay_the_block_answers() {
    let chain = start_with(RpcLimits::default(), ServerConfig::default()).await;
    let mut pooled = chain.pool.subscribe_new();
    let tx = payment(0);
    let waiting = caller(&chain, &tx, &mut pooled).await;
    let block = chain.advance(&[chain.pool.get(&tx.hash).unwrap()]);
    let receipt = waiting.await.unwrap().unwrap();
    assert_eq!(receipt["blockHash"], json!(block.hash));
    // What is in a block is not sent again, and not refused either.
    let again = calls(&chain, &tx, LONG_MS).await.unwrap();
    assert_eq!(again.unwrap(), receipt);
}

#[tokio::test]
async fn a_wait_ends_with_the_hash() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let tx = payment(0);
    let error = calls(&chain, &tx, 1).await.unwrap().unwrap_err();
    assert_eq!((error.code(), data(&error)), (4, json!(tx.hash)));
    assert!(error.message().contains("1 ms"), "{}", error.message());
    assert!(chain.pool.get(&tx.hash).is_some(), "it stays pooled");
    let error = calls(&chain, &tx, 1).await.unwrap().unwrap_err();
    assert_eq!(error.code(), 4, "so does one that was sent before");
}

#[tokio::test]
async fn times_out_of_range_are_the_configured_one() {
    let limits = RpcLimits {
        sync_timeout: Duration::from_millis(3),
        sync_timeout_max: Duration::from_secs(5),
        ..RpcLimits::default()
    };
    let chain = start_with(limits, ServerConfig::default()).await;
    let tx = payment(0);
    for timeout_ms in [0, 5_001] {
        let error = calls(&chain, &tx, timeout_ms).await.unwrap().unwrap_err();
        assert_eq!(error.code(), 4);
        assert!(error.message().contains(" 3 ms"), "{}", error.message());
    }
    let wrong = chain
        .refused(METHOD, rpc_params![tx.encoded.clone(), "soon"])
        .await;
    assert_eq!(wrong.code(), -32_602);
}

#[tokio::test]
async fn a_replaced_transaction_is_not_waited_for() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let mut pooled = chain.pool.subscribe_new();
    let tx = payment(0);
    let waiting = caller(&chain, &tx, &mut pooled).await;
    let better = signed(
        0,
        TxEip1559 {
            max_fee_per_gas: 30_000_000_000,
            max_priority_fee_per_gas: 3_000_000_000,
            ..transaction(0, TxKind::Call(Address::ZERO))
        },
    );
    let _: Value = chain
        .ask(
            "eth_sendRawTransaction",
            rpc_params![better.encoded.clone()],
        )
        .await;
    chain.feed.publish(chain.preconfirmed(&[])[0].clone());
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!((error.code(), data(&error)), (5, json!(tx.hash)));
}

#[tokio::test]
async fn what_cannot_be_is_refused_as_ever_and_a_gap_names_the_nonce() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let error = calls(&chain, &payment(3), LONG_MS)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!((error.code(), data(&error)), (6, json!("0x0")));
    assert!(error.message().contains("nonce gap"), "{}", error.message());
    let wrong = signed(
        0,
        TxEip1559 {
            chain_id: 1,
            ..transaction(0, TxKind::Create)
        },
    );
    let error = calls(&chain, &wrong, LONG_MS).await.unwrap().unwrap_err();
    let plain = chain
        .refused("eth_sendRawTransaction", rpc_params![wrong.encoded.clone()])
        .await;
    assert_eq!(
        (error.code(), error.message()),
        (plain.code(), plain.message())
    );
    // What is in a flashblock counts: the next one is no gap.
    let grown = chain.preconfirmed(&[vec![signed(1, transaction(0, TxKind::Call(Address::ZERO)))]]);
    chain.feed.publish(grown[1].clone());
    let next = signed(1, transaction(1, TxKind::Call(Address::ZERO)));
    assert_eq!(
        calls(&chain, &next, 1).await.unwrap().unwrap_err().code(),
        4
    );
}

#[tokio::test]
async fn those_who_wait_are_limited() {
    let limits = RpcLimits {
        sync_waiting_max: 1,
        ..RpcLimits::default()
    };
    let chain = start_with(limits, ServerConfig::default()).await;
    let mut pooled = chain.pool.subscribe_new();
    let tx = payment(0);
    let waiting = caller(&chain, &tx, &mut pooled).await;
    let next = payment(1);
    let error = calls(&chain, &next, LONG_MS).await.unwrap().unwrap_err();
    assert_eq!(error.code(), -32_005);
    assert!(chain.pool.get(&next.hash).is_none(), "it was not sent");
    chain.advance(&[chain.pool.get(&tx.hash).unwrap()]);
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!(
        calls(&chain, &next, 1).await.unwrap().unwrap_err().code(),
        4
    );
}
