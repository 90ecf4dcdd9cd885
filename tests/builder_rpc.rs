//! The `builder_` namespace of a running node.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::Path;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256, address, hex};
use blockwright_builder_codec::{
    ChainDomain, DOMAIN_APPLICATION_BUILDER, DOMAIN_BEACON_PROPOSER, ExecutionPayloadHeader,
    ExecutionPayloadHeaderBellatrix, ExecutionPayloadHeaderCapella, ExecutionPayloadHeaderDeneb,
    bid_root, compute_signing_root, transactions_root,
};
use blockwright_builder_rpc::{Method, openrpc_document};
use blockwright_engine::ExecutionPayload;
use blockwright_signer::{BlsLocalSigner, BlsPublicKey, BlsSignature, BlsSigner, verify_bls};
use blockwright_types::OpFork;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HeaderMap, HeaderValue, HttpClientBuilder};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};
use ssz_types::VariableList;
use support::bls::{key, registration, sign};
use support::process::{Blockwright, refused_start};
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::transfer;

const FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");
const PATIENCE: Duration = Duration::from_secs(30);

/// A development chain whose proposer is key 2, with time between a block's beginning and its end.
fn start_dev(more: &[&str]) -> Blockwright {
    let proposer = key(2).public_key().to_string();
    let args = [
        "dev",
        "--block-time",
        "4s",
        "--builder-api.proposer-bls",
        &proposer,
    ];
    Blockwright::start(&[&args, more].concat())
}

/// The header and value of an answer, whose signature was checked.
fn checked_header(answer: &Value) -> (ExecutionPayloadHeader, U256) {
    let payload = &answer["payload"];
    let extra_data: Bytes = field(payload, "extraData");
    let older = ExecutionPayloadHeaderBellatrix {
        parent_hash: field(payload, "parentHash"),
        fee_recipient: field(payload, "feeRecipient"),
        state_root: field(payload, "stateRoot"),
        receipts_root: field(payload, "receiptsRoot"),
        logs_bloom: field(payload, "logsBloom"),
        prev_randao: field(payload, "prevRandao"),
        block_number: quantity(&payload["blockNumber"]),
        gas_limit: quantity(&payload["gasLimit"]),
        gas_used: quantity(&payload["gasUsed"]),
        timestamp: quantity(&payload["timestamp"]),
        extra_data: VariableList::new(extra_data.to_vec()).unwrap(),
        base_fee_per_gas: field(payload, "baseFeePerGas"),
        block_hash: field(payload, "blockHash"),
        transactions_root: field(payload, "transactionsRoot"),
    };
    let header = with_newer(older, payload);
    let value: B256 = field(answer, "value");
    let value = U256::from_be_bytes(value.0);
    let signature: BlsSignature = field(answer, "signature");
    let domain = ChainDomain::default().domain(DOMAIN_APPLICATION_BUILDER);
    let root = compute_signing_root(bid_root(&header, value), domain);
    verify_bls(root, &signature, &key(0x0b).public_key()).unwrap();
    (header, value)
}

fn field<T: serde::de::DeserializeOwned>(json: &Value, name: &str) -> T {
    serde_json::from_value(json[name].clone()).unwrap_or_else(|_| panic!("{name}"))
}

