//! `blockwright watch` on a development chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use support::process::{Blockwright, binary};
use support::proxy::Proxy;
use support::rpc::Rpc;
use support::tx::transfer;

/// Runs `blockwright watch` to its end.
async fn watch(args: Vec<String>) -> Output {
    let run = move || binary().arg("watch").args(args).output().unwrap();
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn assert_proved(output: &Output, seen: &[Value]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(!seen.is_empty());
    for flashblock in seen {
        assert_eq!(flashblock["verified"], true, "{flashblock}");
        assert_eq!(flashblock["findings"], json!([]), "{flashblock}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_blocks_are_proved_recorded_and_replayed() {
    let node = Blockwright::start(&["dev", "--block-time", "1s"]);
    let rpc = Rpc::new(&node.endpoints.http);
    let sending = tokio::spawn(async move {
        for nonce in 0.. {
            let (raw, _) = transfer(2, nonce);
            rpc.call("eth_sendRawTransaction", json!([raw])).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("frames");
    let path = file.to_str().unwrap();
    let url = node.endpoints.flashblocks.clone();
    let http = node.endpoints.http.clone();
    let args = [
        &url, "--json", "--verify", "--rpc", &http, "--blocks", "3", "--record", path,
    ];
    let live = watch(args.map(str::to_owned).to_vec()).await;
    sending.abort();
    let seen = lines(&live);
    assert_proved(&live, &seen);
    let blocks: std::collections::BTreeSet<_> = seen
        .iter()
        .map(|seen| seen["block_number"].as_u64().unwrap())
        .collect();
    assert_eq!(blocks.len(), 3);
    let transactions = |seen: &Value| seen["transactions"].as_u64().unwrap();
    // A deposit a block, and what was sent.
    assert!(seen.iter().map(transactions).sum::<u64>() > 3);

    let replay = ["--json", "--verify", "--replay", path];
    let replayed = watch(replay.map(str::to_owned).to_vec()).await;
    let again = lines(&replayed);
    assert_proved(&replayed, &again);
    // The frame that ended the watch is recorded, too.
    assert_eq!(again[..seen.len()], seen[..]);

    // One byte of a recorded transaction changed.
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("\"transactions\":[\"0x7e").unwrap() + 40;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    std::fs::write(&file, [&text[..at], digit, &text[at + 1..]].concat()).unwrap();
    let broken = watch(replay.map(str::to_owned).to_vec()).await;
    assert_eq!(broken.status.code(), Some(1));
    let findings = lines(&broken);
    assert!(findings.iter().any(|seen| seen["verified"] == false));
    assert!(node.stop());
}

/// Flashblocks without roots are no complaint: what they hold is checked, and the block that was
/// sealed of them is the node's.
#[tokio::test(flavor = "multi_thread")]
async fn what_carries_no_roots_is_compared_with_what_was_sealed() {
    for rule in ["last", "none"] {
        let node = Blockwright::start(&["dev", "--block-time", "1s", "--flashblocks.roots", rule]);
        let rpc = Rpc::new(&node.endpoints.http);
        let sending = tokio::spawn(async move {
            for nonce in 0.. {
                let (raw, _) = transfer(2, nonce);
                rpc.call("eth_sendRawTransaction", json!([raw])).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let url = node.endpoints.flashblocks.clone();
        let http = node.endpoints.http.clone();
        let args = [&url, "--json", "--verify", "--rpc", &http, "--blocks", "3"];
        let output = watch(args.map(str::to_owned).to_vec()).await;
        sending.abort();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{rule}: {errors}");
        let seen = lines(&output);
        let (mut with, mut without) = (0, 0);
        for flashblock in &seen {
            assert_eq!(flashblock["findings"], json!([]), "{rule}: {flashblock}");
            let index = flashblock["index"].as_u64().unwrap();
            let has_root = flashblock["has_root"].as_bool().unwrap();
            let is_last = !seen.iter().any(|other| {
                other["payload_id"] == flashblock["payload_id"]
                    && other["index"].as_u64().unwrap() > index
            });
            let may_have = index == 0 || (rule == "last" && is_last);
            assert!(has_root == (index == 0) || may_have, "{rule}: {flashblock}");
            let proved = if has_root { json!(true) } else { Value::Null };
            assert_eq!(flashblock["verified"], proved, "{rule}: {flashblock}");
            with += u64::from(has_root && index > 0);
            without += u64::from(!has_root);
        }
        // On a slow machine a block is fetched before its last flashblock.
        assert!(
            without > 3 && (with == 0 || rule == "last"),
            "{with}, {without}"
        );
        assert!(node.stop());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_watched_is_named() {
    let nothing = watch(Vec::new()).await;
    assert_eq!(nothing.status.code(), Some(2));
    let missing = watch(
        ["--replay", "/nonexistent/frames"]
            .map(str::to_owned)
            .to_vec(),
    )
    .await;
    assert_eq!(missing.status.code(), Some(1));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("recording /nonexistent/frames"), "{said}");
}

/// What is cut again and again is watched as if it were not.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_is_resumed_without_a_finding() {
    let node = Blockwright::start(&["dev", "--block-time", "1s"]);
    let wire = Proxy::start(&node.endpoints.flashblocks).await;
    let url = wire.url();
    let watching = watch(
        [&url, "--json", "--verify", "--blocks", "3"]
            .map(str::to_owned)
            .to_vec(),
    );
    let cutting = async {
        loop {
            tokio::time::sleep(Duration::from_millis(350)).await;
            wire.cut();
        }
    };
    let output = tokio::select! {
        output = watching => output,
        () = cutting => unreachable!("it cuts for ever"),
    };
    let seen = lines(&output);
    assert_proved(&output, &seen);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no stream"));
    assert!(node.stop());
}
