//! A real server on loopback, scripted flashblocks, and a reading client.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::Sealable;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use blockwright_flashblocks::{OpFlashblockPayload, decode_v1};
use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_stream::{FlashblockServer, Publisher, StreamConfig, StreamLimits};
use blockwright_types::{
    BlockPart, DaBytes, Flashblock, FlashblockBase, PayloadId, RecoveredTx, SharedTx,
};
use futures_util::StreamExt;
use op_alloy_consensus::{OpDepositReceipt, OpReceipt, OpTxEnvelope, TxDeposit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Nothing in these tests takes seconds; a stuck one fails here.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: nothing happened"))
}

pub(crate) struct Running<P = Publisher> {
    pub(crate) addr: SocketAddr,
    pub(crate) publisher: P,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) fn config() -> StreamConfig {
    StreamConfig::new("127.0.0.1:0".parse().unwrap())
}

pub(crate) async fn start(limits: StreamLimits) -> Running {
    let config = StreamConfig { limits, ..config() };
    start_with(config).await
}

pub(crate) async fn start_with(config: StreamConfig) -> Running {
    let (server, publisher) = FlashblockServer::bind(config).await.unwrap();
    serve(server, publisher)
}

pub(crate) fn serve<P>(server: FlashblockServer, publisher: P) -> Running<P> {
    let addr = server.local_addr();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.run_until(async {
        let _ = stopped.await;
    }));
    Running {
        addr,
        publisher,
        stop,
        serving,
    }
}

impl Running {
    pub(crate) fn publish(&self, payload: u8, index: u64) {
        self.publish_sized(payload, index, 16);
    }

    /// Publishes a flashblock whose only transaction has `size_bytes`.
    pub(crate) fn publish_sized(&self, payload: u8, index: u64, size_bytes: usize) {
        let feedback = self
            .publisher
            .publish(flashblock(payload, index, size_bytes));
        assert_eq!(feedback, Feedback::Accepted);
    }
}

impl<P> Running<P> {
    pub(crate) async fn client(&self) -> Client {
        self.client_at("/").await
    }

    pub(crate) async fn client_at(&self, path: &str) -> Client {
        self.try_client(path).await.unwrap()
    }

    pub(crate) async fn try_client(
        &self,
        path: &str,
    ) -> Result<Client, tokio_tungstenite::tungstenite::Error> {
        let url = format!("ws://{}{path}", self.addr);
        let (socket, _) = soon("connecting", tokio_tungstenite::connect_async(url)).await?;
        Ok(Client { socket })
    }
}

/// The HTTP status of a refused handshake.
pub(crate) async fn refused<P>(server: &Running<P>, path: &str) -> u16 {
    match server.try_client(path).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("expected an HTTP refusal: {other}"),
        Ok(_) => panic!("expected an HTTP refusal"),
    }
}

/// Everything the server says to a handshake for `path`, up to the end of the connection.
pub(crate) async fn answer<P>(server: &Running<P>, path: &str) -> String {
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    soon("the answer", socket.read_to_string(&mut text))
        .await
        .unwrap();
    text
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What a client reads next, pings aside.
#[derive(Debug)]
pub(crate) enum Read {
    Flashblock(Box<OpFlashblockPayload>),
    Pong(Vec<u8>),
    Closed(Option<CloseFrame>),
}

impl Client {
    pub(crate) async fn read(&mut self) -> Read {
        loop {
            match soon("reading", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    return Read::Flashblock(Box::new(decode_v1(text.as_bytes()).unwrap()));
                }
                Some(Ok(Message::Binary(packed))) => {
                    let text = unpack(&packed);
                    return Read::Flashblock(Box::new(decode_v1(&text).unwrap()));
                }
                Some(Ok(Message::Pong(payload))) => return Read::Pong(payload.to_vec()),
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Close(frame))) => return Read::Closed(frame),
                None => return Read::Closed(None),
                other => panic!("unexpected: {other:?}"),
            }
        }
    }

    /// The next frame as it came, pings aside.
    pub(crate) async fn message(&mut self) -> Message {
        loop {
            match soon("reading", self.socket.next()).await {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(message)) => return message,
                other => panic!("unexpected: {other:?}"),
            }
        }
    }

    /// Payload number and index of the next flashblock.
    pub(crate) async fn next(&mut self) -> (u8, u64) {
        match self.read().await {
            Read::Flashblock(read) => (read.payload_id.0[7], read.index),
            other => panic!("expected a flashblock: {other:?}"),
        }
    }

    /// Flashblocks up to the close, and the close.
    pub(crate) async fn drain(&mut self) -> (Vec<(u8, u64)>, CloseFrame) {
        let mut read = Vec::new();
        loop {
            match self.read().await {
                Read::Flashblock(next) => read.push((next.payload_id.0[7], next.index)),
                Read::Closed(frame) => return (read, frame.expect("a close has its reason")),
                Read::Pong(_) => {}
            }
        }
    }
}

/// zstd frames say so in their first bytes; brotli has no such mark.
pub(crate) fn unpack(packed: &[u8]) -> Vec<u8> {
    if packed.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return zstd::decode_all(packed).unwrap();
    }
    let mut plain = Vec::new();
    brotli::BrotliDecompress(&mut &*packed, &mut plain).unwrap();
    plain
}

pub(crate) fn flashblock(payload: u8, index: u64, size_bytes: usize) -> Arc<Flashblock> {
    Arc::new(Flashblock {
        payload_id: PayloadId::new([3, 0, 0, 0, 0, 0, 0, payload]),
        index,
        base: (index == 0).then(|| FlashblockBase {
            parent_beacon_block_root: B256::ZERO,
            parent_hash: B256::ZERO,
            fee_recipient: Address::ZERO,
            prev_randao: B256::ZERO,
            block_number: u64::from(payload),
            gas_limit: 30_000_000,
            timestamp: 1_700_000_000 + u64::from(payload),
            extra_data: Bytes::new(),
            base_fee_per_gas: U256::from(1u8),
        }),
        block_number: u64::from(payload),
        state_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        gas_used: 21_000 * (index + 1),
        block_hash: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: Some(0),
        part: Arc::new(BlockPart::new(
            vec![transaction(size_bytes)],
            vec![OpReceipt::Deposit(OpDepositReceipt::default())],
            Vec::new(),
        )),
    })
}

fn transaction(size_bytes: usize) -> SharedTx {
    let envelope = OpTxEnvelope::Deposit(TxDeposit::default().seal_slow());
    Arc::new(RecoveredTx {
        hash: envelope.tx_hash(),
        envelope,
        encoded: Bytes::from(vec![0x7e; size_bytes]),
        sender: Address::ZERO,
        da: DaBytes::ZERO,
        da_millionths: 0,
    })
}
