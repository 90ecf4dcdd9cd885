//! The authenticated port, spoken to in bytes.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};

use alloy_primitives::{Address, B256};
use blockwright_engine::{AuthRpcConfig, AuthRpcServer, JwtSecret, engine_module, serve_authrpc};
use blockwright_types::OpFork;
use serde_json::{Value, json};
use support::http::{Client, announce, now_s, post};
use support::{Rig, transfer};

const RECEIVER: Address = Address::repeat_byte(0x99);
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn serve(rig: &Rig) -> (AuthRpcServer, Client) {
    let secret = JwtSecret::new([5; 32]);
    let config = AuthRpcConfig {
        body_bytes_max: 1 << 20,
        batch_max: 3,
        ..AuthRpcConfig::new(LOOPBACK, secret.clone())
    };
    let methods = engine_module(rig.engine.clone());
    let server = serve_authrpc(config, rig.engine.clone(), methods)
        .await
        .unwrap();
    let addr = server.local_addr();
    (server, Client { addr, secret })
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("no error: {answer}"))
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_without_a_valid_token() {
    let rig = Rig::new(OpFork::Karst);
    let (server, client) = serve(&rig).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"engine_exchangeCapabilities"}"#;
    let bearer = |secret: &JwtSecret, at: u64| format!("Bearer {}", secret.sign(at).unwrap());
    let stranger = bearer(&JwtSecret::new([6; 32]), now_s());
    let stale = bearer(&client.secret, now_s() - 100);
    for (authorization, cause) in [
        (None, "missing token"),
        (Some("Basic abc"), "missing token"),
        (Some("Bearer abc"), "invalid token"),
        (Some(stranger.as_str()), "invalid token"),
        (Some(stale.as_str()), "stale token"),
    ] {
        let answer = post(client.addr, authorization, body).await;
        assert_eq!(answer.status, 401, "{authorization:?}");
        assert!(answer.body.starts_with(cause), "{}", answer.body);
    }
    let answer = post(client.addr, Some(&bearer(&client.secret, now_s())), body).await;
    assert_eq!(answer.status, 200);
    let methods = answer.json()["result"].as_array().unwrap().len();
    assert_eq!(methods, 13);
    server.stop().await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_get_the_standard_codes_and_a_cause() {
    let rig = Rig::new(OpFork::Karst);
    let (server, client) = serve(&rig).await;
    let truncated = client.send(r#"{"jsonrpc":"2.0","id":1,"meth"#).await;
    assert_eq!(code(&truncated.json()), -32700);
    assert_eq!(
        code(&client.call("engine_noSuchMethod", json!([])).await),
        -32601
    );
    let unknown = client
        .call("engine_getPayloadV5", json!(["0x0102030405060708"]))
        .await;
    assert_eq!(code(&unknown), -38001, "{unknown}");
    for (method, params, cause) in [
        ("engine_getPayloadV5", json!(["0x01"]), "payloadId"),
        ("engine_getPayloadV5", json!([]), "payloadId"),
        ("engine_forkchoiceUpdatedV3", json!([]), "forkchoiceState"),
        (
            "engine_forkchoiceUpdatedV3",
            json!([{ "headBlockHash": "0x00" }]),
            "forkchoiceState",
        ),
        (
            "engine_newPayloadV4",
            json!([{}]),
            "executionPayload: missing field",
        ),
    ] {
        let answer = client.call(method, params).await;
        assert_eq!(code(&answer), -32602, "{answer}");
        assert!(message(&answer).contains(cause), "{answer}");
    }
    let large = announce(client.addr, &client.authorization(), 2 << 20).await;
    assert_eq!(large.status, 413);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"engine_exchangeCapabilities"}"#;
    let batch = client.send(&format!("[{call},{call},{call},{call}]")).await;
    assert_eq!(code(&batch.json()), -32010, "{}", batch.body);
    server.stop().await;
    rig.stop().await;
}

