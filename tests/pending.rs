//! Preconfirmed state through JSON-RPC of a running development chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::{account, sign, template};

/// Stores 42 in slot 0, logs under topic 7, and becomes code that returns slot 0.
const INIT: &[u8] = &hex!("602a5f55600760205fa1675f545f5260205ff35f5260086018f3");
const RUNTIME: &str = "0x5f545f5260205ff3";

/// A running chain with blocks long enough for everything that has to happen within one.
struct Running {
    node: Blockwright,
    rpc: Rpc,
    stream: Subscriber,
}

impl Running {
    async fn start(more: &[&str]) -> Self {
        let args = [&["dev", "--block-time", "5s"], more].concat();
        let node = Blockwright::start(&args);
        let rpc = Rpc::new(&node.endpoints.http);
        let stream = Subscriber::connect(&node.endpoints.flashblocks).await;
        Self { node, rpc, stream }
    }

    /// Sends a creation early in a block; returns its hash, its flashblock and the contract.
    async fn create(&mut self) -> (String, Value, Address) {
        while self.stream.next().await["index"] != 0 {}
        let mut tx = template(0);
        tx.gas_limit = 300_000;
        tx.to = TxKind::Create;
        tx.value = U256::from(5);
        tx.input = Bytes::from_static(INIT);
        let (raw, hash) = sign(&account(0), tx);
        let hash = hash.to_string();
        self.rpc.call("eth_sendRawTransaction", json!([raw])).await;
        let flashblock = self.stream.flashblock_with(&hash).await;
        (hash, flashblock, account(0).address().create(0))
    }

    /// Waits until the block `number` has been sealed and is the head.
    async fn sealed(&mut self, number: u64) {
        while self.stream.next().await["metadata"]["block_number"] == number {}
        assert!(self.rpc.number("eth_blockNumber", json!([])).await >= number);
    }

    /// What the contract and its creator are at a block.
    async fn state(&self, contract: Address, block: &str) -> Value {
        let creator = account(0).address();
        json!([
            self.rpc
                .call("eth_getBalance", json!([contract, block]))
                .await,
            self.rpc
                .call("eth_getTransactionCount", json!([creator, block]))
                .await,
            self.rpc.call("eth_getCode", json!([contract, block])).await,
            self.rpc
                .call("eth_getStorageAt", json!([contract, "0x0", block]))
                .await,
            self.rpc
                .call("eth_call", json!([{"to": contract}, block]))
                .await,
            self.rpc
                .call("eth_estimateGas", json!([{"to": contract}, block]))
                .await,
        ])
    }

    async fn logs(&self, contract: Address, block: &str) -> Value {
        let filter = json!({"address": contract, "fromBlock": block, "toBlock": block});
        self.rpc.call("eth_getLogs", json!([filter])).await
    }

    async fn health(&self) -> String {
        let url = self.node.endpoints.metrics.replace("/metrics", "/health");
        tokio::task::spawn_blocking(move || http_get(&url))
            .await
            .unwrap()
    }
}

