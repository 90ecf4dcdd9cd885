//! A node that follows the flashblocks of another one, as real processes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use serde_json::{Value, json};
use support::chain::{ConsensusClient, Streamed};
use support::process::Blockwright;
use support::proxy::Proxy;
use support::relay::Relay;
use support::rpc::{Rpc, quantity};
use support::tx::{account, transfer};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

/// Longest time that anything takes here.
const PATIENCE: Duration = Duration::from_secs(30);

fn sequencer() -> Blockwright {
    Blockwright::start(&["dev", "--block-time", "2s"])
}

/// A node of the same chain that follows the stream at `url`, and its data.
fn follower(sequencer: &Blockwright, url: &str) -> (Blockwright, TempDir) {
    let genesis = sequencer.endpoints.jwt.with_file_name("genesis.json");
    let datadir = tempfile::tempdir().unwrap();
    let node = Blockwright::start(&[
        "node",
        "--chain",
        genesis.to_str().unwrap(),
        "--datadir",
        datadir.path().to_str().unwrap(),
        "--flashblocks.url",
        url,
    ]);
    (node, datadir)
}

/// Asks until `wanted` says yes.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn pending_number(rpc: &Rpc) -> u64 {
    let block = rpc
        .call("eth_getBlockByNumber", json!(["pending", false]))
        .await;
    quantity(&block["number"])
}

/// Waits until a block above `number` is executed, and so that one is to its end.
async fn followed_past(rpc: &Rpc, number: u64) {
    until("the next block", async || {
        (pending_number(rpc).await > number).then_some(())
    })
    .await;
}

async fn nonce(rpc: &Rpc, tag: &str) -> u64 {
    let address = account(0).address();
    rpc.number("eth_getTransactionCount", json!([address, tag]))
        .await
}

