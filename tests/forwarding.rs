//! Transactions between running nodes: copies for builders, the sequencer's word, listed sources.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use alloy_primitives::{B256, Bytes};
use serde_json::{Value, json};
use support::process::{Blockwright, binary};
use support::rpc::{Rpc, quantity};
use support::tx::{account, sign, template, transfer};

const DEV: [&str; 3] = ["dev", "--block-time", "1s"];
const SEND: &str = "eth_sendRawTransaction";
const WITHIN: Duration = Duration::from_secs(60);

fn dev(more: &[&str]) -> Blockwright {
    Blockwright::start(&[&DEV[..], more].concat())
}

fn port(node: &Blockwright) -> u16 {
    node.endpoints
        .http
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until a metric is at least `least`.
async fn metric_reaches(node: &Blockwright, name: &str, labels: &[&str], least: f64) {
    let deadline = Instant::now() + WITHIN;
    loop {
        let value = node.metric(name, labels);
        if value >= least {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{name} {labels:?} is {value}, not {least}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends half of these one by one and the others as one batch.
async fn send_all(rpc: &Rpc, txs: &[(Bytes, B256)]) {
    use jsonrpsee::core::client::ClientT;
    let (singly, together) = txs.split_at(txs.len() / 2);
    for (raw, hash) in singly {
        assert_eq!(rpc.call(SEND, json!([raw])).await, json!(hash));
    }
    let mut batch = jsonrpsee::core::params::BatchRequestBuilder::new();
    for (raw, _) in together {
        batch.insert(SEND, jsonrpsee::rpc_params![raw]).unwrap();
    }
    let answers = rpc.0.batch_request::<Value>(batch).await.unwrap();
    assert_eq!(answers.num_failed_calls(), 0);
}

/// Where the chain has the transactions, in their order: (block, index).
async fn places(rpc: &Rpc, txs: &[(Bytes, B256)]) -> Vec<(u64, u64)> {
    let mut places = Vec::new();
    for (_, hash) in txs {
        let receipt = rpc.receipt(&hash.to_string(), WITHIN).await;
        places.push((
            quantity(&receipt["blockNumber"]),
            quantity(&receipt["transactionIndex"]),
        ));
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn two_builders_get_everything_in_order_and_one_that_was_dead_catches_up() {
    let scratch = tempfile::tempdir().unwrap();
    let stored = ["--datadir", scratch.path().to_str().unwrap()];
    let (b, c) = (dev(&[]), dev(&stored));
    let (c_url, c_port) = (c.endpoints.http.clone(), port(&c));
    let a = dev(&[
        "--txpool.forward",
        &b.endpoints.http,
        "--txpool.forward",
        &c_url,
    ]);
    let [a_rpc, b_rpc] = [&a, &b].map(|node| Rpc::new(&node.endpoints.http));
    let txs: Vec<_> = (0..60).map(|nonce| transfer(3, nonce)).collect();

    send_all(&a_rpc, &txs[..20]).await;
    for rpc in [&b_rpc, &Rpc::new(&c_url)] {
        assert!(places(rpc, &txs[..20]).await.is_sorted());
    }
    c.kill();

    send_all(&a_rpc, &txs[20..40]).await;
    assert!(places(&b_rpc, &txs[20..40]).await.is_sorted());
    let c_label = format!("127.0.0.1:{c_port}");
    let b_label = format!("127.0.0.1:{}", port(&b));
    metric_reaches(&a, "blockwright_forward_retries_total", &[&c_label], 1.0).await;
    assert_eq!(
        a.metric("blockwright_forward_retries_total", &[&b_label]),
        0.0
    );

    let c = Blockwright::start_at(&[&DEV[..], &stored].concat(), c_port);
    send_all(&a_rpc, &txs[40..]).await;
    assert!(places(&Rpc::new(&c.endpoints.http), &txs).await.is_sorted());
    assert!(places(&b_rpc, &txs[40..]).await.is_sorted());
    for label in [&b_label, &c_label] {
        metric_reaches(&a, "blockwright_forward_sent_total", &[label], 60.0).await;
        assert_eq!(a.metric("blockwright_forward_dropped_total", &[label]), 0.0);
    }
    assert!(a.stop(), "with forwarding under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_forward_to_each_other_send_a_transaction_once() {
    let a_port = free_port();
    let a_url = format!("http://127.0.0.1:{a_port}");
    let b = dev(&["--txpool.forward", &a_url]);
    let a = Blockwright::start_at(
        &[&DEV[..], &["--txpool.forward", &b.endpoints.http]].concat(),
        a_port,
    );
    let tx = [transfer(4, 0)];
    let a_rpc = Rpc::new(&a.endpoints.http);
    assert_eq!(a_rpc.call(SEND, json!([tx[0].0])).await, json!(tx[0].1));
    for node in [&a, &b] {
        places(&Rpc::new(&node.endpoints.http), &tx).await;
    }
    // B's copy came to A, which had it: known, or in a block by then.
    let answered = async {
        let (known, refused) = (
            "blockwright_forward_known_total",
            "blockwright_forward_refused_total",
        );
        while b.metric(known, &[]) + b.metric(refused, &[]) < 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(WITHIN, answered).await.unwrap();
    assert_eq!(b.metric("blockwright_forward_sent_total", &[]), 0.0);
    assert_eq!(a.metric("blockwright_forward_sent_total", &[]), 1.0);
    let again = a.metric("blockwright_forward_known_total", &[])
        + a.metric("blockwright_forward_refused_total", &[]);
    assert_eq!(again, 0.0, "it was bounced");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sequencer_has_the_last_word_for_as_long_as_it_lives() {
    let sequencer = dev(&["--txpool.min-tip", "2000000"]);
    let a = dev(&[
        "--rollup.sequencer-http",
        &sequencer.endpoints.http,
        "--rollup.sequencer-timeout",
        "2s",
    ]);
    let rpc = Rpc::new(&a.endpoints.http);
    let sequencer_rpc = Rpc::new(&sequencer.endpoints.http);
    let (low, low_hash) = transfer(5, 0);
    let mut paying = template(0);
    paying.max_priority_fee_per_gas = 3_000_000;
    let high = sign(&account(6), paying);

    let refusal = rpc.call_err(SEND, json!([low])).await;
    assert_eq!(refusal, sequencer_rpc.call_err(SEND, json!([low])).await);
    assert!(refusal.1.contains("underpriced"), "{refusal:?}");
    let pooled = rpc
        .call("eth_getTransactionByHash", json!([low_hash]))
        .await;
    assert!(pooled.is_null(), "{pooled}");

    assert_eq!(rpc.call(SEND, json!([high.0])).await, json!(high.1));
    for rpc in [&rpc, &sequencer_rpc] {
        places(rpc, std::slice::from_ref(&high)).await;
    }

    sequencer.kill();
    let (code, message) = rpc.call_err(SEND, json!([low])).await;
    assert_eq!(code, -32_000);
    assert!(message.contains("sequencer cannot be reached"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_listed_sources_takes_from_no_other() {
    let (raw, hash) = transfer(7, 0);
    let closed = dev(&["--txpool.sources", "192.0.2.0/24,198.51.100.7"]);
    let rpc = Rpc::new(&closed.endpoints.http);
    let (code, message) = rpc.call_err(SEND, json!([raw])).await;
    assert_eq!(code, -32_003);
    assert!(message.contains("127.0.0.1"), "{message}");
    assert_eq!(rpc.call("eth_chainId", json!([])).await, "0x385");
    let refused = "blockwright_rpc_sources_refused_total";
    let open = dev(&[
        "--txpool.sources",
        "192.0.2.0/24",
        "--txpool.sources",
        "127.0.0.1",
    ]);
    let rpc = Rpc::new(&open.endpoints.http);
    assert_eq!(rpc.call(SEND, json!([raw])).await, json!(hash));
    assert_eq!(open.metric(refused, &[]), 0.0);
    assert!(closed.stop() && open.stop());
}

#[test]
fn a_bad_target_stops_the_start_by_its_flag_without_its_secret() {
    for (flag, url) in [
        ("--txpool.forward", "ftp://secret@host"),
        ("--rollup.sequencer-http", "secret"),
    ] {
        let output = binary()
            .args([
                "dev",
                "--http.port",
                "0",
                "--ws.port",
                "0",
                "--authrpc.port",
                "0",
            ])
            .args(["--flashblocks.port", "0", "--metrics.port", "0", flag, url])
            .output()
            .unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(flag), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
    let output = binary()
        .args(["dev", "--txpool.sources", "localhost"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("10.0.0.0/8"), "{said}");
}