fn http_get(url: &str) -> String {
    use std::io::{Read, Write};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut socket = std::net::TcpStream::connect(host).unwrap();
    write!(
        socket,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

/// Without block hashes, wherever they stand.
fn unhashed(mut value: Value) -> Value {
    fn clear(value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(clear),
            Value::Object(fields) => {
                fields.remove("blockHash");
                fields.values_mut().for_each(clear);
            }
            _ => {}
        }
    }
    clear(&mut value);
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_preconfirmed_agrees_with_itself_and_with_the_sealed_block() {
    let mut chain = Running::start(&[]).await;
    let (hash, flashblock, contract) = chain.create().await;
    let number = flashblock["metadata"]["block_number"].as_u64().unwrap();
    let tag = format!("0x{number:x}");
    let receipt = chain.rpc.first_receipt(&hash, Duration::from_secs(3)).await;
    assert_eq!(receipt["blockHash"], json!(B256::ZERO));
    assert_eq!(receipt["blockNumber"], tag);
    assert_eq!(receipt["contractAddress"], json!(contract));
    let tx = chain
        .rpc
        .call("eth_getTransactionByHash", json!([hash]))
        .await;
    assert_eq!(
        (&tx["blockHash"], &tx["blockNumber"]),
        (&Value::Null, &json!(tag))
    );

    let before = chain.state(contract, "pending").await;
    let word = B256::from(U256::from(42));
    let expected = ["0x5", "0x1", RUNTIME, &word.to_string(), &word.to_string()];
    assert_eq!(before.as_array().unwrap()[..5], expected);
    let logs = chain.logs(contract, "pending").await;
    assert_eq!(logs[0]["blockHash"], json!(B256::ZERO));
    assert_eq!(logs[0]["transactionHash"], json!(hash));
    assert_eq!(logs, receipt["logs"]);
    let block = chain
        .rpc
        .call("eth_getBlockByNumber", json!(["pending", false]))
        .await;
    assert_eq!(
        (&block["hash"], &block["nonce"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&block["number"], &block["timestamp"]),
        (&json!(tag), &tx_time(&tx, &block))
    );
    let hashes = block["transactions"].as_array().unwrap();
    assert_eq!(hashes.len(), 2, "{block}");
    assert_eq!(hashes[1], json!(hash));
    let of_block = chain
        .rpc
        .call("eth_getBlockReceipts", json!(["pending"]))
        .await;
    assert_eq!(of_block[1], receipt);
    assert!(chain.health().await.contains(r#""pending":"flashblocks""#));
    // All of that before the block was there, and without a trace in what is settled.
    let settled = chain.state(contract, "latest").await;
    assert_eq!(settled.as_array().unwrap()[..3], ["0x0", "0x0", "0x"]);
    let head = chain.rpc.number("eth_blockNumber", json!([])).await;
    assert_eq!(
        head + 1,
        number,
        "the block was sealed too soon for this test"
    );

    chain.sealed(number).await;
    assert_eq!(chain.state(contract, &tag).await, before);
    assert_eq!(unhashed(chain.logs(contract, &tag).await), unhashed(logs));
    let sealed = chain
        .rpc
        .call("eth_getTransactionReceipt", json!([hash]))
        .await;
    let block = chain
        .rpc
        .call("eth_getBlockByNumber", json!([tag, false]))
        .await;
    assert_eq!(sealed["blockHash"], block["hash"]);
    assert_eq!(unhashed(sealed), unhashed(receipt));
    // No snapshot failed to have the hash that its flashblock states.
    let metrics = http_get(&chain.node.endpoints.metrics);
    assert!(
        metrics.contains("blockwright_pending_snapshots_total"),
        "{metrics}"
    );
    assert!(
        !metrics.contains("blockwright_pending_withdrawn_total{"),
        "{metrics}"
    );
}

/// Reads a subscription's next message.
async fn heard(subscription: &mut Subscription<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(10), subscription.next())
        .await
        .expect("a notification was due")
        .unwrap()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_comes_with_the_flashblock_to_who_waits_for_it() {
    let mut chain = Running::start(&[]).await;
    let rpc = chain.rpc.clone();
    let send = async |raw: &Bytes, ms: u64| {
        let params = json!([raw, ms]);
        rpc.try_call("eth_sendRawTransactionSync", params).await
    };
    while chain.stream.next().await["index"] != 0 {}
    let head = chain.rpc.number("eth_blockNumber", json!([])).await;
    let (raw, hash) = sign(&account(1), template(0));
    let receipt = send(&raw, 5_000).await.unwrap();
    assert_eq!(receipt["transactionHash"], json!(hash));
    assert_eq!(receipt["blockHash"], json!(B256::ZERO));
    assert_eq!(quantity(&receipt["blockNumber"]), head + 1);
    let now = chain.rpc.number("eth_blockNumber", json!([])).await;
    assert_eq!(now, head, "the receipt came before its block");
    let (next, next_hash) = sign(&account(1), template(1));
    let Err(ClientError::Call(late)) = send(&next, 1).await else {
        panic!("no flashblock comes within a millisecond");
    };
    assert_eq!(late.code(), 4);
    assert_eq!(late.data().unwrap().get(), json!(next_hash).to_string());
    let resent = send(&next, 5_000).await.unwrap();
    assert_eq!(resent["transactionHash"], json!(next_hash));
    chain.sealed(head + 1).await;
    let sealed = send(&raw, 5_000).await.unwrap();
    let block = json!([receipt["blockNumber"], false]);
    let block = chain.rpc.call("eth_getBlockByNumber", block).await;
    assert_eq!(sealed["blockHash"], block["hash"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_hear_what_each_flashblock_brings() {
    let mut chain = Running::start(&[]).await;
    let client = WsClientBuilder::default()
        .build(&chain.node.endpoints.ws)
        .await
        .unwrap();
    let subscribe = async |params| {
        client
            .subscribe::<Value, _>("eth_subscribe", params, "eth_unsubscribe")
            .await
            .unwrap()
    };
    let mut blocks = subscribe(rpc_params!["newFlashblocks"]).await;
    let mut logs = subscribe(rpc_params!["pendingLogs", json!({})]).await;
    let mut txs = subscribe(rpc_params!["newFlashblockTransactions", true]).await;
    let (hash, flashblock, contract) = chain.create().await;
    let tx = loop {
        let tx = heard(&mut txs).await;
        if tx["hash"] == hash {
            break tx;
        }
    };
    let log = heard(&mut logs).await;
    assert_eq!(
        (&log["address"], &log["transactionHash"]),
        (&json!(contract), &json!(hash))
    );
    // One a flashblock, growing, until the one that brought it.
    let brought = flashblock["metadata"]["block_number"].as_u64().unwrap();
    let mut known = Vec::new();
    loop {
        let block = heard(&mut blocks).await;
        if quantity(&block["number"]) != brought {
            continue;
        }
        let hashes = block["transactions"].as_array().unwrap().clone();
        assert!(hashes.starts_with(&known), "{hashes:?} after {known:?}");
        known = hashes;
        if known.contains(&json!(hash)) {
            assert_eq!(block["stateRoot"], flashblock["diff"]["state_root"]);
            assert_eq!(
                known[quantity(&tx["transactionIndex"]) as usize],
                json!(hash)
            );
            break;
        }
    }
}

/// The transaction's own word for the block's time.
fn tx_time(tx: &Value, block: &Value) -> Value {
    match &tx["blockTimestamp"] {
        Value::Null => block["timestamp"].clone(),
        time => time.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_of_the_specification() {
    let mut chain = Running::start(&["--rpc.pending-placeholders", "spec"]).await;
    let (hash, flashblock, _) = chain.create().await;
    let receipt = chain.rpc.first_receipt(&hash, Duration::from_secs(3)).await;
    assert_eq!(receipt["blockHash"], json!(B256::ZERO));
    let tx = chain
        .rpc
        .call("eth_getTransactionByHash", json!([hash]))
        .await;
    assert_eq!(tx["blockHash"], flashblock["diff"]["block_hash"]);
    let block = chain
        .rpc
        .call("eth_getBlockByNumber", json!(["pending", false]))
        .await;
    assert_eq!(block["hash"], json!(B256::ZERO));
    assert!(quantity(&block["nonce"]) >= flashblock["index"].as_u64().unwrap());
    let capabilities = chain.rpc.call("op_supportedCapabilities", json!([])).await;
    assert_eq!(capabilities, json!(["flashblocksv1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_pending_is_latest() {
    let mut chain = Running::start(&["--rpc.pending", "latest"]).await;
    let capabilities = chain.rpc.call("op_supportedCapabilities", json!([])).await;
    assert_eq!(capabilities, json!([]));
    let (hash, flashblock, contract) = chain.create().await;
    let number = flashblock["metadata"]["block_number"].as_u64().unwrap();
    let receipt = chain
        .rpc
        .call("eth_getTransactionReceipt", json!([hash]))
        .await;
    assert_eq!(receipt, Value::Null);
    let block = async |tag: &str| {
        chain
            .rpc
            .call("eth_getBlockByNumber", json!([tag, true]))
            .await
    };
    let (pending, latest) = (block("pending").await, block("latest").await);
    assert_eq!(pending, latest);
    assert_eq!(quantity(&latest["number"]) + 1, number);
    assert_eq!(chain.state(contract, "pending").await[2], "0x");
    assert!(chain.health().await.contains(r#""reason":"off""#));
    chain.sealed(number).await;
    assert_eq!(chain.state(contract, "pending").await[2], RUNTIME);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_flashblocks_answers_from_the_head() {
    let scratch = tempfile::tempdir().unwrap();
    let genesis = blockwright_chain::dev::DevGenesis::default()
        .build()
        .unwrap();
    let file = scratch.path().join("genesis.json");
    std::fs::write(&file, genesis.to_string()).unwrap();
    let data = scratch.path().join("data");
    let node = Blockwright::start(&[
        "node",
        "--chain",
        file.to_str().unwrap(),
        "--datadir",
        data.to_str().unwrap(),
    ]);
    let rpc = Rpc::new(&node.endpoints.http);
    let block = async |tag: &str| rpc.call("eth_getBlockByNumber", json!([tag, true])).await;
    assert_eq!(block("pending").await, block("latest").await);
    let health = http_get(&node.endpoints.metrics.replace("/metrics", "/health"));
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(
        health.contains(r#"{"pending":"latest","reason":"absent","status":"ok"}"#),
        "{health}"
    );
}
