//! The consensus client of a proposer: makes blocks by the Engine API of several nodes.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, address, keccak256};
use blockwright_chain::dev::{default_l1_attributes, l1_info_deposit};
use blockwright_engine::JwtSecret;
use blockwright_payload::{ExecutionPayload, PayloadEnvelope};
use blockwright_types::OpFork;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use jsonrpsee::core::client::Error;
use jsonrpsee::http_client::HttpClientBuilder;
use serde_json::{Value, json};

use super::process::{Blockwright, Endpoints};
use super::rpc::Rpc;

/// The development chain's fork.
pub const FORK: OpFork = OpFork::Karst;

/// Where priority fees go.
const FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");

/// The Engine API of a node.
pub struct Engine {
    url: String,
    secret: JwtSecret,
}

impl Engine {
    pub fn new(node: &Blockwright) -> Self {
        Self::at(&node.endpoints)
    }

    pub fn at(endpoints: &Endpoints) -> Self {
        Self {
            url: endpoints.authrpc.clone(),
            secret: JwtSecret::read_or_create(&endpoints.jwt).unwrap(),
        }
    }

    /// Chooses `head` and begins a block on it; its payload id.
    pub async fn begin(&self, head: B256, attributes: &Value) -> Value {
        let answer = self.choose_with(head, attributes).await;
        assert!(answer["payloadId"].is_string(), "{answer}");
        answer["payloadId"].clone()
    }

    /// Chooses `head`.
    pub async fn choose(&self, head: B256) {
        self.choose_with(head, &Value::Null).await;
    }

    async fn choose_with(&self, head: B256, attributes: &Value) -> Value {
        let state = json!({
            "headBlockHash": head,
            "safeBlockHash": B256::ZERO,
            "finalizedBlockHash": B256::ZERO,
        });
        let params = json!([state, attributes]);
        let answer = self.call("engine_forkchoiceUpdatedV3", params).await;
        assert_eq!(answer["payloadStatus"]["status"], "VALID", "{answer}");
        answer
    }

    /// The block begun with this id, as it is.
    pub async fn payload(&self, id: &Value) -> ExecutionPayload {
        let answer = self.call("engine_getPayloadV5", json!([id])).await;
        let envelope: PayloadEnvelope = serde_json::from_value(answer).unwrap();
        envelope.execution_payload
    }

    /// Whether a block is VALID; what else it is may only be INVALID.
    pub async fn finds_valid(&self, payload: &ExecutionPayload, beacon_root: B256) -> bool {
        let params = json!([payload, [], beacon_root, []]);
        let answer = self.call("engine_newPayloadV4", params).await;
        match answer["status"].as_str().unwrap() {
            "VALID" => true,
            "INVALID" => false,
            other => panic!("{other}: {answer}"),
        }
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.rpc().call(method, params).await
    }

    /// Any method of the authenticated port.
    pub async fn try_call(&self, method: &str, params: Value) -> Result<Value, Error> {
        self.rpc().try_call(method, params).await
    }

    fn rpc(&self) -> Rpc {
        let token = self.secret.sign(now_ms() / 1_000).unwrap();
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        headers.insert(AUTHORIZATION, value);
        let client = HttpClientBuilder::default()
            .set_headers(headers)
            .build(&self.url)
            .unwrap();
        Rpc(client)
    }
}

/// Payload attributes of block `number` at `timestamp`, in seconds.
pub fn attributes(number: u64, timestamp: u64) -> Value {
    attributes_of(FORK, number, timestamp)
}

/// The same of a chain at another fork.
pub fn attributes_of(fork: OpFork, number: u64, timestamp: u64) -> Value {
    let deposit = l1_info_deposit(fork, &default_l1_attributes(), number).encoded_2718();
    let mut attributes = json!({
        "timestamp": format!("{timestamp:#x}"),
        "prevRandao": keccak256(number.to_be_bytes()),
        "suggestedFeeRecipient": FEE_VAULT,
        "transactions": [Bytes::from(deposit)],
        "gasLimit": "0x3938700",
    });
    if fork >= OpFork::Canyon {
        attributes["withdrawals"] = json!([]);
    }
    if fork >= OpFork::Ecotone {
        attributes["parentBeaconBlockRoot"] = json!(keccak256(timestamp.to_be_bytes()));
    }
    if fork >= OpFork::Holocene {
        attributes["eip1559Params"] = json!("0x0000000000000000");
    }
    if fork >= OpFork::Jovian {
        attributes["minBaseFee"] = json!(0);
    }
    attributes
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as u64
}
