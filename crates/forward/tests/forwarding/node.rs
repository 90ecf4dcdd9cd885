//! A real JSON-RPC server that notes what it gets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{B256, Bytes, keccak256};
use jsonrpsee::RpcModule;
use jsonrpsee::server::{BatchRequestConfig, Server, ServerConfig, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;
use tokio::sync::{Semaphore, watch};

/// How a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes everything; what it has, it says is known.
    Kind,
    /// Refuses everything with this code.
    Refusing(i32),
}

/// What it got.
#[derive(Default)]
struct Seen {
    txs: Vec<Bytes>,
    calls: usize,
}

pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    seen: watch::Sender<Arc<Mutex<Seen>>>,
    /// A permit for each call that may be answered.
    gate: Arc<Semaphore>,
    handle: ServerHandle,
}

impl Node {
    pub(crate) async fn start(mood: Mood) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), mood, 1_000).await
    }

    pub(crate) async fn start_at(addr: SocketAddr, mood: Mood, batch_max: u32) -> Self {
        let batches = match batch_max {
            0 => BatchRequestConfig::Disabled,
            max => BatchRequestConfig::Limit(max),
        };
        let config = ServerConfig::builder()
            .set_batch_request_config(batches)
            .build();
        let server = Server::builder()
            .set_config(config)
            .build(addr)
            .await
            .unwrap();
        let addr = server.local_addr().unwrap();
        let seen = watch::Sender::new(Arc::new(Mutex::new(Seen::default())));
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let mut module = RpcModule::new((seen.clone(), Arc::clone(&gate)));
        module
            .register_async_method(
                "eth_sendRawTransaction",
                move |params, shared, _| async move {
                    let (seen, gate) = &*shared;
                    gate.acquire().await.unwrap().forget();
                    let encoded: Bytes = params.one()?;
                    let hash = keccak256(&encoded);
                    answer(seen, mood, encoded).map(|()| hash)
                },
            )
            .unwrap();
        let handle = server.start(module);
        Self {
            addr,
            seen,
            gate,
            handle,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// From now on nothing is answered, until `open`.
    pub(crate) fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(1_000_000);
    }

    /// What it got, once that is `count` transactions.
    pub(crate) async fn received(&self, count: usize) -> Vec<Bytes> {
        let mut seen = self.seen.subscribe();
        let enough = seen.wait_for(|seen| seen.lock().unwrap().txs.len() >= count);
        let seen = tokio::time::timeout(Duration::from_secs(20), enough).await;
        let seen = Arc::clone(&*seen.expect("transactions are missing").unwrap());
        seen.lock().unwrap().txs.clone()
    }

    /// Transactions offered, those refused as well.
    pub(crate) fn calls(&self) -> usize {
        self.seen.borrow().lock().unwrap().calls
    }

    /// Ends with all its connections; the port is free afterwards.
    pub(crate) async fn stop(self) {
        let _ = self.handle.stop();
        self.handle.stopped().await;
    }
}

fn answer(
    seen: &watch::Sender<Arc<Mutex<Seen>>>,
    mood: Mood,
    encoded: Bytes,
) -> Result<(), ErrorObjectOwned> {
    let refuse = |code, text: &str| Err(ErrorObjectOwned::owned(code, text, Some("details")));
    let mut result = Ok(());
    seen.send_modify(|shared| {
        let mut seen = shared.lock().unwrap();
        seen.calls += 1;
        result = match mood {
            Mood::Refusing(code) => refuse(code, "not this one"),
            Mood::Kind if seen.txs.contains(&encoded) => refuse(-32_000, "already known"),
            Mood::Kind => {
                seen.txs.push(encoded);
                Ok(())
            }
        };
    });
    result
}

/// The `index`-th transaction: nodes of this kind look at no signature.
pub(crate) fn tx(index: u32) -> (B256, Bytes) {
    let encoded = Bytes::copy_from_slice(&index.to_be_bytes());
    (keccak256(&encoded), encoded)
}

pub(crate) fn txs(range: std::ops::Range<u32>) -> Vec<(B256, Bytes)> {
    range.map(tx).collect()
}

pub(crate) fn encoded(txs: &[(B256, Bytes)]) -> Vec<Bytes> {
    txs.iter().map(|(_, encoded)| encoded.clone()).collect()
}