/// The header in the container that the number of fields tells.
fn with_newer(older: ExecutionPayloadHeaderBellatrix, payload: &Value) -> ExecutionPayloadHeader {
    let fields = payload.as_object().unwrap().len();
    if fields == 14 {
        return ExecutionPayloadHeader::Bellatrix(older);
    }
    let capella = ExecutionPayloadHeaderCapella {
        parent_hash: older.parent_hash,
        fee_recipient: older.fee_recipient,
        state_root: older.state_root,
        receipts_root: older.receipts_root,
        logs_bloom: older.logs_bloom,
        prev_randao: older.prev_randao,
        block_number: older.block_number,
        gas_limit: older.gas_limit,
        gas_used: older.gas_used,
        timestamp: older.timestamp,
        extra_data: older.extra_data,
        base_fee_per_gas: older.base_fee_per_gas,
        block_hash: older.block_hash,
        transactions_root: older.transactions_root,
        withdrawals_root: field(payload, "withdrawalsRoot"),
    };
    if fields == 15 {
        return ExecutionPayloadHeader::Capella(capella);
    }
    assert_eq!(fields, 17);
    ExecutionPayloadHeader::Deneb(ExecutionPayloadHeaderDeneb {
        parent_hash: capella.parent_hash,
        fee_recipient: capella.fee_recipient,
        state_root: capella.state_root,
        receipts_root: capella.receipts_root,
        logs_bloom: capella.logs_bloom,
        prev_randao: capella.prev_randao,
        block_number: capella.block_number,
        gas_limit: capella.gas_limit,
        gas_used: capella.gas_used,
        timestamp: capella.timestamp,
        extra_data: capella.extra_data,
        base_fee_per_gas: capella.base_fee_per_gas,
        block_hash: capella.block_hash,
        transactions_root: capella.transactions_root,
        withdrawals_root: capella.withdrawals_root,
        blob_gas_used: quantity(&payload["blobGasUsed"]),
        excess_blob_gas: quantity(&payload["excessBlobGas"]),
    })
}

/// The parameters of a reveal.
fn proposal(header: &ExecutionPayloadHeader, key: &BlsLocalSigner) -> Value {
    let block = header.blinded_block();
    json!([
        Bytes::from(block.bytes),
        sign(key, block.root, DOMAIN_BEACON_PROPOSER)
    ])
}

