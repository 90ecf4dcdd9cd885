//! A server, an upstream that does as it is told, and a builder that notes what it is asked for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_attributes::{
    AttributesClient, AttributesEvent, AttributesFeed, AttributesServer, AttributesUrl,
    BuildFuture, BuildOutcome, BuildTarget, ClientConfig, EventServerConfig, SubscriberLimits,
    sse_frame,
};
use blockwright_types::PayloadId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for a loaded machine; nothing waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it takes too long")
}

/// An event for the block `slot`.
pub(crate) fn event(slot: u64) -> AttributesEvent {
    let mut event = AttributesEvent {
        slot,
        parent_hash: B256::with_last_byte(slot as u8),
        ..AttributesEvent::default()
    };
    event.attributes.payload_attributes.timestamp = 1_000 + slot;
    event.attributes.transactions = Some(Vec::new());
    event
}

/// A running server.
pub(crate) struct Served {
    pub(crate) addr: SocketAddr,
    pub(crate) feed: AttributesFeed,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(limits: SubscriberLimits) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), limits).await
    }

    pub(crate) async fn start_at(addr: SocketAddr, limits: SubscriberLimits) -> Self {
        let config = EventServerConfig {
            addr,
            limits,
            tls: None,
        };
        Self::start_with(config).await
    }

    pub(crate) async fn start_with(config: EventServerConfig) -> Self {
        let (server, feed) = AttributesServer::bind(config).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            addr: server.local_addr(),
            feed,
            stop,
            serving: tokio::spawn(server.run_until(async move {
                let _ = stopped.await;
            })),
        }
    }

    pub(crate) fn url(&self) -> AttributesUrl {
        AttributesUrl::new(format!("http://{}", self.addr))
    }

    /// Until this many subscribers are there.
    pub(crate) async fn subscribers(&self, count: usize) {
        let there = async {
            while self.feed.subscribers() != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        soon(there).await;
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        soon(self.serving).await.unwrap();
    }
}

/// Listens like a server of the stream.
pub(crate) struct Upstream(TcpListener);

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn url(&self) -> AttributesUrl {
        let addr = self.0.local_addr().unwrap();
        AttributesUrl::new(format!("http://{addr}"))
    }

    /// The next subscriber, whose request was read and which was answered that events follow.
    pub(crate) async fn accept(&self) -> Told {
        let mut told = self.accept_request().await;
        told.answer().await;
        told
    }

    /// The next subscriber, whose request was read.
    pub(crate) async fn accept_request(&self) -> Told {
        let (mut stream, _) = soon(self.0.accept()).await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(soon(stream.read_u8()).await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let wanted = "GET /events?stream=payload_attributes HTTP/1.1\r\n";
        assert!(request.starts_with(wanted), "{request}");
        Told(stream)
    }
}

/// A subscriber of an [`Upstream`]. Dropped, the connection ends.
pub(crate) struct Told(pub(crate) TcpStream);

impl Told {
    /// That events follow.
    pub(crate) async fn answer(&mut self) {
        self.say("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            .await;
    }

    pub(crate) async fn say(&mut self, text: &str) {
        soon(self.0.write_all(text.as_bytes())).await.unwrap();
    }

    pub(crate) async fn tell(&mut self, events: &[AttributesEvent]) {
        let frames = events.iter().map(|event| sse_frame(&event.to_json()));
        let frames: Vec<u8> = frames.flatten().collect();
        soon(self.0.write_all(&frames)).await.unwrap();
    }
}

/// How a builder answers: never, where this says nothing.
type Answers = fn(u64) -> Option<BuildOutcome>;

struct Noting {
    asked: mpsc::UnboundedSender<u64>,
    done: mpsc::UnboundedSender<u64>,
    answers: Answers,
}

impl BuildTarget for Noting {
    fn build(&self, event: Arc<AttributesEvent>) -> BuildFuture {
        let (asked, done) = (self.asked.clone(), self.done.clone());
        let (slot, answer) = (event.slot, (self.answers)(event.slot));
        Box::pin(async move {
            asked.send(slot).unwrap();
            let Some(answer) = answer else {
                return std::future::pending().await;
            };
            done.send(slot).unwrap();
            answer
        })
    }
}

pub(crate) fn started(_: u64) -> Option<BuildOutcome> {
    Some(BuildOutcome::Started(PayloadId::default()))
}

/// A client and what its builder was asked for.
pub(crate) struct Followed {
    pub(crate) asked: mpsc::UnboundedReceiver<u64>,
    pub(crate) done: mpsc::UnboundedReceiver<u64>,
    running: JoinHandle<()>,
}

impl Followed {
    pub(crate) fn start(config: ClientConfig, answers: Answers) -> Self {
        let (asked_in, asked) = mpsc::unbounded_channel();
        let (done_in, done) = mpsc::unbounded_channel();
        let target = Arc::new(Noting {
            asked: asked_in,
            done: done_in,
            answers,
        });
        let client = AttributesClient::new(config, target).unwrap();
        Self {
            asked,
            done,
            running: tokio::spawn(client.run_until(std::future::pending())),
        }
    }

    pub(crate) async fn next_done(&mut self) -> u64 {
        soon(self.done.recv()).await.unwrap()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.running.abort();
    }
}
