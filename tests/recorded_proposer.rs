//! What was on the wire when a stock proposer, an op-node with the builder API, made its chain with our blocks;
//! `tests/data/pbs-op-node/README.md` tells how it was recorded.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256, hex};
use blockwright_attributes::AttributesEvent;
use blockwright_builder_api::{
    DeskConfig, NotReleased, PayloadDesk, PayloadServer, PayloadServerConfig, PayloadSource,
    Released, ServerLimits,
};
use blockwright_builder_codec::{BidTrace, PayloadRequest, VersionNames, signing_digest};
use blockwright_launch::dev_accounts;
use blockwright_payload::ExecutionPayload;
use blockwright_signer::{LocalSigner, SecretText, Signature, Signer, recover};
use blockwright_types::{OpFork, SealedBlock};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use support::process::Blockwright;
use support::tools::root;
use tokio::sync::oneshot;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    chain_id: u64,
    block_time_seconds: u64,
    proposer: Address,
    builder: Address,
    /// When each fork began.
    forks: BTreeMap<String, u64>,
    /// Head of the stream's HTTP answer.
    stream: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    /// As it came by the stream.
    Event { event: String },
    /// With heads and bodies.
    Exchange(Exchange),
}

#[derive(Deserialize)]
struct Exchange {
    request: String,
    answer: String,
    /// `inserted`, or why not.
    proposer: String,
}

/// A chain, from before its first block.
struct Recording {
    head: Head,
    /// By the number of the block that they are about.
    events: HashMap<u64, String>,
    exchanges: Vec<Exchange>,
}

fn recording(name: &str) -> Recording {
    let path = root().join(format!("tests/data/pbs-op-node/{name}.jsonl.gz"));
    let packed = std::fs::File::open(path).unwrap();
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed);
    unpacked.read_to_string(&mut text).unwrap();
    let (head, lines) = text.split_once('\n').unwrap();
    let (mut events, mut exchanges) = (HashMap::new(), Vec::new());
    for line in lines.lines() {
        match serde_json::from_str(line).unwrap() {
            Line::Event { event } => {
                events.insert(read(&event).slot, event);
            }
            Line::Exchange(exchange) => exchanges.push(exchange),
        }
    }
    Recording {
        head: serde_json::from_str(head).unwrap(),
        events,
        exchanges,
    }
}

fn recordings() -> [Recording; 2] {
    ["bedrock-to-canyon", "canyon-to-fjord"].map(recording)
}

/// The JSON of an event.
fn data(event: &str) -> &str {
    let framed = event.strip_prefix("id: \ndata: ").unwrap();
    framed.strip_suffix("\n\n").unwrap()
}

fn read(event: &str) -> AttributesEvent {
    AttributesEvent::from_json(data(event).as_bytes()).unwrap()
}

fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").unwrap().1
}

impl Recording {
    fn fork_at(&self, timestamp: u64) -> OpFork {
        let active = self.head.forks.iter().filter(|(_, at)| **at <= timestamp);
        active.map(|(name, _)| name.parse().unwrap()).max().unwrap()
    }
}

/// An answer with a block.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Granted {
    message: BidTrace,
    execution_payload: Box<RawValue>,
    signature: Signature,
}

impl Exchange {
    fn request(&self) -> PayloadRequest {
        PayloadRequest::from_json(body(&self.request).as_bytes()).unwrap()
    }

    fn granted(&self) -> Option<Granted> {
        (status(&self.answer) == "200").then(|| serde_json::from_str(body(&self.answer)).unwrap())
    }
}

/// The blocks of a recording, by their parents.
struct Recorded(HashMap<B256, Result<Released, NotReleased>>);

impl Recorded {
    fn new(recording: &Recording) -> Self {
        let exchanges = recording.exchanges.iter();
        let blocks = exchanges.map(|exchange| {
            let request = exchange.request();
            let outcome = match exchange.granted() {
                Some(granted) => Ok(released(recording, &granted)),
                None if status(&exchange.answer) == "503" => Err(NotReleased::NotReady),
                None => Err(NotReleased::NothingBuilt),
            };
            (request.message.parent_hash, outcome)
        });
        Self(blocks.collect())
    }
}

fn released(recording: &Recording, granted: &Granted) -> Released {
    let json = granted.execution_payload.get();
    let payload: ExecutionPayload = serde_json::from_str(json).unwrap();
    let event = read(&recording.events[&payload.block_number]);
    let fork = recording.fork_at(payload.timestamp);
    let beacon_root = event.attributes.payload_attributes.parent_beacon_block_root;
    let header = payload.header(fork, beacon_root);
    assert_eq!(header.hash_slow(), payload.block_hash);
    let parent_time = payload.timestamp - recording.head.block_time_seconds;
    let block = SealedBlock {
        hash: payload.block_hash,
        header,
        parts: Vec::new(),
        value: granted.message.value,
    };
    Released {
        block: Arc::new(block),
        parent_fork: recording.fork_at(parent_time),
        payload_json: vec![json.as_bytes().to_vec().into()],
    }
}

impl PayloadSource for Recorded {
    fn release(&self, parent_hash: B256, _number: u64) -> Result<Released, NotReleased> {
        self.0[&parent_hash].clone()
    }

    fn is_at_hand(&self, _parent_hash: B256) -> bool {
        true
    }
}

