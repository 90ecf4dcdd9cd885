//! Payloads as a consensus client sees them: HTTP with a JWT on the loopback interface.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B64, B256, Bytes, TxKind, U256, b256};
use alloy_rpc_types_engine::{ForkchoiceState, PayloadAttributes};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use blockwright_engine::{
    AuthRpcConfig, EmbeddedHost, Engine, EngineConfig, EngineDeps, ExecutionPayload,
    ForkchoiceVersion, JwtSecret, PayloadEnvelope, engine_module, serve_authrpc,
};
use blockwright_pool::{Pool, PoolConfig};
use blockwright_service::{BuilderService, ServiceConfig, SystemClock};
use blockwright_state::{Genesis, Store, StoreConfig};
use blockwright_testkit::{RecordingSink, address};
use blockwright_types::{OpFork, PayloadId, SealedBlock};
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use tokio::runtime::Runtime;

use crate::token::{self, TOKEN};
use crate::world::World;

/// Key of the first development account.
const KEY: B256 = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

/// A node with a built payload of token transfers.
pub struct Node {
    addr: SocketAddr,
    secret: JwtSecret,
    id: PayloadId,
    block: Arc<SealedBlock>,
    runtime: Runtime,
}

impl Node {
    /// A node that keeps its log in `directory`.
    pub fn new(world: &World, transactions: u64, directory: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let (addr, secret, id, block) = runtime.block_on(serve(world, transactions, directory));
        Self {
            addr,
            secret,
            id,
            block,
            runtime,
        }
    }

    /// Ends the node.
    pub fn stop(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(5));
    }

    /// Asks for the payload; returns the answer's size.
    pub fn get_payload(&self) -> usize {
        let id = self.id;
        self.call(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"engine_getPayloadV5","params":["{id}"]}}"#
        ))
        .len()
    }

    /// The call that hands the payload back.
    pub fn new_payload_call(&self) -> String {
        let envelope = PayloadEnvelope::of_block(&self.block, OpFork::Karst);
        let payload = serde_json::to_string(&envelope.execution_payload).unwrap();
        let root = envelope.parent_beacon_block_root.unwrap();
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[{payload},[],"{root}",[]]}}"#
        )
    }

    /// Hands the payload back.
    pub fn new_payload(&self, call: &str) {
        let answer = self.call(call);
        let text = text(&answer);
        assert!(text.contains(r#""status":"VALID""#), "{text}");
    }

    /// Makes the payload the head.
    pub fn choose(&self) {
        let (head, zero) = (self.block.hash, B256::ZERO);
        let answer = self.call(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"engine_forkchoiceUpdatedV3","params":[{{"headBlockHash":"{head}","safeBlockHash":"{zero}","finalizedBlockHash":"{zero}"}}]}}"#
        ));
        let text = text(&answer);
        assert!(text.contains(r#""status":"VALID""#), "{text}");
    }

    /// One call on a new connection, to the last byte of its answer.
    fn call(&self, body: &str) -> Vec<u8> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let token = self.secret.sign(now.as_secs()).unwrap();
        let mut stream = TcpStream::connect(self.addr).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: \
             application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.addr,
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", text(&answer));
        answer
    }

    /// The part of it that is ours: the envelope and its JSON.
    pub fn envelope(&self) -> Vec<u8> {
        serde_json::to_vec(&PayloadEnvelope::of_block(&self.block, OpFork::Karst)).unwrap()
    }

    /// Median, 99th percentile and maximum of single calls. What is "alone" is what a payload costs
    /// as values, without the text that is shared with the flashblocks.
    pub fn print_percentiles(&self, runs: usize) {
        assert!(self.get_payload() > self.envelope().len());
        let time = |call: &dyn Fn() -> usize| {
            let started = Instant::now();
            std::hint::black_box(call());
            started.elapsed()
        };
        println!(
            "\npayload of {} transactions, {} KB",
            self.block.transaction_count(),
            self.envelope().len() / 1_000
        );
        let call = self.new_payload_call();
        let read = || {
            let start = call.find(r#"[{"parentHash""#).unwrap() + 1;
            let end = call.rfind(",[],\"0x").unwrap();
            let payload: ExecutionPayload = serde_json::from_str(&call[start..end]).unwrap();
            payload.transactions.len()
        };
        let hand_back = || {
            self.new_payload(&call);
            0
        };
        let calls: [(&str, &dyn Fn() -> usize); 4] = [
            ("getPayload over HTTP", &|| self.get_payload()),
            ("envelope and JSON alone", &|| self.envelope().len()),
            ("newPayload over HTTP", &hand_back),
            ("reading the payload's JSON alone", &read),
        ];
        for (name, call) in calls {
            let mut times: Vec<Duration> = (0..runs).map(|_| time(call)).collect();
            times.sort();
            println!(
                "  {name}: p50 {:?}, p99 {:?}, maximum {:?} of {runs}",
                times[runs / 2],
                times[runs * 99 / 100],
                times[runs - 1]
            );
        }
        println!("  fork choice: {:?}", {
            let started = Instant::now();
            self.choose();
            started.elapsed()
        });
    }
}

