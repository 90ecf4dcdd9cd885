//! `eth_subscribe` over WebSocket.

use std::time::Duration;

use alloy_primitives::TxKind;
use jsonrpsee::core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};

use crate::fixture::{Chain, LOGGER, signed, start, transaction};

async fn connect(chain: &Chain) -> WsClient {
    WsClientBuilder::default()
        .build(format!("ws://{}", chain.ws.local_addr()))
        .await
        .unwrap()
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(10), subscription.next())
        .await
        .expect("a notification was due")
        .unwrap()
        .unwrap()
}

async fn subscribe(
    client: &WsClient,
    params: jsonrpsee::core::params::ArrayParams,
) -> Subscription<Value> {
    client
        .subscribe("eth_subscribe", params, "eth_unsubscribe")
        .await
        .unwrap()
}

#[tokio::test]
async fn new_heads_and_logs_follow_the_chain_through_a_reorganization() {
    let chain = start().await;
    let client = connect(&chain).await;
    let mut heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let mut logs = subscribe(&client, rpc_params!["logs", json!({"address": LOGGER})]).await;
    let genesis = chain.head();
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let first = chain.advance(std::slice::from_ref(&tx));
    assert_eq!(next(&mut heads).await["hash"], json!(first.hash));
    let log = next(&mut logs).await;
    assert_eq!(log["blockHash"], json!(first.hash));
    assert_eq!(log["removed"], false);

    let other = chain.build(&genesis, 4, &[tx]);
    chain.adopt(&other);
    assert_eq!(next(&mut heads).await["hash"], json!(other.hash));
    let removed = next(&mut logs).await;
    assert_eq!(removed["blockHash"], json!(first.hash));
    assert_eq!(removed["removed"], true);
    assert_eq!(next(&mut logs).await["blockHash"], json!(other.hash));
    heads.unsubscribe().await.unwrap();
    let number: Value = client
        .request("eth_blockNumber", rpc_params![])
        .await
        .unwrap();
    assert_eq!(number, "0x1");
}

#[tokio::test]
async fn new_pending_transactions_are_hashes() {
    let chain = start().await;
    let client = connect(&chain).await;
    let mut pending = subscribe(&client, rpc_params!["newPendingTransactions"]).await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let _: Value = client
        .request("eth_sendRawTransaction", rpc_params![tx.encoded.clone()])
        .await
        .unwrap();
    assert_eq!(next(&mut pending).await, json!(tx.hash));
}

#[tokio::test]
async fn unknown_subscriptions_are_refused() {
    let chain = start().await;
    let client = connect(&chain).await;
    for params in [
        rpc_params!["nothing"],
        rpc_params!["syncing"],
        rpc_params![],
    ] {
        let refused = client
            .subscribe::<Value, _>("eth_subscribe", params, "eth_unsubscribe")
            .await;
        let error = refused.err().unwrap().to_string();
        assert!(error.contains("subscription"), "{error}");
    }
}
