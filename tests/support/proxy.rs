//! A wire between two processes that can be cut or blocked.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// State of the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wire {
    /// Connections made before the last cut end.
    cuts: u64,
    /// Nothing passes; connections stay open.
    is_blocked: bool,
}

/// Forwards connections to a target.
pub struct Proxy {
    pub addr: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Proxy {
    /// Forwards to the server at `url` (`ws://host:port`).
    pub async fn start(url: &str) -> Self {
        let target: SocketAddr = url.trim_start_matches("ws://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (wire, state) = watch::channel(Wire {
            cuts: 0,
            is_blocked: false,
        });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(target).await {
                        forward(client, server, state).await;
                    }
                });
            }
        });
        Self { addr, wire }
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.addr)
    }

    /// Ends every connection.
    pub fn cut(&self) {
        self.wire.send_modify(|wire| wire.cuts += 1);
    }

    /// From now on nothing passes, or everything does again.
    pub fn block(&self, is_blocked: bool) {
        self.wire.send_modify(|wire| wire.is_blocked = is_blocked);
    }
}

async fn forward(client: TcpStream, server: TcpStream, state: watch::Receiver<Wire>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = state.clone();
    let cuts = cut.borrow().cuts;
    tokio::select! {
        () = pump(from_client, to_server, state.clone()) => {}
        () = pump(from_server, to_client, state) => {}
        _ = cut.wait_for(|wire| wire.cuts != cuts) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<Wire>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        if state.wait_for(|wire| !wire.is_blocked).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