fn text(answer: &[u8]) -> String {
    String::from_utf8_lossy(&answer[..answer.len().min(500)]).into_owned()
}

/// Starts a node, lets it build the payload and leaves it running.
async fn serve(
    world: &World,
    transactions: u64,
    directory: &Path,
) -> (SocketAddr, JwtSecret, PayloadId, Arc<SealedBlock>) {
    let genesis = Genesis {
        header: world.spec.genesis_header().clone(),
        hash: world.spec.genesis_hash(),
        changes: world.spec.genesis_changes().clone(),
    };
    let store = Store::open(StoreConfig::in_directory(directory), genesis).unwrap();
    let pool = Pool::new(PoolConfig {
        intake_threads: 1,
        ..PoolConfig::new(world.spec.chain_id())
    });
    let host = EmbeddedHost::new(store.clone(), pool.clone());
    let clock = Arc::new(SystemClock);
    let sink = Arc::new(RecordingSink::default());
    let (service, builder) =
        BuilderService::new(ServiceConfig::default(), host, sink, clock.clone()).unwrap();
    tokio::spawn(service.run());
    let deps = EngineDeps {
        chain: Arc::new(world.spec.clone()),
        store,
        pool,
        builder: builder.clone(),
        preconfirmed: None,
        rival: None,
        clock,
    };
    let engine = Engine::new(EngineConfig::default(), deps).unwrap();
    let head = world.spec.genesis_hash();
    let state = ForkchoiceState {
        head_block_hash: head,
        safe_block_hash: head,
        finalized_block_hash: head,
    };
    let answer = engine
        .fork_choice_updated(
            ForkchoiceVersion::V3,
            state,
            Some(attributes(world, transactions)),
        )
        .await
        .unwrap();
    let id = answer.payload_id.unwrap();
    let block = builder.peek(id).unwrap().sealed().unwrap().block.clone();
    assert_eq!(block.transaction_count() as u64, transactions + 1);
    let secret = JwtSecret::new([5; 32]);
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = AuthRpcConfig::new(loopback, secret.clone());
    let server = serve_authrpc(config, engine.clone(), engine_module(engine))
        .await
        .unwrap();
    let addr = server.local_addr();
    tokio::spawn(async move {
        let _server = server;
        std::future::pending::<()>().await;
    });
    (addr, secret, id, block)
}

fn attributes(world: &World, count: u64) -> OpPayloadAttributes {
    let context = &world.request.context;
    let deposits = &world.request.sequencer_transactions;
    let mut transactions: Vec<Bytes> = deposits.iter().map(|tx| tx.encoded.clone()).collect();
    transactions.extend((0..count).map(signed));
    OpPayloadAttributes {
        payload_attributes: PayloadAttributes {
            timestamp: context.timestamp,
            prev_randao: context.prev_randao,
            suggested_fee_recipient: context.fee_recipient,
            withdrawals: Some(Vec::new()),
            parent_beacon_block_root: context.parent_beacon_block_root,
            ..PayloadAttributes::default()
        },
        transactions: Some(transactions),
        no_tx_pool: Some(true),
        gas_limit: Some(context.gas_limit),
        eip_1559_params: Some(B64::ZERO),
        min_base_fee: Some(0),
    }
}

fn signed(nonce: u64) -> Bytes {
    let signer = PrivateKeySigner::from_bytes(&KEY).unwrap();
    let tx = TxEip1559 {
        chain_id: blockwright_chain::dev::DEFAULT_CHAIN_ID,
        nonce,
        gas_limit: 60_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(TOKEN),
        input: token::transfer(address(nonce), U256::ZERO),
        ..TxEip1559::default()
    };
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    OpTxEnvelope::from(tx.into_signed(signature))
        .encoded_2718()
        .into()
}
