//! A builder that hands blocks to proposers alone: its own consensus client gets none of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use alloy_primitives::{B256, FixedBytes};
use blockwright_attributes::{AttributesEvent, AttributesUrl, ClientConfig, Subscription};
use serde_json::{Value, json};
use support::feeder::{Feeder, ask, key_file};
use support::host::Host;
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::transfer;

const UNKNOWN: u64 = 0x0300_1234_5678_9abc;

/// What every version of `engine_getPayload` says of `id`, with the id left out.
async fn answers(feeder: &Feeder, id: &str) -> Vec<(i32, String)> {
    let mut answers = Vec::new();
    for version in 1..=5 {
        let method = format!("engine_getPayloadV{version}");
        let (code, said) = feeder.refused(&method, json!([id])).await;
        answers.push((code, said.replace(id, "ID")));
    }
    answers
}

async fn next(events: &mut Subscription) -> AttributesEvent {
    let next = tokio::time::timeout(Duration::from_secs(30), events.next());
    next.await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consensus_client_gets_no_payload_and_proposers_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let chain = Blockwright::start(&["dev", "--block-time", "4s", "--datadir", &path("chain")]);
    let url = AttributesUrl::new(&*chain.endpoints.builder_events);
    let config = ClientConfig::new(Vec::new());
    let mut events = Subscription::open(&url, &config).await.unwrap();
    let builder = Blockwright::start(&[
        "node",
        "--chain",
        &path("chain/genesis.json"),
        "--datadir",
        &path("builder"),
        "--builder-api.secp-key",
        key_file(folder.path()).to_str().unwrap(),
        "--http.api",
        "eth,builder",
        "--builder-api.disable-get-payload",
    ]);
    let rpc = Rpc::new(&builder.endpoints.http);
    let feeder = Feeder::new(&chain, &builder);
    let mut stream = Subscriber::connect(&builder.endpoints.flashblocks).await;

    // The second one: the first may be of a block that is about to end.
    next(&mut events).await;
    let event = next(&mut events).await;
    feeder.bring_ancestors(event.parent_hash).await;
    feeder.bring(event.parent_hash).await;
    let (slot, parent) = (event.slot, event.parent_hash);
    let id = feeder.build(parent, json!(event.attributes)).await;
    assert_ne!(id, Value::Null);
    let id = id.as_str().unwrap();

    // As if the id were unknown, before and after flashblocks, and building goes on.
    let unknown = FixedBytes::<8>::new(UNKNOWN.to_be_bytes()).to_string();
    let expected = answers(&feeder, &unknown).await;
    let unknown = expected.iter().filter(|(code, _)| *code == -38_001);
    // op-reth lacks the first version.
    let versions = expected.len() - usize::from(Host::under_test().has_own_rpc());
    assert_eq!(unknown.count(), versions, "{expected:?}");
    for nonce in 0..2 {
        assert_eq!(answers(&feeder, id).await, expected);
        let (raw, hash) = transfer(1, nonce);
        rpc.call("eth_sendRawTransaction", json!([raw])).await;
        let flashblock = stream.flashblock_with(&hash.to_string()).await;
        assert_eq!(flashblock["payload_id"], id);
    }

    let (status, answer) = ask(&builder.endpoints.builder_api, slot, parent);
    assert_eq!(status, 200, "{answer}");
    let payload = &answer["executionPayload"];
    for nonce in 0..2 {
        let (raw, _) = transfer(1, nonce);
        let transactions = payload["transactions"].as_array().unwrap();
        assert!(transactions.contains(&json!(raw)));
    }
    let request = json!([{
        "message": {"slot": format!("{slot:#x}"), "parentHash": parent},
        "signature": FixedBytes::<65>::ZERO,
    }]);
    let same = rpc.call("builder_getPayloadV1", request).await;
    assert_eq!(same["executionPayload"], *payload);
    assert_eq!(answers(&feeder, id).await, expected, "also once it is out");
    let withheld = builder.metric("blockwright_engine_withheld_total", &[]);
    assert_eq!(withheld, 4.0 * versions as f64);

    // It comes back by the chain, as any block does.
    let root = json!(event.attributes.payload_attributes.parent_beacon_block_root);
    feeder.new_payload(payload.clone(), root).await;
    let hash: B256 = serde_json::from_value(payload["blockHash"].clone()).unwrap();
    feeder.choose(hash).await;
    let head = rpc.number("eth_blockNumber", json!([])).await;
    assert_eq!(head, quantity(&payload["blockNumber"]));
    assert!(builder.stop());
    assert!(chain.stop());
}
