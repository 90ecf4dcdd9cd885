//! Signed payloads for proposers, from a running chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256, hex};
use blockwright_builder_codec::{BidTrace, PAYLOAD_PATH, RequestMessage, signing_digest};
use blockwright_engine::ExecutionPayload;
use blockwright_launch::dev_accounts;
use blockwright_signer::{LocalSigner, SecretText, Signature, Signer, recover};
use blockwright_types::OpFork;
use serde_json::{Value, json};
use support::process::{Blockwright, refused_start};
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::transfer;

const CHAIN_ID: u64 = 901;

/// The key of development account `index`.
fn key(index: usize) -> LocalSigner {
    let key = hex::encode(dev_accounts()[index].signer.to_bytes());
    LocalSigner::from_hex(&SecretText::new(key)).unwrap()
}

fn proposer() -> LocalSigner {
    key(5)
}

fn request(slot: u64, parent_hash: B256, chain_id: u64, key: &LocalSigner) -> Value {
    let message = RequestMessage { slot, parent_hash };
    let signature = key.sign(signing_digest(chain_id, &message)).unwrap();
    json!({
        "message": {"slot": format!("{slot:#x}"), "parentHash": parent_hash},
        "signature": signature,
    })
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// One exchange on a connection of its own.
fn http(url: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = connect(url);
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: builder\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn ask(url: &str, request: &Value) -> (u16, Value) {
    http(url, "POST", PAYLOAD_PATH, &request.to_string())
}

fn start_dev(more: &[&str]) -> Blockwright {
    let proposer = proposer().address().to_string();
    let args = [
        "dev",
        "--block-time",
        "2s",
        "--builder-api.proposer",
        &proposer,
    ];
    Blockwright::start(&[&args, more].concat())
}

/// A flashblock at index 0 that is not the first this subscriber sees: the block's beginning.
async fn next_block(stream: &mut Subscriber) -> Value {
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 0 {
            return flashblock;
        }
    }
}

/// The proposer's side: signature, agreement of bid and payload, hash.
fn checked(answer: &Value, base: &Value) -> (BidTrace, ExecutionPayload) {
    let bid: BidTrace = serde_json::from_value(answer["message"].clone()).unwrap();
    let signature: Signature = serde_json::from_value(answer["signature"].clone()).unwrap();
    let digest = signing_digest(CHAIN_ID, &bid);
    assert_eq!(recover(digest, &signature).unwrap(), key(9).address());
    assert_eq!(bid.builder_address, key(9).address());
    assert_eq!(bid.proposer_address, proposer().address());
    let payload = answer["executionPayload"].clone();
    let payload: ExecutionPayload = serde_json::from_value(payload).unwrap();
    assert_eq!(bid.slot, payload.block_number);
    assert_eq!(bid.parent_hash, payload.parent_hash);
    assert_eq!(bid.block_hash, payload.block_hash);
    assert_eq!(bid.proposer_fee_recipient, payload.fee_recipient);
    assert_eq!(bid.gas_limit, payload.gas_limit);
    assert_eq!(bid.gas_used, payload.gas_used);
    let beacon_root = serde_json::from_value(base["parent_beacon_block_root"].clone()).unwrap();
    let header = payload.header(OpFork::Karst, Some(beacon_root));
    assert_eq!(header.hash_slow(), payload.block_hash);
    (bid, payload)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_gets_the_block_that_is_being_built() {
    let node = start_dev(&[]);
    let url = &node.endpoints.builder_api;
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    next_block(&mut stream).await;
    let first = next_block(&mut stream).await;
    let base = &first["base"];
    let (raw, hash) = transfer(1, 0);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let mut published = first["diff"]["transactions"].as_array().unwrap().clone();
    while !published.contains(&json!(raw)) {
        let next = stream.next().await;
        assert_eq!(next["payload_id"], first["payload_id"]);
        published.extend(next["diff"]["transactions"].as_array().unwrap().clone());
    }
    let parent: B256 = serde_json::from_value(base["parent_hash"].clone()).unwrap();
    let request = request(
        quantity(&base["block_number"]),
        parent,
        CHAIN_ID,
        &proposer(),
    );
    let (status, answer) = ask(url, &request);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["version"], "bedrock");
    let (bid, payload) = checked(&answer, base);
    assert_eq!(
        ask(url, &request),
        (200, answer.clone()),
        "from memory again"
    );

    // What was published is what is released, and nothing is published any more.
    let later = loop {
        let next = stream.next().await;
        if next["payload_id"] != first["payload_id"] {
            break next;
        }
        published.extend(next["diff"]["transactions"].as_array().unwrap().clone());
    };
    assert_eq!(answer["executionPayload"]["transactions"], json!(published));
    // The chain goes on with that very block.
    assert_eq!(later["base"]["parent_hash"], json!(payload.block_hash));
    let block = rpc
        .call("eth_getBlockByHash", json!([payload.block_hash, false]))
        .await;
    assert_eq!(block["stateRoot"], json!(payload.state_root));
    let receipt = rpc
        .receipt(&hash.to_string(), Duration::from_secs(10))
        .await;
    assert_eq!(receipt["blockHash"], json!(payload.block_hash));
    let tip = quantity(&receipt["effectiveGasPrice"]) - quantity(&block["baseFeePerGas"]);
    let value = U256::from(tip) * U256::from(quantity(&receipt["gasUsed"]));
    assert_eq!(bid.value, value);
    assert_eq!(
        ask(url, &request),
        (200, answer),
        "also once it is the head"
    );

    let requests = "blockwright_builder_api_requests_total";
    assert_eq!(node.metric(requests, &["outcome=\"released\""]), 3.0);
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_wrongly_gets_a_code_and_nothing_else() {
    let node = start_dev(&["--builder-api.version-names", "named"]);
    let url = &node.endpoints.builder_api;
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    next_block(&mut stream).await;
    let first = next_block(&mut stream).await;
    let number = quantity(&first["base"]["block_number"]);
    let parent: B256 = serde_json::from_value(first["base"]["parent_hash"].clone()).unwrap();
    let good = request(number, parent, CHAIN_ID, &proposer());
    let mut unsigned = good.clone();
    unsigned.as_object_mut().unwrap().remove("signature");
    let unknown = B256::repeat_byte(0x99);
    let cases = [
        (request(number, parent, CHAIN_ID, &key(6)), 401, "signature"),
        (request(number, parent, 10, &proposer()), 401, "signature"),
        (unsigned, 400, "signature is missing"),
        (
            request(number + 1, parent, CHAIN_ID, &proposer()),
            400,
            "message.slot",
        ),
        (
            request(number, unknown, CHAIN_ID, &proposer()),
            404,
            "nothing was built",
        ),
    ];
    for (request, code, said) in cases {
        let (status, answer) = ask(url, &request);
        assert_eq!(status, code, "{request}: {answer}");
        assert_eq!(answer["code"], code);
        assert!(answer["message"].as_str().unwrap().contains(said));
    }
    let text = good.to_string();
    assert_eq!(http(url, "GET", PAYLOAD_PATH, "").0, 405);
    assert_eq!(http(url, "POST", "/eth/v1/builder", &text).0, 404);
    assert_eq!(http(url, "POST", PAYLOAD_PATH, &" ".repeat(4_097)).0, 413);
    // None of these ended the building.
    let next = stream.next().await;
    assert_eq!(next["payload_id"], first["payload_id"]);
    let (status, answer) = ask(url, &good);
    assert_eq!((status, &answer["version"]), (200, &json!("karst")));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_costs_nobody_else_anything() {
    let node = start_dev(&[]);
    let url = &node.endpoints.builder_api;
    let mut half: Vec<TcpStream> = (0..20).map(|_| connect(url)).collect();
    for stream in &mut half {
        stream.write_all(b"POST /eth/v1").unwrap();
    }
    let started = Instant::now();
    let unknown = request(1, B256::repeat_byte(0x99), CHAIN_ID, &proposer());
    assert_eq!(ask(url, &unknown).0, 404);
    for stream in &mut half {
        let mut rest = Vec::new();
        // A reset is an end as well; to run into the timeout is not.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    }
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(ask(url, &unknown).0, 404);
}

fn key_file(folder: &Path, mode: u32) -> PathBuf {
    let path = folder.join(format!("builder-{mode:o}.key"));
    std::fs::write(&path, "46".repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_has_it_where_it_is_asked_for_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let dev = folder.path().join("dev");
    assert!(start_dev(&["--datadir", dev.to_str().unwrap()]).stop());
    let genesis = dev.join("genesis.json");
    let data = folder.path().join("node");
    let node = [
        "node",
        "--chain",
        genesis.to_str().unwrap(),
        "--datadir",
        data.to_str().unwrap(),
    ];
    let readable = key_file(folder.path(), 0o644);
    let readable = readable.to_str().unwrap();
    for (args, expected) in [
        (vec![], "--builder-api.secp-key: it is missing"),
        (vec!["--builder-api.secp-key", readable], "mode 0644"),
        (
            vec!["--builder-api.secp-key-hex", "4646"],
            "32 bytes in hex",
        ),
        (
            vec!["--builder-api.tls-cert", "x.pem"],
            "--builder-api.tls-key",
        ),
        (
            vec!["--builder-api.tls-key", "x.pem"],
            "--builder-api.tls-cert",
        ),
        (
            vec!["--builder-api.proposer", "0x1234"],
            "--builder-api.proposer",
        ),
        (
            vec!["--builder-api.version-names", "new"],
            "legacy or named",
        ),
    ] {
        let said = refused_start(&[&node[..], &args].concat());
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    let without = Blockwright::start(&node);
    assert_eq!(without.endpoints.builder_api, "");
    assert!(without.stop());
    let key = key_file(folder.path(), 0o600);
    let with = ["--builder-api.secp-key", key.to_str().unwrap()];
    let with = Blockwright::start(&[&node[..], &with].concat());
    // Anybody may ask, without a signature even; there is nothing to get.
    let mut unknown = request(1, B256::repeat_byte(0x99), CHAIN_ID, &proposer());
    unknown["signature"] = json!(Signature::ZERO);
    assert_eq!(ask(&with.endpoints.builder_api, &unknown).0, 404);
    assert!(with.stop());
}

#[test]
fn the_well_known_builder_is_the_last_development_account() {
    let last = dev_accounts().pop().unwrap().address;
    assert_eq!(key(9).address(), last);
    assert_ne!(last, Address::ZERO);
}