fn hash_of(header: &ExecutionPayloadHeader) -> B256 {
    match header {
        ExecutionPayloadHeader::Deneb(header) => header.block_hash,
        other => panic!("{other:?}"),
    }
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

async fn balance(rpc: &Rpc, number: u64) -> U256 {
    let block = format!("{number:#x}");
    let balance = rpc.call("eth_getBalance", json!([FEE_VAULT, block])).await;
    serde_json::from_value(balance).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_registers_asks_blind_and_gets_exactly_one_block() {
    let node = start_dev(&[]);
    let rpc = Rpc::new(&node.endpoints.http);
    let blind = Method::GetBlindPayload.name();
    let reveal = Method::GetExecutionPayload.name();
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let error = |code, message: &str| (code, message.to_owned());
    let unknown = json!([B256::repeat_byte(0x99)]);
    assert_eq!(
        rpc.call_err(blind, unknown).await,
        error(-32_001, "Unknown hash")
    );
    next_block(&mut stream).await;
    let first = next_block(&mut stream).await;
    let base = &first["base"];
    let parent = json!([base["parent_hash"]]);
    let unregistered = rpc.call_err(blind, parent.clone()).await;
    assert_eq!(unregistered, error(-32_002, "Unknown validator"));
    let set = Method::SetFeeRecipient.name();
    let stranger = rpc.call_err(set, registration(&key(3), FEE_VAULT)).await;
    assert_eq!(stranger, error(-32_005, "Signature invalid"));
    let set = rpc.call(set, registration(&key(2), FEE_VAULT)).await;
    assert_eq!(set, Value::Null);

    // Two headers of the same block: before a transaction and after it.
    let (early, early_value) = checked_header(&rpc.call(blind, parent.clone()).await);
    assert_eq!(early_value, U256::ZERO);
    let (raw, _) = transfer(1, 0);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let mut published = first["diff"]["transactions"].as_array().unwrap().clone();
    while !published.contains(&json!(raw)) {
        let next = stream.next().await;
        assert_eq!(
            next["payload_id"], first["payload_id"],
            "the building went on"
        );
        published.extend(next["diff"]["transactions"].as_array().unwrap().clone());
    }
    let answer = rpc.call(blind, parent.clone()).await;
    let (late, late_value) = checked_header(&answer);
    assert!(late_value > U256::ZERO);
    assert_ne!(hash_of(&early), hash_of(&late));

    // Nothing but the proposer's signature over one of them opens a block.
    let refused = rpc.call_err(reveal, proposal(&late, &key(3))).await;
    assert_eq!(refused, error(-32_005, "Signature invalid"));
    let garbage = json!(["0x1234", BlsSignature::ZERO]);
    assert_eq!(
        rpc.call_err(reveal, garbage).await,
        error(-32_003, "SSZ error")
    );
    let ExecutionPayloadHeader::Deneb(mut other) = late.clone() else {
        panic!("{late:?}");
    };
    other.gas_limit += 1;
    let other = proposal(&ExecutionPayloadHeader::Deneb(other), &key(2));
    assert_eq!(
        rpc.call_err(reveal, other).await,
        error(-32_004, "Unknown block")
    );

    // Both at once, several times: one block wins.
    let calls = (0..8).map(|call| {
        let header = if call % 2 == 0 { &early } else { &late };
        let (rpc, proposal, hash) = (rpc.clone(), proposal(header, &key(2)), hash_of(header));
        tokio::spawn(async move { (hash, rpc.try_call(reveal, proposal).await) })
    });
    let mut winner = None;
    let calls: Vec<_> = calls.collect();
    for call in calls {
        let (hash, outcome) = call.await.unwrap();
        match outcome {
            Ok(payload) => {
                assert_eq!(payload["blockHash"], json!(hash));
                assert_eq!(winner.get_or_insert(payload.clone()), &payload);
            }
            Err(jsonrpsee::core::ClientError::Call(refused)) => {
                assert_eq!(
                    (refused.code(), refused.message()),
                    (-32_000, "Server error")
                );
                assert!(refused.data().unwrap().get().contains("another block"));
            }
            Err(other) => panic!("{other}"),
        }
    }
    let payload = winner.unwrap();
    let (header, value) = if payload["blockHash"] == json!(hash_of(&early)) {
        (early, early_value)
    } else {
        (late, late_value)
    };
    checked_payload(&payload, &header, base);

    // The other ways give the same block, and the chain goes on with it.
    let any = json!([{
        "message": {"slot": base["block_number"], "parentHash": base["parent_hash"]},
        "signature": FixedBytes::<65>::ZERO,
    }]);
    let released = rpc.call(Method::GetPayload.name(), any).await;
    assert_eq!(released["executionPayload"], payload);
    assert_eq!(
        rpc.call(blind, parent).await["payload"]["blockHash"],
        payload["blockHash"]
    );
    let later = loop {
        let next = stream.next().await;
        if next["payload_id"] != first["payload_id"] {
            break next;
        }
    };
    assert_eq!(later["base"]["parent_hash"], payload["blockHash"]);
    let number = quantity(&base["block_number"]);
    let change = balance(&rpc, number).await - balance(&rpc, number - 1).await;
    assert_eq!(value, change, "what was promised was paid");
    assert!(node.stop());
}

fn checked_payload(payload: &Value, header: &ExecutionPayloadHeader, base: &Value) {
    let ExecutionPayloadHeader::Deneb(header) = header else {
        panic!("{header:?}");
    };
    let payload: ExecutionPayload = serde_json::from_value(payload.clone()).unwrap();
    let beacon_root = serde_json::from_value(base["parent_beacon_block_root"].clone()).unwrap();
    let whole = payload.header(OpFork::Karst, Some(beacon_root));
    assert_eq!(whole.hash_slow(), header.block_hash);
    let root = transactions_root(&payload.transactions).unwrap();
    assert_eq!(root, header.transactions_root);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_of_older_forks_have_their_own_containers() {
    for fork in [OpFork::Bedrock, OpFork::Canyon, OpFork::Ecotone] {
        let node = start_dev(&["--fork", fork.name()]);
        let rpc = Rpc::new(&node.endpoints.http);
        let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
        let set = Method::SetFeeRecipient.name();
        rpc.call(set, registration(&key(2), FEE_VAULT)).await;
        let (raw, _) = transfer(1, 0);
        rpc.call("eth_sendRawTransaction", json!([raw])).await;
        next_block(&mut stream).await;
        let first = next_block(&mut stream).await;
        let parent = json!([first["base"]["parent_hash"]]);
        let blind = rpc.call(Method::GetBlindPayload.name(), parent).await;
        let (header, _) = checked_header(&blind);
        let expected = match header {
            ExecutionPayloadHeader::Bellatrix(_) => OpFork::Bedrock,
            ExecutionPayloadHeader::Capella(_) => OpFork::Canyon,
            ExecutionPayloadHeader::Deneb(_) => OpFork::Ecotone,
        };
        assert_eq!(fork, expected);
        let reveal = Method::GetExecutionPayload.name();
        let payload = rpc.call(reveal, proposal(&header, &key(2))).await;
        assert_eq!(payload["blockHash"], blind["payload"]["blockHash"]);
        let transactions: Vec<Bytes> = field(&payload, "transactions");
        let root: B256 = field(&blind["payload"], "transactionsRoot");
        assert_eq!(transactions_root(&transactions).unwrap(), root);
        let payload: ExecutionPayload = serde_json::from_value(payload).unwrap();
        let beacon_root = first["base"]["parent_beacon_block_root"].clone();
        let beacon_root = serde_json::from_value(beacon_root).unwrap();
        let beacon_root = (fork >= OpFork::Ecotone).then_some(beacon_root);
        let whole = payload.header(fork, beacon_root);
        assert_eq!(whole.hash_slow(), payload.block_hash, "{fork}");
        assert!(node.stop());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_and_reveals_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let datadir = ["--datadir", folder.path().to_str().unwrap()];
    let node = start_dev(&datadir);
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let set = Method::SetFeeRecipient.name();
    rpc.call(set, registration(&key(2), FEE_VAULT)).await;
    next_block(&mut stream).await;
    let first = next_block(&mut stream).await;
    let parent = json!([first["base"]["parent_hash"]]);
    let blind = rpc.call(Method::GetBlindPayload.name(), parent).await;
    let (header, _) = checked_header(&blind);
    let reveal = Method::GetExecutionPayload.name();
    rpc.call(reveal, proposal(&header, &key(2))).await;
    assert!(node.stop());

    let node = start_dev(&datadir);
    let rpc = Rpc::new(&node.endpoints.http);
    let status = rpc.call(Method::Status.name(), json!([])).await;
    let expected = json!({"publicKey": key(2).public_key(), "feeRecipient": FEE_VAULT});
    assert_eq!(status["expectedProposer"], expected);
    // Its block went with the process; that it was given out is known.
    let refused = rpc.call_err(reveal, proposal(&header, &key(2))).await;
    assert_eq!(refused.0, -32_004);
    assert!(node.stop());
    let reveals = folder.path().join("builder/reveals.json");
    let text = std::fs::read_to_string(&reveals).unwrap();
    assert!(text.contains(&hash_of(&header).to_string()), "{text}");

    // Another proposer's configuration has another table.
    let other = key(3).public_key().to_string();
    let listed = [&datadir[..], &["--builder-api.proposer-bls", &other]].concat();
    let listed = [&["dev", "--block-time", "4s"], &listed[..]].concat();
    let node = Blockwright::start(&listed);
    let rpc = Rpc::new(&node.endpoints.http);
    let status = rpc.call(Method::Status.name(), json!([])).await;
    assert_eq!(status["expectedProposer"], Value::Null);
    assert!(node.stop());

    for name in ["reveals.json", "fee-recipients.json"] {
        let path = folder.path().join("builder").join(name);
        let sound = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, sound.replace("0x", "0y")).unwrap();
        let said = refused_start(&[&["dev"], &datadir[..]].concat());
        assert!(said.contains(name) && said.contains("damaged"), "{said}");
        std::fs::write(&path, sound).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_parameters_are_named() {
    let node = start_dev(&[]);
    let rpc = Rpc::new(&node.endpoints.http);
    let signature = BlsSignature::ZERO;
    let cases = [
        (
            Method::SetFeeRecipient,
            json!([]),
            "feeRecipient: is missing",
        ),
        (
            Method::SetFeeRecipient,
            json!(["0x12", signature]),
            "feeRecipient: must have 20 bytes",
        ),
        (
            Method::SetFeeRecipient,
            json!([FEE_VAULT]),
            "signature: is missing",
        ),
        (
            Method::SetFeeRecipient,
            json!([FEE_VAULT, "0x12"]),
            "signature: must have 96 bytes",
        ),
        (
            Method::SetFeeRecipient,
            json!([FEE_VAULT, signature, 7]),
            "publicKey: must be hex",
        ),
        (
            Method::GetBlindPayload,
            json!([7]),
            "parentHash: must be hex",
        ),
        (
            Method::GetBlindPayload,
            json!([B256::ZERO, 1]),
            "params: too many",
        ),
        (
            Method::GetExecutionPayload,
            json!(["1234", signature]),
            "block: must be hex",
        ),
        (
            Method::GetExecutionPayload,
            json!(["0x"]),
            "signature: is missing",
        ),
        (Method::GetPayload, json!([]), "request: is missing"),
        (
            Method::GetPayload,
            json!([{"message": {}}]),
            "message.slot is missing",
        ),
        (Method::Status, json!([1]), "params: too many"),
    ];
    for (method, params, said) in cases {
        match rpc.try_call(method.name(), params).await {
            Err(jsonrpsee::core::ClientError::Call(error)) => {
                assert_eq!((error.code(), error.message()), (-32_602, "Invalid params"));
                let data: String = serde_json::from_str(error.data().unwrap().get()).unwrap();
                assert!(data.starts_with(said), "{data}");
            }
            other => panic!("{method:?}: {other:?}"),
        }
    }
    // A block that is too long is no block, and neither is one in pieces.
    let long = json!([format!("0x{}", "00".repeat(1 << 20)), signature]);
    assert_eq!(
        rpc.call_err(Method::GetExecutionPayload.name(), long)
            .await
            .0,
        -32_003
    );
    let unknown = json!([{
        "message": {"slot": "0x1", "parentHash": B256::repeat_byte(0x99)},
        "signature": FixedBytes::<65>::ZERO,
    }]);
    let refused = rpc.call_err(Method::GetPayload.name(), unknown).await;
    assert_eq!(refused, (-32_001, "Unknown hash".to_owned()));
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn bids_are_told_as_they_improve_and_never_transactions() {
    let node = start_dev(&[]);
    let rpc = Rpc::new(&node.endpoints.http);
    let client = WsClientBuilder::default()
        .build(&node.endpoints.ws)
        .await
        .unwrap();
    let mut bids: Subscription<Value> = client
        .subscribe(
            Method::Subscribe.name(),
            rpc_params!["bids"],
            Method::Unsubscribe.name(),
        )
        .await
        .unwrap();
    let (raw, _) = transfer(1, 0);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let mut last: Option<Value> = None;
    loop {
        let bid = tokio::time::timeout(PATIENCE, bids.next()).await.unwrap();
        let bid = bid.unwrap().unwrap();
        assert!(bid.get("transactions").is_none(), "{bid}");
        let value = |bid: &Value| quantity(&bid["value"]);
        if let Some(last) = &last {
            let is_new = bid["payloadId"] != last["payloadId"];
            assert!(is_new || value(&bid) > value(last), "{last} {bid}");
        }
        let is_done = value(&bid) > 0;
        last = Some(bid);
        if is_done {
            break;
        }
    }
    let status = rpc.call(Method::Status.name(), json!([])).await;
    assert_eq!(status["health"], json!({"ok": true, "problems": []}));
    assert_eq!(
        status["keys"]["blsPublicKey"],
        json!(key(0x0b).public_key())
    );
    assert!(status["lastFlashblock"]["payloadId"].is_string());
    let refused: Result<Subscription<Value>, _> = client
        .subscribe(
            Method::Subscribe.name(),
            rpc_params!["blocks"],
            Method::Unsubscribe.name(),
        )
        .await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("InvalidParams"), "{refused}");
    bids.unsubscribe().await.unwrap();
    assert_eq!(
        rpc.call("rpc.discover", json!([])).await,
        openrpc_document()
    );
    assert!(node.stop());
}

/// A genesis that `node` can be started with.
fn genesis(folder: &Path) -> String {
    let dev = folder.join("dev");
    assert!(start_dev(&["--datadir", dev.to_str().unwrap()]).stop());
    dev.join("genesis.json").to_str().unwrap().to_owned()
}

/// A client of the Engine API's port.
fn authenticated(node: &Blockwright) -> Rpc {
    let text = std::fs::read_to_string(&node.endpoints.jwt).unwrap();
    let secret = hex::decode(text.trim()).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let token = jsonwebtoken::encode(
        &jsonwebtoken::Header::default(),
        &json!({"iat": now.as_secs()}),
        &jsonwebtoken::EncodingKey::from_secret(&secret),
    )
    .unwrap();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", bearer);
    let client = HttpClientBuilder::default()
        .set_headers(headers)
        .build(&node.endpoints.authrpc)
        .unwrap();
    Rpc(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_on_the_engine_port_always_and_elsewhere_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let genesis = genesis(folder.path());
    let data = folder.path().join("node");
    let node = [
        "node",
        "--chain",
        &genesis,
        "--datadir",
        data.to_str().unwrap(),
    ];
    let status = Method::Status.name();

    let plain = Blockwright::start(&node);
    let (http, engine) = (Rpc::new(&plain.endpoints.http), authenticated(&plain));
    assert_eq!(http.call_err(status, json!([])).await.0, -32_601);
    assert_eq!(http.call_err("rpc.discover", json!([])).await.0, -32_601);
    assert!(http.try_call("web3_clientVersion", json!([])).await.is_ok());
    assert!(http.try_call("txpool_status", json!([])).await.is_ok());
    let told = engine.call(status, json!([])).await;
    assert_eq!(
        told["keys"],
        json!({"secp256k1Address": null, "blsPublicKey": null})
    );
    assert_eq!(told["health"]["ok"], false);
    let head = told["head"]["hash"].clone();
    let any = json!([{
        "message": {"slot": "0x1", "parentHash": head},
        "signature": FixedBytes::<65>::ZERO,
    }]);
    let no_key = engine.call_err(Method::GetPayload.name(), any).await;
    assert_eq!(no_key, (-32_000, "Server error".to_owned()));
    assert!(plain.stop());

    let bls_key = hex::encode([7; 32]);
    let named = [
        "--http.api",
        "eth,builder",
        "--ws.api",
        "net",
        "--builder-api.bls-key-hex",
    ];
    let named = Blockwright::start(&[&node[..], &named, &[&bls_key]].concat());
    let http = Rpc::new(&named.endpoints.http);
    let told = http.call(status, json!([])).await;
    assert_eq!(told["keys"]["blsPublicKey"], json!(key(7).public_key()));
    assert!(http.try_call("eth_chainId", json!([])).await.is_ok());
    assert_eq!(
        http.call_err("web3_clientVersion", json!([])).await.0,
        -32_601
    );
    // Whoever names its key may register here; nothing is built, for nobody drives the chain.
    let set = Method::SetFeeRecipient.name();
    let mut open = registration(&key(4), FEE_VAULT);
    assert_eq!(http.call_err(set, open.clone()).await.0, -32_005);
    let public_key: BlsPublicKey = key(4).public_key();
    open.as_array_mut().unwrap().push(json!(public_key));
    http.call(set, open).await;
    let idle = http
        .call_err(Method::GetBlindPayload.name(), json!([head]))
        .await;
    assert_eq!(idle, (-32_000, "Server error".to_owned()));
    let ws = WsClientBuilder::default()
        .build(&named.endpoints.ws)
        .await
        .unwrap();
    let call = |method: &'static str| {
        jsonrpsee::core::client::ClientT::request::<Value, _>(&ws, method, ArrayParams::new())
    };
    assert!(call("net_version").await.is_ok());
    for absent in [
        "eth_chainId",
        "builder_status",
        "eth_subscribe",
        "builder_subscribe",
    ] {
        assert!(
            call(absent)
                .await
                .unwrap_err()
                .to_string()
                .contains("MethodNotFound"),
            "{absent}"
        );
    }
    assert!(named.stop());

    let not_a_key = BlsPublicKey::repeat_byte(7).to_string();
    for (args, said) in [
        (["--http.api", "eth,admin"], "unknown namespace \"admin\""),
        (["--ws.api", ""], "unknown namespace \"\""),
        (
            ["--builder-api.proposer-bls", &not_a_key],
            "--builder-api.proposer-bls",
        ),
        (
            ["--builder-api.fork-version", "0x00"],
            "--builder-api.fork-version",
        ),
        (["--builder-api.bls-key-hex", "4646"], "32 bytes in hex"),
        (
            ["--builder-api.bls-key-password-file", "x"],
            "--builder-api.bls-key",
        ),
    ] {
        let text = refused_start(&[&node[..], &args].concat());
        assert!(text.contains(said), "{args:?}: {text}");
    }
}
