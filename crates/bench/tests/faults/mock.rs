//! A builder in this process: Engine API and JSON-RPC on one port, the stream on another.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::{B256, Bytes};
use blockwright_bench::{RunPlan, Target};
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::builder::{Builder, Fault, Publication, quantity};

/// Frames that the stream may be behind before its subscriber is closed.
const BEHIND_MAX: usize = 1_024;

/// A running mock; it ends when dropped.
pub struct Mock {
    rpc_url: String,
    stream_url: String,
    folder: tempfile::TempDir,
    _servers: JoinSet<()>,
}

/// What all connections share.
#[derive(Clone)]
struct Shared {
    builder: Arc<Mutex<Builder>>,
    interval: Duration,
    /// Flashblocks of a block after index 0.
    due: u64,
}

impl Mock {
    /// Serves the chain of `plan`, with `fault` once.
    pub async fn start(plan: &RunPlan, fault: Option<Fault>) -> Self {
        let (stream, _) = broadcast::channel(BEHIND_MAX);
        let builder = Builder::new(plan.chain.chain_id, fault, stream);
        let shared = Shared {
            builder: Arc::new(Mutex::new(builder)),
            interval: Duration::from_millis(plan.timing.interval_ms),
            due: plan.timing.flashblocks_per_block(),
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("jwt.hex"), "11".repeat(32)).unwrap();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let websocket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mock = Self {
            rpc_url: format!("http://{}", http.local_addr().unwrap()),
            stream_url: format!("ws://{}", websocket.local_addr().unwrap()),
            folder,
            _servers: JoinSet::new(),
        };
        let mut servers = JoinSet::new();
        servers.spawn(serve_http(http, shared.clone()));
        servers.spawn(serve_stream(websocket, shared));
        Self {
            _servers: servers,
            ..mock
        }
    }

    pub fn target(&self) -> Target {
        let (url, jwt) = self.engine();
        Target {
            engine_url: url,
            jwt_path: jwt,
            rpc_url: self.rpc_url.clone(),
            stream_url: self.stream_url.clone(),
            pid: None,
            validate: None,
        }
    }

    /// The Engine API and its secret.
    pub fn engine(&self) -> (String, PathBuf) {
        (self.rpc_url.clone(), self.folder.path().join("jwt.hex"))
    }
}

impl Shared {
    fn builder(&self) -> MutexGuard<'_, Builder> {
        self.builder.lock().unwrap()
    }

    fn answer(&self, request: &Value) -> Value {
        match request {
            Value::Array(batch) => batch.iter().map(|one| self.answer(one)).collect(),
            _ => {
                let method = request["method"].as_str().unwrap();
                let id = &request["id"];
                match self.call(method, &request["params"]) {
                    Some(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
                    None => {
                        let error =
                            json!({ "code": -32601, "message": format!("{method}: not here") });
                        json!({ "jsonrpc": "2.0", "id": id, "error": error })
                    }
                }
            }
        }
    }

    fn call(&self, method: &str, params: &Value) -> Option<Value> {
        let mut builder = self.builder();
        Some(match method {
            "eth_chainId" => json!(format!("{:#x}", builder.chain_id)),
            "eth_getTransactionCount" => json!("0x0"),
            "eth_getBalance" => json!("0xffffffffffffffffffff"),
            "web3_clientVersion" => json!("mock/v1"),
            "eth_getBlockByNumber" => block(&builder, &params[0]),
            "eth_sendRawTransaction" => {
                let transaction: Bytes = serde_json::from_value(params[0].clone()).unwrap();
                json!(builder.accept(transaction))
            }
            "engine_forkchoiceUpdatedV3" => {
                let head: B256 =
                    serde_json::from_value(params[0]["headBlockHash"].clone()).unwrap();
                builder.set_head(head);
                let id = (!params[1].is_null()).then(|| builder.start(&params[1], self.due));
                if let Some(id) = id {
                    self.clone().pace(id, quantity(&params[1]["timestamp"]));
                }
                json!({
                    "payloadStatus": { "status": "VALID", "latestValidHash": head, "validationError": null },
                    "payloadId": id.map(|id| format!("0x{}", hex::encode(id))),
                })
            }
            "engine_getPayloadV4" => {
                let text = params[0].as_str().unwrap();
                let mut id = [0; 8];
                hex::decode_to_slice(text.trim_start_matches("0x"), &mut id).unwrap();
                builder.seal(id)?
            }
            "engine_newPayloadV4" => {
                let valid = builder.import(&params[0]);
                let status = if valid { "VALID" } else { "INVALID" };
                json!({ "status": status, "latestValidHash": null, "validationError": null })
            }
            _ => return None,
        })
    }

    /// Publishes the payload's flashblocks when they are due: the last one an interval's half before
    /// the block's time. What getPayload finds unpublished it publishes itself.
    fn pace(self, id: [u8; 8], timestamp_s: u64) {
        let end = UNIX_EPOCH + Duration::from_secs(timestamp_s) - self.interval / 2;
        tokio::spawn(async move {
            for index in 1..=self.due {
                let due = end - self.interval * (self.due - index) as u32;
                let left = due.duration_since(SystemTime::now()).unwrap_or_default();
                tokio::time::sleep(left).await;
                self.builder().advance(id, index);
            }
        });
    }
}

fn block(builder: &Builder, tag: &Value) -> Value {
    let number = match tag.as_str().unwrap() {
        "latest" => None,
        _ => Some(quantity(tag)),
    };
    builder
        .block(number)
        .map_or(Value::Null, |(number, hash, timestamp_s)| {
            json!({
                "number": format!("{number:#x}"),
                "hash": hash,
                "timestamp": format!("{timestamp_s:#x}"),
            })
        })
}

async fn serve_http(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let service = service_fn(move |request| respond(request, shared.clone()));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connections.spawn(async move {
            // The meter closes when it has done.
            let _ = connection.await;
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    shared: Shared,
) -> Result<Response<Full<bytes::Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let answer = shared.answer(&request).to_string();
    Ok(Response::new(Full::new(answer.into())))
}

async fn serve_stream(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let frames = shared.builder().subscribe();
        connections.spawn(publish(stream, frames));
    }
}

async fn publish(stream: TcpStream, mut frames: broadcast::Receiver<Publication>) {
    let Ok(mut stream) = accept_async(stream).await else {
        return;
    };
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Ok(Publication::Frame(text)) => {
                    if stream.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                // A subscriber that is too far behind must notice it.
                Ok(Publication::Close) | Err(_) => {
                    let _ = stream.close(None).await;
                    return;
                }
            },
            message = stream.next() => {
                if !matches!(message, Some(Ok(_))) {
                    return;
                }
            }
        }
    }
}