/// The payload of our own block is compared with what was sent to subscribers, text with text. What
/// is not that very text is read like any other payload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_payloads_over_http_whole_and_changed() {
    let rig = Rig::new(OpFork::Karst);
    let (server, client) = serve(&rig).await;
    let txs: Vec<_> = (0..20).map(|nonce| transfer(nonce, RECEIVER)).collect();
    let genesis = rig.genesis();
    let id = rig.start(genesis, rig.attributes(genesis, &txs)).await;
    let id = id.unwrap();
    let expected = serde_json::to_string(&rig.get(id).await).unwrap();
    let call =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"engine_getPayloadV5","params":["{id}"]}}"#);
    let answer = client.send(&call).await;
    let whole = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{expected}}}"#);
    assert_eq!(answer.body, whole);
    let batch = client.send(&format!("[{call},{call}]")).await;
    assert_eq!(batch.body, format!("[{whole},{whole}]"));

    let envelope: Value = serde_json::from_str(&expected).unwrap();
    let payload = &expected[expected.find(r#"{"parentHash""#).unwrap()..];
    let payload = &payload[..payload.find(r#","blockValue""#).unwrap()];
    let root = &envelope["parentBeaconBlockRoot"];
    let request = |payload: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[{payload},[],{root},[]]}}"#
        )
    };
    let status = async |payload: &str| {
        let answer = client.send(&request(payload)).await.json();
        answer["result"]["status"].as_str().unwrap().to_owned()
    };
    let last = txs.last().unwrap().to_string();
    let shortened = &last[..last.len() - 2];
    for changed in [
        payload.replace(&last, shortened),
        payload.replace(&format!(",\"{last}\""), ""),
        payload.replace(&last, &format!("{last}\",\"{last}")),
        payload.replace(r#""gasLimit":"0x"#, r#""gasLimit":"0x1"#),
    ] {
        assert_ne!(changed, payload);
        assert_eq!(status(&changed).await, "INVALID");
    }
    assert!(rig.store.head().number == 0 && !rig.store.contains(block_hash(&envelope)));
    assert_eq!(status(payload).await, "VALID");
    assert!(rig.store.contains(block_hash(&envelope)));
    // Held by now; the same in other words.
    let sorted = envelope["executionPayload"].to_string();
    let upper = payload.replace(&last, &format!("0x{}", last[2..].to_uppercase()));
    for same in [payload, &sorted, &upper, &payload.replace(':', ": ")] {
        assert_eq!(status(same).await, "VALID");
    }
    let changed = payload.replace(&last, shortened);
    assert_eq!(status(&changed).await, "INVALID");
    server.stop().await;
    rig.stop().await;
}

fn block_hash(envelope: &Value) -> B256 {
    let hash = envelope["executionPayload"]["blockHash"].as_str();
    hash.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequencers_cycle_over_http() {
    let rig = Rig::new(OpFork::Karst);
    let (server, client) = serve(&rig).await;
    let genesis = rig.genesis();
    let state = json!({ "headBlockHash": genesis, "safeBlockHash": genesis, "finalizedBlockHash": genesis });
    let attributes = serde_json::to_value(rig.attributes(genesis, &[])).unwrap();
    assert!(attributes["minBaseFee"].is_number());
    let started = client
        .call("engine_forkchoiceUpdatedV3", json!([state, attributes]))
        .await;
    assert_eq!(
        started["result"]["payloadStatus"]["status"], "VALID",
        "{started}"
    );
    let id = started["result"]["payloadId"].clone();
    assert!(id.as_str().unwrap().starts_with("0x03"));

    let wrong = client.call("engine_getPayloadV4", json!([id])).await;
    assert_eq!(code(&wrong), -38005);
    let envelope = client.call("engine_getPayloadV5", json!([id])).await["result"].clone();
    assert_eq!(envelope["executionRequests"], json!([]));
    assert_eq!(envelope["shouldOverrideBuilder"], false);
    let bundle = json!({ "commitments": [], "proofs": [], "blobs": [] });
    assert_eq!(envelope["blobsBundle"], bundle);
    let payload = &envelope["executionPayload"];
    let root = &envelope["parentBeaconBlockRoot"];

    let blobs = json!([payload, [genesis], root, []]);
    let refused = client.call("engine_newPayloadV4", blobs).await;
    assert_eq!(refused["result"]["status"], "INVALID", "{refused}");
    let imported = client
        .call("engine_newPayloadV4", json!([payload, [], root, []]))
        .await;
    assert_eq!(imported["result"]["status"], "VALID", "{imported}");
    let hash = &payload["blockHash"];
    let state =
        json!({ "headBlockHash": hash, "safeBlockHash": genesis, "finalizedBlockHash": genesis });
    // Attributes may be null or absent.
    for params in [json!([state, null]), json!([state])] {
        let chosen = client.call("engine_forkchoiceUpdatedV3", params).await;
        let expected = json!({
            "payloadStatus": { "status": "VALID", "latestValidHash": hash, "validationError": null },
            "payloadId": null,
        });
        assert_eq!(chosen["result"], expected);
    }
    let bad =
        json!({ "headBlockHash": hash, "safeBlockHash": hash, "finalizedBlockHash": B256_WRONG });
    assert_eq!(
        code(
            &client
                .call("engine_forkchoiceUpdatedV3", json!([bad]))
                .await
        ),
        -38002
    );
    let version = client.call("engine_getClientVersionV1", json!([])).await;
    assert_eq!(version["result"][0]["name"], "Blockwright");
    server.stop().await;
    rig.stop().await;
}

const B256_WRONG: &str = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
