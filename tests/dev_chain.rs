//! The development chain through its public surface.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::host::Host;
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::{account, sign, template, transfer};

/// Reads flashblocks until one opens a block; returns it.
async fn first_of_block(stream: &mut Subscriber) -> Value {
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 0 {
            return flashblock;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_in_a_flashblock_within_an_interval_and_in_the_block() {
    let node = Blockwright::start(&["dev", "--block-time", "2s"]);
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let opening = first_of_block(&mut stream).await;
    assert_eq!(opening["diff"]["transactions"].as_array().unwrap().len(), 1);
    let second = stream.next().await;
    assert_eq!(second["index"], 1);

    let (raw, hash) = transfer(0, 0);
    let answered = rpc.call("eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(answered, json!(hash));
    let hash = hash.to_string();
    let found = stream.flashblock_with(&hash).await;
    // Sent right after flashblock 1 was published: it belongs into the next one.
    assert_eq!(found["payload_id"], second["payload_id"]);
    assert_eq!(
        found["index"].as_u64().unwrap(),
        second["index"].as_u64().unwrap() + 1
    );

    let receipt = rpc.receipt(&hash, Duration::from_secs(10)).await;
    assert_eq!(
        quantity(&receipt["blockNumber"]),
        found["metadata"]["block_number"].as_u64().unwrap()
    );
    assert!(quantity(&receipt["l1Fee"]) > 0);
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn indices_are_contiguous_and_blocks_are_what_was_published() {
    let node = Blockwright::start(&[
        "dev",
        "--block-time",
        "1s",
        "--flashblocks.block-time",
        "100ms",
    ]);
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let mut current = first_of_block(&mut stream).await;
    let mut published = Vec::new();
    let mut blocks = 0;
    let mut nonce = 0;
    while blocks < 4 {
        published.extend(current["diff"]["transactions"].as_array().unwrap().clone());
        let (raw, _) = transfer(1, nonce);
        nonce += 1;
        rpc.call("eth_sendRawTransaction", json!([raw])).await;
        let next = stream.next().await;
        if next["payload_id"] == current["payload_id"] {
            assert_eq!(
                next["index"].as_u64().unwrap(),
                current["index"].as_u64().unwrap() + 1
            );
            assert!(next["base"].is_null(), "a base stands at index 0 only");
        } else {
            assert_eq!(next["index"], 0);
            // The first flashblock on top names the block that was sealed.
            let sealed = rpc
                .call(
                    "eth_getBlockByHash",
                    json!([next["base"]["parent_hash"], true]),
                )
                .await;
            assert_eq!(
                sealed["hash"], current["diff"]["block_hash"],
                "the last flashblock is the block"
            );
            assert_eq!(sealed["stateRoot"], current["diff"]["state_root"]);
            assert_eq!(
                sealed["transactions"].as_array().unwrap().len(),
                published.len()
            );
            published.clear();
            blocks += 1;
        }
        current = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_nine_the_same_head_comes_back() {
    let data = tempfile::tempdir().unwrap();
    let args = [
        "dev",
        "--block-time",
        "1s",
        "--datadir",
        data.path().to_str().unwrap(),
    ];
    let node = Blockwright::start(&args);
    let rpc = Rpc::new(&node.endpoints.http);
    let (raw, hash) = transfer(2, 0);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let receipt = rpc
        .receipt(&hash.to_string(), Duration::from_secs(20))
        .await;
    let head = rpc
        .call("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    // Where a kill would cost the newest blocks, an orderly end must not.
    if Host::under_test().loses_newest_blocks() {
        assert!(node.stop());
    } else {
        node.kill();
    }

    let node = Blockwright::start(&args);
    let rpc = Rpc::new(&node.endpoints.http);
    let again = rpc
        .call("eth_getBlockByNumber", json!([head["number"], false]))
        .await;
    assert_eq!(again, head);
    let kept = rpc.call("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(kept, receipt);
    let number = quantity(&head["number"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while rpc.number("eth_blockNumber", json!([])).await < number + 2 {
        assert!(Instant::now() < deadline, "the chain does not go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fork_can_be_had_at_genesis() {
    for fork in [
        "bedrock", "regolith", "canyon", "ecotone", "fjord", "granite", "holocene", "isthmus",
        "jovian",
    ] {
        let node = Blockwright::start(&["dev", "--block-time", "1s", "--fork", fork]);
        let rpc = Rpc::new(&node.endpoints.http);
        let (raw, hash) = transfer(0, 0);
        rpc.call("eth_sendRawTransaction", json!([raw])).await;
        let receipt = rpc
            .receipt(&hash.to_string(), Duration::from_secs(20))
            .await;
        assert_eq!(receipt["status"], "0x1", "{fork}");
        // op-node reads the deposits of the head, and takes nothing but a boolean.
        let head = rpc
            .call("eth_getBlockByNumber", json!(["latest", true]))
            .await;
        let system = &head["transactions"][0]["isSystemTx"];
        let expected = if fork == "bedrock" {
            json!(true)
        } else {
            Value::Null
        };
        assert!(
            Host::under_test().has_own_rpc() || *system == expected,
            "{fork}: {system}"
        );
        assert!(node.stop(), "{fork}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_cannot_be_are_refused_by_name() {
    let node = Blockwright::start(&["dev", "--block-time", "1s"]);
    let rpc = Rpc::new(&node.endpoints.http);
    let (raw, hash) = transfer(0, 0);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    rpc.receipt(&hash.to_string(), Duration::from_secs(20))
        .await;

    let poor = alloy_signer_local::PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let refused = [
        (sign(&account(0), template(0)).0, "nonce too low"),
        (sign(&poor, template(0)).0, "insufficient funds"),
        (
            sign(
                &account(1),
                alloy_consensus::TxEip1559 {
                    chain_id: 1,
                    ..template(0)
                },
            )
            .0,
            "chain id",
        ),
        (
            sign(
                &account(1),
                alloy_consensus::TxEip1559 {
                    gas_limit: 20_999,
                    ..template(0)
                },
            )
            .0,
            "intrinsic gas too low",
        ),
        (
            sign(
                &account(1),
                alloy_consensus::TxEip1559 {
                    gas_limit: 16_777_217,
                    ..template(0)
                },
            )
            .0,
            "16777216",
        ),
    ];
    for (raw, text) in refused {
        let (_, message) = rpc.call_err("eth_sendRawTransaction", json!([raw])).await;
        let is_ours = !Host::under_test().has_own_rpc();
        assert!(
            !is_ours || message.contains(text),
            "{message:?} does not say {text:?}"
        );
    }
    let mut garbled = transfer(1, 0).0.to_vec();
    garbled.truncate(40);
    let (_, message) = rpc
        .call_err(
            "eth_sendRawTransaction",
            json!([alloy_primitives::Bytes::from(garbled)]),
        )
        .await;
    assert!(!message.is_empty());
    let (code, _) = rpc
        .call_err("eth_getBalance", json!(["0x12", "latest"]))
        .await;
    assert_eq!(code, -32602);
    let (code, _) = rpc.call_err("eth_noSuchMethod", json!([])).await;
    assert_eq!(code, -32601);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_health_answer() {
    let node = Blockwright::start(&["dev", "--block-time", "1s"]);
    node.wait_for_log("block", Duration::from_secs(20));
    let text = node.monitoring("/metrics");
    assert!(text.contains("blockwright_"), "{text}");
    let text = node.monitoring("/health");
    let status = text.lines().next().unwrap_or_default();
    assert!(status.ends_with(" 200 OK"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_blocks_are_told_to_whoever_has_the_key() {
    let node = Blockwright::start(&[
        "dev",
        "--block-time",
        "1s",
        "--flashblocks.api-key",
        "k1,k2",
    ]);
    let rpc = Rpc::new(&node.endpoints.http);
    let url = &node.endpoints.flashblocks;
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    let mut stream = Subscriber::connect(&format!("{url}/?api_key=k1")).await;
    let mut notices = Subscriber::connect(&format!("{url}/notices?api_key=k2")).await;
    let opening = first_of_block(&mut stream).await;
    let notice = loop {
        let notice = notices.next().await;
        if notice["payload_id"] == opening["payload_id"] {
            break notice;
        }
    };
    assert_eq!(notice["type"], "sealed");
    assert_eq!(notice["block_number"], opening["metadata"]["block_number"]);
    let mut last = opening;
    while last["index"] != notice["flashblock_index"] {
        last = stream.next().await;
    }
    assert_eq!(notice["block_hash"], last["diff"]["block_hash"]);
    // The next flashblock stands on the block that was told of.
    let next = first_of_block(&mut stream).await;
    assert_eq!(next["base"]["parent_hash"], notice["block_hash"]);
    let block = rpc
        .call("eth_getBlockByHash", json!([notice["block_hash"], false]))
        .await;
    assert_eq!(block["hash"], notice["block_hash"]);
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn how_the_last_payload_ends_is_told_before_subscribers_are_let_go() {
    let node = Blockwright::start(&["dev", "--block-time", "4s"]);
    let url = &node.endpoints.flashblocks;
    let mut stream = Subscriber::connect(url).await;
    let mut notices = Subscriber::connect(&format!("{url}/notices")).await;
    let begun = first_of_block(&mut stream).await;
    let stopping = tokio::task::spawn_blocking(move || node.stop());
    let notice = loop {
        let notice = notices.next().await;
        if notice["payload_id"] == begun["payload_id"] {
            break notice;
        }
    };
    assert_eq!(notice["type"], "abandoned", "{notice}");
    assert_eq!(notice["reason"], "shutdown", "{notice}");
    assert_eq!(notices.closed().await, 1_001);
    assert_eq!(stream.closed().await, 1_001);
    assert!(stopping.await.unwrap());
}
