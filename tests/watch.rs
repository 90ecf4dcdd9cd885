//! `blockwright watch` on a development chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::process::Output;
use std::time::Duration;

use blockwright_flashblocks::decode_spec;
use serde_json::{Value, json};
use support::process::{Blockwright, binary};
use support::proxy::Proxy;
use support::relay::{Change, Relay};
use support::rpc::Rpc;
use support::tx::transfer;
use tokio_tungstenite::tungstenite::Message;

/// A key and its address, as the examples of EIP-155 have them, and another address.
const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const SIGNER: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
const STRANGER: &str = "0x0101010101010101010101010101010101010101";

/// Runs `blockwright watch` to its end.
async fn watch(args: Vec<String>) -> Output {
    let run = move || binary().arg("watch").args(args).output().unwrap();
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn printed(output: &Output) -> impl Iterator<Item = Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// Lines of flashblocks.
fn lines(output: &Output) -> Vec<Value> {
    printed(output)
        .filter(|line| line["event"].is_null())
        .collect()
}

/// Lines of this event.
fn events(output: &Output, event: &str) -> Vec<Value> {
    printed(output)
        .filter(|line| line["event"] == event)
        .collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
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
    let ended = events(&live, "block");
    assert_eq!(ended.len(), 3, "{ended:?}");
    for block in &ended {
        let first = block["first_after_timestamp_ms"].as_f64().unwrap();
        assert!(first <= block["last_after_timestamp_ms"].as_f64().unwrap());
    }
    check_node_and_pipe(path, &http).await;
    check_missing_frames(&file, &seen).await;

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

/// The recording's blocks are compared with those of the node before the end, and it is said where that is
/// not possible. Whoever reads no further ends the watch.
async fn check_node_and_pipe(recording: &str, node: &str) {
    let replay = |rpc: &str| {
        let args = ["--json", "--verify", "--replay", recording, "--rpc", rpc];
        watch(args.map(str::to_owned).to_vec())
    };
    let compared = replay(node).await;
    assert!(compared.status.success(), "{}", said(&compared));
    // Nobody listens on the port of `discard`.
    let alone = replay("http://127.0.0.1:9").await;
    assert_eq!(alone.status.code(), Some(1));
    assert_eq!(events(&alone, "not_compared").len(), 3);
    assert!(said(&alone).contains("3 blocks could not be compared"));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let args = ["watch", "--text", "--replay", recording];
    let mut piped = binary();
    let piped = piped.args(args).stdout(writer).output().unwrap();
    assert!(piped.status.success(), "{}", said(&piped));
    assert_eq!(said(&piped), "");
}

/// What is missing from a recording is found, but not what came before it was begun.
async fn check_missing_frames(recording: &std::path::Path, seen: &[Value]) {
    let text = std::fs::read_to_string(recording).unwrap();
    let frames: Vec<_> = text.lines().collect();
    let file = recording.with_extension("less");
    let numbers: Vec<_> = seen
        .iter()
        .map(|seen| seen["block_number"].as_u64().unwrap())
        .collect();
    let replay = async |without: &dyn Fn(usize) -> bool| {
        // The first line names the dialect.
        let kept = (0..frames.len()).filter(|at| *at == 0 || !without(at - 1));
        let kept: Vec<_> = kept.map(|at| frames[at]).collect();
        std::fs::write(&file, kept.join("\n")).unwrap();
        let file = file.to_str().unwrap();
        let args = ["--json", "--verify", "--replay", file];
        watch(args.map(str::to_owned).to_vec()).await
    };
    let joined = replay(&|at| at == 0).await;
    assert!(joined.status.success(), "{}", said(&joined));
    assert!(lines(&joined).len() > 1);
    let second = numbers[0] + 1;
    let holed = replay(&|at| numbers.get(at) == Some(&second)).await;
    assert_eq!(holed.status.code(), Some(1));
    let found = lines(&holed);
    let found: Vec<_> = found
        .iter()
        .flat_map(|seen| seen["findings"].as_array().unwrap())
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    let text = format!("blocks {second} to {second} are missing");
    assert_eq!(found[0]["text"], json!(text));
    let nothing = replay(&|_| true).await;
    assert_eq!(nothing.status.code(), Some(1));
    assert!(said(&nothing).contains("nothing was verified"));
}

/// Who is not let in is told so, and the last block is compared before the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_stream_takes_its_key_and_the_last_block_a_node() {
    let guard = ["dev", "--block-time", "1s", "--flashblocks.api-key", "k1"];
    let node = Blockwright::start(&guard);
    let url = node.endpoints.flashblocks.clone();
    let http = node.endpoints.http.clone();
    let run = |more: &[&str]| {
        let common = [url.as_str(), "--json", "--verify", "--blocks", "1"];
        let args = common.into_iter().chain(more.iter().copied());
        watch(args.map(str::to_owned).collect())
    };
    let (refused, compared, alone) = tokio::join!(
        run(&[]),
        run(&["--api-key", "k1", "--rpc", &http]),
        run(&["--api-key", "k1", "--rpc", "http://127.0.0.1:9"]),
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("HTTP 401"), "{}", said(&refused));
    assert_proved(&compared, &lines(&compared));
    assert_eq!(alone.status.code(), Some(1));
    assert_eq!(events(&alone, "not_compared").len(), 1);
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
    for (args, status, expected) in [
        (vec!["ws://h", "--signer", SIGNER], 2, "--verify"),
        (vec!["ws://h", "--verify", "--signer", "0x1"], 2, "`any`"),
        (vec!["ws://h", "--dialect", "v7"], 2, "v1, subblocks, spec"),
        (vec!["ws://h/?dialect=spec"], 1, "setting of its own"),
        (
            vec![
                "ws://h",
                "--verify",
                "--dialect",
                "spec",
                "--signer",
                SIGNER,
            ],
            1,
            "JSON dialect",
        ),
    ] {
        let refused = watch(args.iter().map(|arg| (*arg).to_owned()).collect()).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(status), "{said}");
        assert!(said.contains(expected), "{said}");
    }
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

/// A chain of one-second blocks that are signed with [`KEY`], and transactions for it until the task is
/// aborted.
fn signed_chain() -> (Blockwright, tokio::task::JoinHandle<()>) {
    let key = ["--flashblocks.sign-key-hex", KEY];
    let node = Blockwright::start(&[&["dev", "--block-time", "1s"], &key[..]].concat());
    let rpc = Rpc::new(&node.endpoints.http);
    let sending = tokio::spawn(async move {
        for nonce in 0.. {
            let (raw, _) = transfer(2, nonce);
            rpc.call("eth_sendRawTransaction", json!([raw])).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    (node, sending)
}

/// A verifying watch of two blocks.
async fn verify(url: &str, more: &[&str]) -> Output {
    let common = [url, "--json", "--verify", "--blocks", "2"];
    let args = common.iter().chain(more).map(|arg| (*arg).to_owned());
    watch(args.collect()).await
}

fn is_signed_by_us(seen: &[Value]) -> bool {
    let same = |signer: &str| signer.eq_ignore_ascii_case(SIGNER);
    seen.iter()
        .all(|flashblock| flashblock["signer"].as_str().is_some_and(same))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_is_verified_and_signers_are_told_apart() {
    let (node, sending) = signed_chain();
    let url = node.endpoints.flashblocks.clone();
    let http = node.endpoints.http.clone();
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (v1_file, spec_file) = (file("v1"), file("spec"));
    let signer = ["--signer", SIGNER];
    let both = format!("{STRANGER},{SIGNER}");
    let (v1_args, spec_args, subblocks_args) = (
        [&signer[..], &["--record", &v1_file, "--rpc", &http]].concat(),
        ["--dialect", "spec", "--record", &spec_file, "--rpc", &http],
        ["--dialect", "subblocks", "--signer", &both, "--rpc", &http],
    );
    let (v1, spec, subblocks, other) = tokio::join!(
        verify(&url, &v1_args),
        verify(&url, &spec_args),
        verify(&url, &subblocks_args),
        verify(&url, &["--signer", STRANGER]),
    );
    sending.abort();
    let seen = lines(&v1);
    assert_proved(&v1, &seen);
    assert!(is_signed_by_us(&seen));
    assert_proved(&spec, &lines(&spec));
    let bare = lines(&subblocks);
    let errors = String::from_utf8_lossy(&subblocks.stderr);
    assert!(subblocks.status.success(), "{errors}");
    assert!(is_signed_by_us(&bare) && bare.len() > 2);
    for flashblock in &bare {
        assert_eq!(flashblock["findings"], json!([]), "{flashblock}");
        assert_eq!(flashblock["verified"], Value::Null, "{flashblock}");
    }
    assert_eq!(other.status.code(), Some(1));
    let strange = lines(&other);
    assert!(strange.len() > 2);
    for flashblock in &strange {
        let findings = flashblock["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{flashblock}");
        assert_eq!(findings[0]["kind"], "signer", "{flashblock}");
        assert!(findings[0]["text"].as_str().unwrap().contains(SIGNER));
    }
    assert!(node.stop());

    // What was recorded shows the same again.
    let again = |file: &str, more: &[&str]| {
        let common = ["--json", "--verify", "--replay", file];
        let args = common.iter().chain(more).map(|arg| (*arg).to_owned());
        watch(args.collect())
    };
    let replayed = again(&v1_file, &signer).await;
    assert_proved(&replayed, &lines(&replayed));
    assert_eq!(lines(&replayed)[..seen.len()], seen[..]);
    let constant = again(&v1_file, &["--signer", "any"]).await;
    assert_proved(&constant, &lines(&constant));
    assert!(is_signed_by_us(&lines(&constant)));
    let unsigned = again(&v1_file, &[]).await;
    assert_proved(&unsigned, &lines(&unsigned));
    assert_eq!(lines(&unsigned)[0]["signer"], Value::Null);
    let replayed = again(&spec_file, &[]).await;
    assert_proved(&replayed, &lines(&replayed));
}

/// Another digit in the signature of each flashblock 1.
fn change_signature(message: Message) -> Option<Message> {
    let Message::Text(text) = &message else {
        return Some(message);
    };
    let text = text.as_str();
    if !text.contains("\"index\":1,") {
        return Some(message);
    }
    let key = "\"builder_signature\":\"0x";
    let at = text.find(key).unwrap() + key.len() + 10;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    Some(Message::text(
        [&text[..at], digit, &text[at + 1..]].concat(),
    ))
}

/// Another byte in the state root of each flashblock 1 of dialect `spec`.
fn change_spec(message: Message) -> Option<Message> {
    let Message::Binary(bytes) = &message else {
        return Some(message);
    };
    let mut bytes = bytes.to_vec();
    if decode_spec(&bytes).unwrap().index == 1 {
        // The container says where `diff` is, which begins with the state root.
        let diff_at = u32::from_le_bytes(bytes[28..32].try_into().unwrap());
        bytes[diff_at as usize] ^= 1;
    }
    Some(Message::binary(bytes))
}

/// No frame of dialect `spec` passes.
fn drop_spec(message: Message) -> Option<Message> {
    (!message.is_binary()).then_some(message)
}

/// Another version of the container.
fn change_version(message: Message) -> Option<Message> {
    let Message::Binary(bytes) = &message else {
        return Some(message);
    };
    Some(Message::binary([&[0, 0, 0, 7], &bytes[4..]].concat()))
}

/// Kinds of what was found at the flashblocks with this index.
fn found(output: &Output, index: u64) -> Vec<String> {
    assert_eq!(output.status.code(), Some(1));
    let seen = lines(output);
    let of_index = seen.iter().filter(|seen| seen["index"] == index);
    let findings = of_index.flat_map(|seen| seen["findings"].as_array().unwrap());
    findings
        .map(|finding| finding["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_changes_is_noticed() {
    let (node, sending) = signed_chain();
    let url = node.endpoints.flashblocks.clone();
    let relay = async |change: Change| Relay::start(&url, change).await.url();
    let (signatures, specs) = (relay(change_signature).await, relay(change_spec).await);
    let (nothing, versions) = (relay(drop_spec).await, relay(change_version).await);
    let signer = ["--signer", SIGNER];
    let (signature, spec, chain, alone, version) = tokio::join!(
        verify(&signatures, &signer),
        verify(&specs, &signer),
        verify(&specs, &["--dialect", "spec"]),
        verify(&nothing, &signer),
        verify(&versions, &signer),
    );
    sending.abort();
    assert!(found(&signature, 0).is_empty());
    let kinds = found(&signature, 1);
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "signer"));
    assert!(found(&spec, 0).is_empty());
    let kinds = found(&spec, 1);
    assert!(kinds.contains(&"pair".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"signer".to_owned()), "{kinds:?}");
    assert!(found(&chain, 0).is_empty());
    assert!(found(&chain, 1).contains(&"block".to_owned()));
    let kinds = found(&chain, 2);
    assert!(kinds.contains(&"chain".to_owned()), "{kinds:?}");
    let kinds = found(&alone, 1);
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "unpaired"));
    let refused = String::from_utf8_lossy(&version.stdout);
    assert!(
        refused.contains("version 0x00000007 is unknown"),
        "{refused}"
    );
    assert!(node.stop());
}
