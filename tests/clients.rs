//! Foreign clients against a running development chain: cast and a viem script.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tools::{have, root, run};

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const RECEIVER: &str = "0x00000000000000000000000000000000000ca570";

/// Installs the clients once, below the target folder.
fn clients() -> Option<PathBuf> {
    if !have("npm", "--version") || !have("node", "--version") {
        return None;
    }
    let folder = root().join("target/clients");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join(".lock")).unwrap();
    lock.lock().unwrap();
    let scripts = ["viem.mjs", "frames.mjs", "preconfirmed.mjs"];
    for file in ["package.json", "package-lock.json"].iter().chain(&scripts) {
        std::fs::copy(root().join("tests/clients").join(file), folder.join(file)).unwrap();
    }
    let wanted = std::fs::read(folder.join("package-lock.json")).unwrap();
    let stamp = folder.join(".installed");
    if std::fs::read(&stamp).ok().as_deref() != Some(&wanted) {
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund"])
            .current_dir(&folder));
        std::fs::write(stamp, wanted).unwrap();
    }
    Some(folder)
}

fn cast(folder: &std::path::Path, url: &str, verb: &str, args: &[&str]) -> String {
    run(Command::new(folder.join("node_modules/.bin/cast"))
        .arg(verb)
        .args(["--rpc-url", url])
        .args(args))
}

/// A chain whose receipts are of sealed blocks: these clients go on to read `latest`.
fn sealed_only() -> Blockwright {
    Blockwright::start(&["dev", "--block-time", "1s", "--rpc.pending", "latest"])
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_sends_reads_and_estimates() {
    let Some(folder) = clients() else { return };
    let node = sealed_only();
    let url = node.endpoints.http.as_str();
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;

    let estimate = cast(&folder, url, "estimate", &["--from", RECEIVER, RECEIVER]);
    assert_eq!(estimate.trim(), "21000");
    let sent: Value = serde_json::from_str(&cast(
        &folder,
        url,
        "send",
        &[
            "--private-key",
            KEY,
            "--value",
            "1ether",
            "--json",
            RECEIVER,
        ],
    ))
    .unwrap();
    assert_eq!(sent["status"], "0x1");
    assert_eq!(
        cast(&folder, url, "balance", &[RECEIVER]).trim(),
        "1000000000000000000"
    );

    // The block holds what the flashblock promised, at the promised place.
    let hash = sent["transactionHash"].as_str().unwrap();
    let flashblock = stream.flashblock_with(hash).await;
    let promised = &flashblock["metadata"]["receipts"][hash];
    assert_eq!(
        flashblock["metadata"]["block_number"].as_u64().unwrap(),
        quantity(&sent["blockNumber"])
    );
    assert_eq!(promised["cumulativeGasUsed"], sent["cumulativeGasUsed"]);
    assert_eq!(promised["status"], sent["status"]);

    let receipt: Value =
        serde_json::from_str(&cast(&folder, url, "receipt", &["--json", hash])).unwrap();
    assert_eq!(receipt["blockHash"], sent["blockHash"]);
    let number = quantity(&sent["blockNumber"]).to_string();
    let block: Value =
        serde_json::from_str(&cast(&folder, url, "block", &["--json", &number])).unwrap();
    assert_eq!(block["hash"], sent["blockHash"]);
    let of_rpc = Rpc::new(url)
        .call("eth_getBlockByHash", json!([sent["blockHash"], false]))
        .await;
    assert_eq!(of_rpc["number"], sent["blockNumber"]);
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn viem_reads_sends_and_subscribes() {
    let Some(folder) = clients() else { return };
    let node = sealed_only();
    let output = run(Command::new("node")
        .arg("viem.mjs")
        .args([&node.endpoints.http, &node.endpoints.ws])
        .current_dir(&folder));
    assert!(output.contains("viem: 0x"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn viem_parses_every_transaction_of_the_stream() {
    let Some(folder) = clients() else { return };
    let node = Blockwright::start(&["dev", "--block-time", "1s"]);
    let output = run(Command::new("node")
        .arg("frames.mjs")
        .args([&node.endpoints.http, &node.endpoints.flashblocks])
        .current_dir(&folder));
    assert!(output.contains("frames: deposit "), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ethers_and_viem_read_what_is_preconfirmed() {
    let Some(folder) = clients() else { return };
    for placeholders in ["standard", "spec"] {
        let node = Blockwright::start(&[
            "dev",
            "--block-time",
            "5s",
            "--rpc.pending-placeholders",
            placeholders,
        ]);
        let output = run(Command::new("node")
            .arg("preconfirmed.mjs")
            .args([&node.endpoints.http, placeholders])
            .current_dir(&folder));
        assert!(output.contains("preconfirmed: 0x"), "{output}");
    }
}
