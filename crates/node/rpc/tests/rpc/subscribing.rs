//! `eth_subscribe` over WebSocket.

use std::time::Duration;

use alloy_primitives::{B256, TxKind};
use blockwright_rpc::Placeholders;
use jsonrpsee::core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};

use crate::fixture::{Chain, LOGGER, signed, start, start_overlaid, transaction};

pub(crate) async fn connect(chain: &Chain) -> WsClient {
    WsClientBuilder::default()
        .build(format!("ws://{}", chain.ws.local_addr()))
        .await
        .unwrap()
}

pub(crate) async fn next(subscription: &mut Subscription<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(10), subscription.next())
        .await
        .expect("a notification was due")
        .unwrap()
        .unwrap()
}

pub(crate) async fn subscribe(
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

#[tokio::test]
async fn flashblocks_bring_blocks_logs_and_transactions() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let client = connect(&chain).await;
    let mut blocks = subscribe(&client, rpc_params!["newFlashblocks"]).await;
    let mut full = subscribe(&client, rpc_params!["newFlashblocks", true]).await;
    let mut logs = subscribe(
        &client,
        rpc_params!["pendingLogs", json!({"address": LOGGER})],
    )
    .await;
    let mut hashes = subscribe(&client, rpc_params!["newFlashblockTransactions"]).await;
    let mut whole = subscribe(&client, rpc_params!["newFlashblockTransactions", true]).await;
    let call = |from| signed(from, transaction(0, TxKind::Call(LOGGER)));
    let parts = [vec![call(0), call(1)], vec![], vec![call(2)]];
    let mut so_far = 0;
    for pending in chain.preconfirmed(&parts) {
        chain.feed.publish(pending.clone());
        let asked = |full: bool| chain.ask("eth_getBlockByNumber", rpc_params!["pending", full]);
        assert_eq!(next(&mut blocks).await, asked(false).await);
        let block = next(&mut full).await;
        assert_eq!(block, asked(true).await);
        for (place, tx) in pending.block.transactions().enumerate().skip(so_far) {
            assert_eq!(next(&mut hashes).await, json!(tx.hash));
            assert_eq!(next(&mut whole).await, block["transactions"][place]);
            if place > 0 {
                let log = next(&mut logs).await;
                assert_eq!(log["transactionHash"], json!(tx.hash));
                assert_eq!(log["logIndex"], format!("0x{:x}", place - 1));
                assert_eq!(log["blockHash"], json!(B256::ZERO));
            }
        }
        so_far = pending.block.transaction_count();
    }
    assert_eq!(so_far, 4);
}

#[tokio::test]
async fn a_subscriber_that_cannot_keep_up_is_closed() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let client = connect(&chain).await;
    let mut hashes = subscribe(&client, rpc_params!["newFlashblockTransactions"]).await;
    let pending = chain.preconfirmed(&[])[0].clone();
    // Nothing is sent while this thread does not yield.
    for _ in 0..=64 {
        chain.feed.publish(pending.clone());
    }
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        while hashes.next().await.is_some() {}
    });
    ended.await.expect("the subscription was to end");
}

#[tokio::test]
async fn without_an_overlay_flashblocks_are_refused() {
    let chain = start().await;
    let client = connect(&chain).await;
    for kind in ["newFlashblocks", "pendingLogs", "newFlashblockTransactions"] {
        let refused = client
            .subscribe::<Value, _>("eth_subscribe", rpc_params![kind], "eth_unsubscribe")
            .await;
        let error = refused.err().unwrap().to_string();
        assert!(error.contains("switched off"), "{error}");
    }
}
