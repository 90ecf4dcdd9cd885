//! A listener over a source with one block, and a client that sends what it likes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256, address, hex};
use blockwright_builder_api::{
    DeskConfig, NotReleased, PayloadDesk, PayloadServer, PayloadServerConfig, PayloadSource,
    Released, ServerLimits,
};
use blockwright_builder_codec::{PAYLOAD_PATH, RequestMessage, VersionNames, signing_digest};
use blockwright_signer::{LocalSigner, SecretText, Signer};
use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const CHAIN_ID: u64 = 901;
pub(crate) const NUMBER: u64 = 191;
/// A block was built on it.
pub(crate) const PARENT: B256 = B256::repeat_byte(0x11);
/// A block is being begun on it.
pub(crate) const OPENING: B256 = B256::repeat_byte(0x12);
const FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");
/// Generous: what is awaited comes at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn signer(byte: u8) -> LocalSigner {
    LocalSigner::from_hex(&SecretText::new(hex::encode([byte; 32]))).unwrap()
}

/// The builder's key.
pub(crate) fn builder() -> LocalSigner {
    signer(1)
}

/// The proposer's key.
pub(crate) fn proposer() -> LocalSigner {
    signer(2)
}

/// One block, on [`PARENT`].
struct OneBlock {
    transactions: Bytes,
    is_at_hand: bool,
    released_on: ReleasedOn,
}

/// The threads that a block was released on.
pub(crate) type ReleasedOn = Arc<Mutex<Vec<ThreadId>>>;

pub(crate) fn block() -> SealedBlock {
    let header = Header {
        parent_hash: PARENT,
        number: NUMBER,
        beneficiary: FEE_VAULT,
        gas_limit: 30_000_000,
        gas_used: 46_021,
        ..Header::default()
    };
    SealedBlock {
        hash: header.hash_slow(),
        header,
        parts: Vec::new(),
        value: U256::from(21_000_000_000_000_u64),
    }
}

impl PayloadSource for OneBlock {
    fn release(&self, parent_hash: B256, number: u64) -> Result<Released, NotReleased> {
        let here = std::thread::current().id();
        self.released_on.lock().unwrap().push(here);
        match parent_hash {
            OPENING => Err(NotReleased::NotReady),
            PARENT if number != NUMBER => Err(NotReleased::OtherNumber(NUMBER)),
            PARENT => Ok(Released {
                block: Arc::new(block()),
                parent_fork: OpFork::Canyon,
                payload_json: vec![
                    Bytes::from_static(b"{\"transactions\":["),
                    self.transactions.clone(),
                    Bytes::from_static(b"]}"),
                ],
            }),
            _ => Err(NotReleased::NothingBuilt),
        }
    }

    fn is_at_hand(&self, _: B256) -> bool {
        self.is_at_hand
    }
}

pub(crate) struct Listener {
    pub(crate) addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

/// What differs between listeners.
pub(crate) struct Setup {
    pub(crate) proposers: Vec<Address>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) transactions: Bytes,
    /// Whether the block has its roots.
    pub(crate) is_at_hand: bool,
    pub(crate) released_on: ReleasedOn,
    pub(crate) config: PayloadServerConfig,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            proposers: vec![proposer().address()],
            signer: Arc::new(builder()),
            transactions: Bytes::from_static(b"\"0x7e01\""),
            is_at_hand: true,
            released_on: ReleasedOn::default(),
            config: PayloadServerConfig {
                addr: "127.0.0.1:0".parse().unwrap(),
                limits: ServerLimits::default(),
                tls: None,
            },
        }
    }
}

impl Listener {
    pub(crate) async fn start(setup: Setup) -> Self {
        let desk = DeskConfig {
            chain_id: CHAIN_ID,
            proposers: setup.proposers,
            version_names: VersionNames::Legacy,
            signer: setup.signer,
        };
        let source = OneBlock {
            transactions: setup.transactions,
            is_at_hand: setup.is_at_hand,
            released_on: setup.released_on,
        };
        let desk = PayloadDesk::new(desk, Arc::new(source));
        let server = PayloadServer::bind(setup.config, Arc::new(desk))
            .await
            .unwrap();
        let (stop, stopped) = oneshot::channel();
        Self {
            addr: server.local_addr(),
            stop: Some(stop),
            serving: tokio::spawn(server.run_until(async {
                let _ = stopped.await;
            })),
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends a request of its own connection and reads the answer.
    pub(crate) async fn post(&self, body: &str) -> (u16, Value) {
        exchange(&mut self.connect().await, &post(body)).await
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.serving)
            .await
            .unwrap()
            .unwrap();
    }
}

pub(crate) fn message(slot: u64, parent_hash: B256) -> RequestMessage {
    RequestMessage { slot, parent_hash }
}

/// A request for `message`, signed for `chain_id`.
pub(crate) fn signed(message: &RequestMessage, chain_id: u64, key: &LocalSigner) -> Value {
    let signature = key.sign(signing_digest(chain_id, message)).unwrap();
    json!({
        "message": {"slot": format!("{:#x}", message.slot), "parentHash": message.parent_hash},
        "signature": signature,
    })
}

/// The request that is granted.
pub(crate) fn good() -> String {
    signed(&message(NUMBER, PARENT), CHAIN_ID, &proposer()).to_string()
}

/// As the living proposers send it.
pub(crate) fn post(body: &str) -> String {
    format!(
        "POST {PAYLOAD_PATH} HTTP/1.1\r\nHost: builder\r\nContent-Type: application/octet-stream\r\n\
         Authorization: Basic eDo=\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends `text` and reads one answer.
pub(crate) async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    text: &str,
) -> (u16, Value) {
    stream.write_all(text.as_bytes()).await.unwrap();
    answer(stream).await
}

/// Reads one answer: its status and its JSON.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> (u16, Value) {
    let (head, body) = tokio::time::timeout(PATIENCE, raw_answer(stream))
        .await
        .unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn raw_answer(stream: &mut (impl AsyncRead + Unpin)) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let (_, rest) = head.split_once("content-length: ").expect(&head);
    let length = rest.split_once("\r\n").unwrap().0.parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

/// Waits until the other side has closed the connection, whatever it says before.
pub(crate) async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .expect("the connection is closed");
}
