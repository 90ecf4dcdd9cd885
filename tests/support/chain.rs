//! A consensus client: complete blocks from a stream of flashblocks, handed to a node.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use blockwright_engine::JwtSecret;
use blockwright_flashblocks::decode_json;
use blockwright_types::OpFork;
use blockwright_verify::{Accumulator, BlockRules, decode_transactions};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use op_alloy_rpc_types_engine::{OpExecutionData, OpExecutionPayload};
use serde_json::{Value, json};

use super::process::Blockwright;
use super::stream::Subscriber;

/// The development chain's fork.
const FORK: OpFork = OpFork::Karst;

/// A complete block.
pub struct Block(OpExecutionData);

impl Block {
    pub fn hash(&self) -> B256 {
        self.0.block_hash()
    }

    pub fn number(&self) -> u64 {
        self.0.block_number()
    }
}

/// The blocks of a stream: each is complete when the next one begins.
pub struct Streamed {
    stream: Subscriber,
    growing: Option<Accumulator>,
}

impl Streamed {
    /// Begins with the block that runs.
    pub async fn connect(url: &str) -> Self {
        Self {
            stream: Subscriber::connect(url).await,
            growing: None,
        }
    }

    pub async fn next_block(&mut self) -> Block {
        loop {
            let frame = self.stream.next().await.to_string();
            let flashblock = decode_json(frame.as_bytes()).unwrap().payload;
            let mut complete = None;
            if let Some(base) = &flashblock.base {
                let opened = Accumulator::open(BlockRules::new(FORK), base).unwrap();
                complete = self.growing.replace(opened);
            }
            let transactions = decode_transactions(&flashblock).unwrap();
            let growing = self.growing.as_mut().unwrap();
            growing.append(&flashblock, &transactions).unwrap();
            if let Some(complete) = complete {
                return Block(complete.execution_data().unwrap());
            }
        }
    }
}

/// Drives a node over its Engine API.
pub struct ConsensusClient {
    url: String,
    secret: JwtSecret,
}

impl ConsensusClient {
    pub fn new(node: &Blockwright) -> Self {
        Self {
            url: node.endpoints.authrpc.clone(),
            secret: JwtSecret::read_or_create(&node.endpoints.jwt).unwrap(),
        }
    }

    /// Hands a block in and makes it the head.
    pub async fn adopt(&self, block: &Block) {
        let OpExecutionPayload::V4(payload) = &block.0.payload else {
            panic!("not of {FORK}");
        };
        let beacon_root = block.0.sidecar.parent_beacon_block_root().unwrap();
        let none: [B256; 0] = [];
        let params = rpc_params![payload, none, beacon_root, none];
        let status = self.call("engine_newPayloadV4", params).await;
        assert_eq!(status["status"], "VALID", "{status}");
        let state = json!({
            "headBlockHash": block.hash(),
            "safeBlockHash": B256::ZERO,
            "finalizedBlockHash": B256::ZERO,
        });
        let params = rpc_params![state, Value::Null];
        let answer = self.call("engine_forkchoiceUpdatedV3", params).await;
        assert_eq!(answer["payloadStatus"]["status"], "VALID", "{answer}");
    }

    async fn call(&self, method: &str, params: jsonrpsee::core::params::ArrayParams) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let token = self.secret.sign(now.as_secs()).unwrap();
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        headers.insert(AUTHORIZATION, value);
        let client = HttpClientBuilder::default()
            .set_headers(headers)
            .build(&self.url)
            .unwrap();
        client.request(method, params).await.unwrap()
    }
}