/// Sends the next transfer of the first account to the sequencer.
async fn send(sequencer: &Rpc, nonce: u64) -> B256 {
    let (raw, hash) = transfer(0, nonce);
    sequencer.call("eth_sendRawTransaction", json!([raw])).await;
    hash
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pending_is_ahead_of_the_consensus_client_which_finds_its_blocks_executed() {
    let sequencer = sequencer();
    let mut stream = Streamed::connect(&sequencer.endpoints.flashblocks).await;
    let (node, _datadir) = follower(&sequencer, &sequencer.endpoints.flashblocks);
    let (there, here) = (
        Rpc::new(&sequencer.endpoints.http),
        Rpc::new(&node.endpoints.http),
    );
    let client = ConsensusClient::new(&node);
    // From here on blocks are on what the follower has.
    for _ in 0..2 {
        client.adopt(&stream.next_block().await).await;
    }
    let head = here.number("eth_blockNumber", json!([])).await;
    let executed = node.metric(
        "blockwright_engine_imported_total",
        &["source=\"executed\""],
    );

    let hash = send(&there, 0).await;
    until("the transaction at pending", async || {
        (nonce(&here, "pending").await == 1).then_some(())
    })
    .await;
    assert_eq!(nonce(&here, "latest").await, 0, "nothing was imported");
    let receipt = here.first_receipt(&hash.to_string(), PATIENCE).await;
    assert_eq!(receipt["status"], "0x1", "{receipt}");

    // Two blocks go by that nobody imports; the next ones are executed on them.
    until("a block two above the head", async || {
        (pending_number(&here).await >= head + 2).then_some(())
    })
    .await;
    send(&there, 1).await;
    until(
        "a transaction on blocks that are not imported",
        async || (nonce(&here, "pending").await == 2).then_some(()),
    )
    .await;
    assert_eq!(here.number("eth_blockNumber", json!([])).await, head);

    // The consensus client catches up, with what the follower has executed already.
    until("both transactions in the chain", async || {
        let block = stream.next_block().await;
        followed_past(&here, block.number()).await;
        client.adopt(&block).await;
        let number = format!("0x{:x}", block.number());
        let sealed = there
            .call("eth_getBlockByNumber", json!([number, false]))
            .await;
        assert_eq!(sealed["hash"], json!(block.hash()), "{sealed}");
        (nonce(&here, "latest").await == 2).then_some(())
    })
    .await;
    let now = node.metric(
        "blockwright_engine_imported_total",
        &["source=\"executed\""],
    );
    assert_eq!(now, executed, "every block was executed as flashblocks");
    assert!(node.metric("blockwright_follow_held_ahead_total", &[]) >= 2.0);
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broken_stream_is_resumed_and_a_silent_one_not_believed() {
    let sequencer = sequencer();
    let wire = Proxy::start(&sequencer.endpoints.flashblocks).await;
    let mut stream = Streamed::connect(&sequencer.endpoints.flashblocks).await;
    let (node, _datadir) = follower(&sequencer, &wire.url());
    let (there, here) = (
        Rpc::new(&sequencer.endpoints.http),
        Rpc::new(&node.endpoints.http),
    );
    let client = ConsensusClient::new(&node);
    for _ in 0..2 {
        client.adopt(&stream.next_block().await).await;
    }
    let executed = node.metric(
        "blockwright_engine_imported_total",
        &["source=\"executed\""],
    );
    wire.cut();
    send(&there, 0).await;
    until("the transaction in the chain", async || {
        let block = stream.next_block().await;
        followed_past(&here, block.number()).await;
        wire.cut();
        client.adopt(&block).await;
        (nonce(&here, "latest").await == 1).then_some(())
    })
    .await;
    let now = node.metric(
        "blockwright_engine_imported_total",
        &["source=\"executed\""],
    );
    assert_eq!(now, executed, "nothing was missed");

    wire.block(true);
    until("pending fallen back", async || {
        let head = here.number("eth_blockNumber", json!([])).await;
        (pending_number(&here).await == head).then_some(())
    })
    .await;
    let missed = stream.next_block().await;
    client.adopt(&missed).await;
    wire.block(false);
    until("pending above the head", async || {
        client.adopt(&stream.next_block().await).await;
        let head = here.number("eth_blockNumber", json!([])).await;
        (pending_number(&here).await > head).then_some(())
    })
    .await;
    assert!(node.stop());
}

/// A flashblock 2 with another state root.
#[allow(clippy::unnecessary_wraps)]
fn lie(message: Message) -> Option<Message> {
    let Message::Text(text) = &message else {
        return Some(message);
    };
    let mut frame: Value = serde_json::from_str(text.as_str()).unwrap();
    if frame["index"] == 2 {
        frame["diff"]["state_root"] = json!(B256::repeat_byte(0x11));
        return Some(Message::text(frame.to_string()));
    }
    Some(message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lying_stream_is_reported_and_not_served() {
    let sequencer = sequencer();
    let relay = Relay::start(&sequencer.endpoints.flashblocks, lie).await;
    let mut stream = Streamed::connect(&sequencer.endpoints.flashblocks).await;
    let (node, _datadir) = follower(&sequencer, &relay.url());
    let here = Rpc::new(&node.endpoints.http);
    let client = ConsensusClient::new(&node);
    for _ in 0..3 {
        client.adopt(&stream.next_block().await).await;
    }
    let said = node.wait_for_log("the followed stream is wrong", PATIENCE);
    let refutation = said["fields"]["refutation"].as_str().unwrap();
    assert!(refutation.contains("state_root is 0x1111"), "{refutation}");
    assert!(
        node.metric(
            "blockwright_follow_refuted_total",
            &["field=\"state_root\""]
        ) >= 1.0
    );
    // Flashblocks 0 and 1 are true and served; from 2 on `pending` is the head again, block after block.
    until("pending above the head", async || {
        let head = here.number("eth_blockNumber", json!([])).await;
        if pending_number(&here).await > head {
            return Some(());
        }
        client.adopt(&stream.next_block().await).await;
        None
    })
    .await;
    until("pending fallen back", async || {
        let head = here.number("eth_blockNumber", json!([])).await;
        (pending_number(&here).await == head).then_some(())
    })
    .await;
    // The chain itself goes on.
    let before = here.number("eth_blockNumber", json!([])).await;
    client.adopt(&stream.next_block().await).await;
    assert_eq!(here.number("eth_blockNumber", json!([])).await, before + 1);
    assert!(node.stop());
}