fn key(index: usize) -> LocalSigner {
    let key = hex::encode(dev_accounts()[index].signer.to_bytes());
    LocalSigner::from_hex(&SecretText::new(key)).unwrap()
}

/// Sends what was recorded and reads the answer, on a connection of its own.
fn replay(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (_, rest) = head.split_once("content-length: ").unwrap();
            let length: usize = rest.lines().next().unwrap().parse().unwrap();
            if body.len() == length {
                return String::from_utf8(answer).unwrap();
            }
        }
        let mut piece = [0; 65_536];
        let size = stream.read(&mut piece).unwrap();
        assert!(size > 0, "the answer breaks off");
        answer.extend_from_slice(&piece[..size]);
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap()
}

#[test]
fn the_stream_is_ours_to_the_byte() {
    let recording = recording("canyon-to-fjord");
    let stream = &recording.head.stream;
    assert!(
        stream.contains("Content-Type: text/event-stream"),
        "{stream}"
    );
    assert!(recording.events.len() > 10);
    for event in recording.events.values() {
        let read = read(event);
        assert!(read.to_json() == data(event), "block {}", read.slot);
    }
}

#[test]
fn what_was_built_is_what_the_stream_asked_for() {
    for recording in recordings() {
        for granted in recording.exchanges.iter().filter_map(Exchange::granted) {
            let json = granted.execution_payload.get();
            let payload: ExecutionPayload = serde_json::from_str(json).unwrap();
            let event = read(&recording.events[&payload.block_number]);
            assert_eq!(event.slot, granted.message.slot);
            assert_eq!(event.parent_hash, payload.parent_hash);
            assert_eq!(event.timestamp(), payload.timestamp);
            let forced = event.attributes.transactions.unwrap();
            assert_eq!(payload.transactions[..forced.len()], forced);
            if event.attributes.no_tx_pool.is_some() {
                assert_eq!(payload.transactions.len(), forced.len());
                assert_eq!(granted.message.value, U256::ZERO);
            }
            let digest = signing_digest(recording.head.chain_id, &granted.message);
            let signer = recover(digest, &granted.signature).unwrap();
            assert_eq!(signer, recording.head.builder);
            assert_eq!(granted.message.proposer_address, recording.head.proposer);
        }
    }
}

/// From Canyon on the proposer takes each block. Before, it takes none of anybody's: it gives a payload
/// withdrawals, and then asks its own execution client.
#[test]
fn the_proposer_took_what_it_was_given() {
    for recording in recordings() {
        let mut forks: Vec<OpFork> = Vec::new();
        for exchange in &recording.exchanges {
            let Some(granted) = exchange.granted() else {
                let failed = "failed to get payload from builder";
                assert!(exchange.proposer.starts_with(failed));
                continue;
            };
            let json = granted.execution_payload.get();
            let payload: ExecutionPayload = serde_json::from_str(json).unwrap();
            let fork = recording.fork_at(payload.timestamp);
            forks.push(fork);
            if fork >= OpFork::Canyon {
                assert_eq!(exchange.proposer, "inserted", "{fork}");
            } else {
                assert!(exchange.proposer.contains("withdrawals"), "{fork}");
            }
        }
        forks.dedup();
        let expected: Vec<&str> = recording.head.forks.keys().map(String::as_str).collect();
        assert_eq!(forks.len(), expected.len(), "{forks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_requests_get_the_recorded_answers() {
    for recording in recordings() {
        let builder = key(8);
        assert_eq!(builder.address(), recording.head.builder);
        let desk = DeskConfig {
            chain_id: recording.head.chain_id,
            proposers: vec![recording.head.proposer],
            version_names: VersionNames::Legacy,
            signer: Arc::new(builder),
        };
        let desk = PayloadDesk::new(desk, Arc::new(Recorded::new(&recording)));
        let config = PayloadServerConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            limits: ServerLimits::default(),
            tls: None,
        };
        let server = PayloadServer::bind(config, Arc::new(desk)).await.unwrap();
        let addr = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run_until(async {
            let _ = stopped.await;
        }));
        let exchanges = tokio::task::spawn_blocking(move || {
            for exchange in &recording.exchanges {
                let answer = replay(addr, &exchange.request);
                assert_eq!(status(&answer), status(&exchange.answer));
                assert!(body(&answer) == body(&exchange.answer), "{answer}");
            }
            recording.exchanges.len()
        });
        assert!(exchanges.await.unwrap() > 10);
        stop.send(()).unwrap();
        serving.await.unwrap();
    }
}

#[test]
fn a_node_knows_the_proposer_by_its_requests() {
    let recording = recording("canyon-to-fjord");
    let known = recording.head.proposer.to_string();
    let stranger = key(6).address().to_string();
    for (proposer, expected) in [(known, "404"), (stranger, "401")] {
        let node = Blockwright::start(&["dev", "--builder-api.proposer", &proposer]);
        let addr = node.endpoints.builder_api.strip_prefix("http://").unwrap();
        let addr = addr.parse().unwrap();
        for exchange in recording.exchanges.iter().take(5) {
            let answer = replay(addr, &exchange.request);
            // The chain is another one, so nothing was built on these parents.
            assert_eq!(status(&answer), expected, "{answer}");
            let refusal: Value = serde_json::from_str(body(&answer)).unwrap();
            assert_eq!(refusal["code"].to_string(), expected);
        }
        assert!(node.stop());
    }
}
