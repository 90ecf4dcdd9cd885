//! The consensus client of a builder that is asked by others, and a proposer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use blockwright_builder_codec::PAYLOAD_PATH;
use blockwright_signer::Signature;
use jsonrpsee::http_client::HttpClientBuilder;
use serde_json::{Value, json};

use super::process::Blockwright;
use super::rpc::{Rpc, quantity};

/// A key for bids.
pub fn key_file(folder: &Path) -> PathBuf {
    let path = folder.join("builder.key");
    std::fs::write(&path, "46".repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The builder-side consensus client, as far as a builder needs one: it brings blocks.
pub struct Feeder {
    from: Rpc,
    authrpc: String,
    secret: Vec<u8>,
}

impl Feeder {
    pub fn new(from: &Blockwright, to: &Blockwright) -> Self {
        let secret = std::fs::read_to_string(&to.endpoints.jwt).unwrap();
        Self {
            from: Rpc::new(&from.endpoints.http),
            authrpc: to.endpoints.authrpc.clone(),
            secret: hex::decode(secret.trim().trim_start_matches("0x")).unwrap(),
        }
    }

    async fn engine(&self, method: &str, params: Value) -> Value {
        self.rpc().call(method, params).await
    }

    /// Code and message of a call of the Engine API that must fail.
    pub async fn refused(&self, method: &str, params: Value) -> (i32, String) {
        self.rpc().call_err(method, params).await
    }

    fn rpc(&self) -> Rpc {
        use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let token = encode(
            &Header::new(Algorithm::HS256),
            &json!({ "iat": now.as_secs() }),
            &EncodingKey::from_secret(&self.secret),
        );
        let bearer = format!("Bearer {}", token.unwrap()).parse().unwrap();
        let headers = [(hyper::header::AUTHORIZATION, bearer)];
        let client = HttpClientBuilder::default()
            .set_headers(headers.into_iter().collect())
            .build(&self.authrpc);
        Rpc(client.unwrap())
    }

    /// Brings the block with this hash, without choosing it.
    pub async fn bring(&self, hash: B256) {
        let block = self
            .from
            .call("eth_getBlockByHash", json!([hash, false]))
            .await;
        let mut transactions = Vec::new();
        for hash in block["transactions"].as_array().unwrap() {
            let raw = self.from.call("eth_getRawTransactionByHash", json!([hash]));
            transactions.push(raw.await);
        }
        let mut payload = json!({
            "feeRecipient": block["miner"], "prevRandao": block["mixHash"],
            "blockNumber": block["number"], "blockHash": block["hash"],
            "transactions": transactions,
        });
        for same in [
            "parentHash",
            "stateRoot",
            "receiptsRoot",
            "logsBloom",
            "gasLimit",
            "gasUsed",
            "timestamp",
            "extraData",
            "baseFeePerGas",
            "withdrawals",
            "blobGasUsed",
            "excessBlobGas",
            "withdrawalsRoot",
        ] {
            payload[same] = block[same].clone();
        }
        let root = block["parentBeaconBlockRoot"].clone();
        self.new_payload(payload, root).await;
    }

    /// Brings a block of Isthmus or later.
    pub async fn new_payload(&self, payload: Value, parent_beacon_block_root: Value) {
        let params = json!([payload, [], parent_beacon_block_root, []]);
        let status = self.engine("engine_newPayloadV4", params).await;
        assert_eq!(status["status"], "VALID", "{status}");
    }

    /// Brings all blocks below the one with this hash, but the first.
    pub async fn bring_ancestors(&self, hash: B256) {
        let mut missing = Vec::new();
        let mut hash = json!(hash);
        loop {
            let block = self
                .from
                .call("eth_getBlockByHash", json!([hash, false]))
                .await;
            if quantity(&block["number"]) <= 1 {
                break;
            }
            hash = block["parentHash"].clone();
            missing.push(serde_json::from_value(hash.clone()).unwrap());
        }
        for hash in missing.into_iter().rev() {
            self.bring(hash).await;
        }
    }

    /// Makes it the head, and asks for nothing.
    pub async fn choose(&self, hash: B256) {
        let id = self.fork_choice(hash, Value::Null).await;
        assert!(id.is_null(), "{id}");
    }

    /// Makes it the head and asks for a block on it; the payload id.
    pub async fn build(&self, parent: B256, attributes: Value) -> Value {
        self.fork_choice(parent, attributes).await
    }

    async fn fork_choice(&self, hash: B256, attributes: Value) -> Value {
        let state = json!({"headBlockHash": hash, "safeBlockHash": B256::ZERO, "finalizedBlockHash": B256::ZERO});
        let answer = self
            .engine("engine_forkchoiceUpdatedV3", json!([state, attributes]))
            .await;
        assert_eq!(answer["payloadStatus"]["status"], "VALID", "{answer}");
        answer["payloadId"].clone()
    }
}

/// Status and body of a proposer's request.
pub fn ask(url: &str, slot: u64, parent_hash: B256) -> (u16, Value) {
    let body = json!({
        "message": {"slot": format!("{slot:#x}"), "parentHash": parent_hash},
        "signature": Signature::ZERO,
    })
    .to_string();
    let length = body.len();
    let head = format!("POST {PAYLOAD_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n");
    let text = exchange(url, &format!("{head}Connection: close\r\n\r\n{body}"));
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

pub fn exchange(url: &str, request: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host.split('/').next().unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
