//! The dialects of one running chain, and its signatures.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy_primitives::{Address, B256, Signature, address};
use blockwright_flashblocks::{
    FlashblocksPayloadV1, JsonFlashblock, OpFlashblockPayload, decode_json, decode_spec,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use support::process::{Blockwright, binary};
use support::rpc::Rpc;
use support::tx::transfer;
use tokio_tungstenite::tungstenite::Message;

const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
/// The address of the key, as the examples of EIP-155 have it.
const ADDRESS: Address = address!("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");

fn key_file(folder: &Path, mode: u32) -> PathBuf {
    let path = folder.join("flashblocks.key");
    std::fs::write(&path, KEY).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Frames at `url` from a payload's index 0 on, until three payloads were begun.
async fn frames(url: String) -> Vec<Vec<u8>> {
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let reading = async {
        let (mut frames, mut blocks) = (Vec::new(), 0);
        while blocks < 3 {
            let frame = match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => text.as_bytes().to_vec(),
                Message::Binary(bytes) => bytes.to_vec(),
                Message::Close(frame) => panic!("{url}: {frame:?}"),
                _ => continue,
            };
            blocks += u32::from(index(&frame) == 0);
            frames.push(frame);
        }
        frames
    };
    tokio::time::timeout(Duration::from_secs(60), reading)
        .await
        .unwrap()
}

fn index(frame: &[u8]) -> u64 {
    if frame.starts_with(b"{") {
        decode_json(frame).unwrap().payload.index
    } else {
        decode_spec(frame).unwrap().index
    }
}

fn of<'a>(frames: &'a [JsonFlashblock], spec: &FlashblocksPayloadV1) -> Option<&'a JsonFlashblock> {
    frames.iter().find(|frame| {
        let OpFlashblockPayload {
            payload_id, index, ..
        } = &frame.payload;
        (payload_id.0, *index) == (spec.payload_id, spec.index)
    })
}

fn signer(frame: &JsonFlashblock, flash_hash: B256) -> Address {
    let signature = frame.builder_signature.unwrap();
    let signature = Signature::from_raw_array(&signature.0).unwrap();
    signature.recover_address_from_prehash(&flash_hash).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_says_the_same_blocks_and_is_signed() {
    let scratch = tempfile::tempdir().unwrap();
    let key = key_file(scratch.path(), 0o600);
    let key = key.to_str().unwrap();
    let node = Blockwright::start(&["dev", "--block-time", "1s", "--flashblocks.sign-key", key]);
    let rpc = Rpc::new(&node.endpoints.http);
    let sending = tokio::spawn(async move {
        for nonce in 0.. {
            let (raw, _) = transfer(2, nonce);
            rpc.call("eth_sendRawTransaction", json!([raw])).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let read = |query: &str| frames(format!("{}/?{query}", node.endpoints.flashblocks));
    let (v1, subblocks, minimal, spec) = tokio::join!(
        read(""),
        read("dialect=subblocks"),
        read("metadata=minimal"),
        read("dialect=spec")
    );
    sending.abort();
    let decoded = |frames: Vec<Vec<u8>>| -> Vec<JsonFlashblock> {
        frames
            .iter()
            .map(|frame| decode_json(frame).unwrap())
            .collect()
    };
    let json = [decoded(v1), decoded(subblocks), decoded(minimal)];
    let (mut parent, mut compared, mut transactions) = (None, 0, 0);
    for frame in &spec {
        let spec = decode_spec(frame).unwrap();
        let expected = parent.filter(|_| spec.index != 0);
        assert_eq!(spec.parent_flash_hash.0, expected, "index {}", spec.index);
        let hash = spec.flash_hash();
        parent = Some(hash);
        // All readers came within a block, so only the ends may be missing.
        let Some(frames) = json
            .each_ref()
            .map(|frames| of(frames, &spec))
            .into_iter()
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        compared += 1;
        transactions += spec.diff.transactions.len();
        let blob_gas_used = frames[0].payload.diff.blob_gas_used;
        assert_eq!(spec.json_diff(blob_gas_used), frames[0].payload.diff);
        assert_eq!(spec.json_base(), frames[0].payload.base);
        for frame in &frames {
            assert_eq!(signer(frame, hash), ADDRESS);
            assert_eq!(
                frame.payload.diff.transactions,
                frames[0].payload.diff.transactions
            );
        }
        assert_eq!(frames[1].payload.diff.state_root, B256::ZERO);
        assert_ne!(frames[0].payload.diff.state_root, B256::ZERO);
    }
    assert!(
        compared >= 5,
        "{compared} flashblocks were read in all forms"
    );
    assert!(transactions > compared, "transfers are among them");
    assert!(node.stop());
}

#[test]
fn the_signers_address_is_logged_and_a_key_that_others_may_read_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let key = key_file(scratch.path(), 0o644);
    let refused = |args: &[&str]| {
        let output = binary().arg("dev").args(args).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused(&["--flashblocks.sign-key", key.to_str().unwrap()]);
    for expected in ["--flashblocks.sign-key", key.to_str().unwrap(), "0644"] {
        assert!(said.contains(expected), "{said}");
    }
    let short = &KEY[1..];
    for said in [&said, &refused(&["--flashblocks.sign-key-hex", short])] {
        assert!(!said.contains(short), "{said}");
        assert!(said.contains("--flashblocks.sign-key"), "{said}");
    }
    assert_eq!(logged_signer(&["--flashblocks.sign-key-hex", KEY]), ADDRESS);
}

#[test]
fn the_signers_key_may_be_in_a_keystore() {
    let scratch = tempfile::tempdir().unwrap();
    let secret = |name: &str, content: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let keystore = include_str!("../crates/signer/tests/vectors/v3-scrypt.json");
    let keystore = secret("keystore", keystore);
    let (right, wrong) = (secret("right", "correct horse\n"), secret("wrong", "horse"));
    let flags = [
        "--flashblocks.sign-key",
        "--flashblocks.sign-key-password-file",
    ];
    let args = [flags[0], &keystore, flags[1], &right];
    assert_eq!(logged_signer(&args), ADDRESS);
    let refused = |args: &[&str]| {
        let output = binary().arg("dev").args(args).stdin(Stdio::null()).output();
        let output = output.unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (args, named, expected) in [
        (
            &[flags[0], &keystore, flags[1], &wrong][..],
            flags[0],
            "the password is wrong",
        ),
        (&args[..2], flags[1], "a password file is needed"),
        (&args[2..], flags[1], "there is no --flashblocks.sign-key"),
    ] {
        let said = refused(args);
        assert!(said.contains(named) && said.contains(expected), "{said}");
    }
}

/// The signer that a starting node says it has.
fn logged_signer(args: &[&str]) -> Address {
    let ports = ["http", "ws", "authrpc", "flashblocks", "metrics"];
    let ports = ports.map(|server| format!("--{server}.port=0"));
    let mut child = binary()
        .args(["dev", "--json"])
        .args(ports)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find(|line| line["fields"]["message"] == "flashblocks are signed");
    child.kill().unwrap();
    child.wait().unwrap();
    let told = told.expect("the process ended without saying so");
    told["fields"]["signer"].as_str().unwrap().parse().unwrap()
}
