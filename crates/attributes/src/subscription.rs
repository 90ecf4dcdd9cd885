//! One connection to a stream, and what comes by it.

use std::collections::VecDeque;
use std::time::Duration;

use blockwright_trust::TlsTrust;
use blockwright_types::Severity;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connect::connect;
use crate::url::{STREAM_NAME, Upstream};
use crate::{
    AttributesError, AttributesEvent, AttributesUrl, ClientConfig, EventError, SseEvent, SseReader,
    TooLong,
};

const EVENT_STREAM: &str = "text/event-stream";
/// Events up to this size are read where they arrive; larger ones on a thread that may take its time.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// Why a connection ended, or did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// Nobody answers there.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// There is no TLS with the server, or its certificate is not believed.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The server refuses to serve the stream.
    #[error("the server answers {0}")]
    Refused(u16),
    /// What it serves is something else.
    #[error("the answer is no stream of events but {0:?}")]
    NotAStream(String),
    /// The server ended it.
    #[error("the server ended the stream")]
    Ended,
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Nothing came for this long.
    #[error("nothing came for {0:?}")]
    Stale(Duration),
    /// An event is too long.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

impl Disconnect {
    /// What to do about it: the server may be back soon, or another by then.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Connect(_)
            | Self::Tls(_)
            | Self::Refused(_)
            | Self::NotAStream(_)
            | Self::Ended
            | Self::Broken(_)
            | Self::Stale(_)
            | Self::TooLong(_) => Severity::Retry,
        }
    }

    /// The name that metrics have.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Refused(_) => "refused",
            Self::NotAStream(_) => "no_stream",
            Self::Ended => "ended",
            Self::Broken(_) => "broken",
            Self::Stale(_) => "stale",
            Self::TooLong(_) => "too_long",
        }
    }
}

/// An open connection to a stream.
pub struct Subscription {
    body: Incoming,
    reader: SseReader,
    waiting: VecDeque<SseEvent>,
    stale_after: Duration,
    /// Drives the connection until this is dropped.
    _connection: JoinSet<()>,
}

impl Subscription {
    /// Subscribes to the stream at `url`; of `config`, all but its URLs matters.
    ///
    /// # Errors
    /// [`Disconnect`]; a URL that is none cannot be connected to.
    pub async fn open(url: &AttributesUrl, config: &ClientConfig) -> Result<Self, Disconnect> {
        let failed = |error: AttributesError| Disconnect::Connect(error.to_string());
        Self::open_at(&url.parse().map_err(failed)?, config).await
    }

    pub(crate) async fn open_at(
        upstream: &Upstream,
        config: &ClientConfig,
    ) -> Result<Self, Disconnect> {
        let opened = timeout(config.connect_timeout, ask(upstream, config.trust.as_ref())).await;
        let late = |_| Disconnect::Connect("it takes too long".to_owned());
        let (response, connection) = opened.map_err(late)??;
        if response.status() != StatusCode::OK {
            return Err(Disconnect::Refused(response.status().as_u16()));
        }
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with(EVENT_STREAM) {
            return Err(Disconnect::NotAStream(kind.to_owned()));
        }
        Ok(Self {
            body: response.into_body(),
            reader: SseReader::new(config.event_bytes_max),
            waiting: VecDeque::new(),
            stale_after: config.stale_after,
            _connection: connection,
        })
    }

    /// The next event of the stream, or what is wrong with it.
    ///
    /// # Errors
    /// [`Disconnect`]; the subscription is over then.
    pub async fn next(&mut self) -> Result<Result<AttributesEvent, EventError>, Disconnect> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                // A name that is given says what the event is.
                if event.name.is_empty() || event.name == STREAM_NAME.as_bytes() {
                    return Ok(read(event.data).await);
                }
                continue;
            }
            let piece = timeout(self.stale_after, self.body.frame()).await;
            match piece.map_err(|_| Disconnect::Stale(self.stale_after))? {
                Some(Ok(frame)) => {
                    let piece = frame.into_data().unwrap_or_default();
                    self.waiting.extend(self.reader.push(&piece)?);
                }
                Some(Err(error)) => return Err(Disconnect::Broken(error.to_string())),
                None => return Err(Disconnect::Ended),
            }
        }
    }
}

async fn read(data: Vec<u8>) -> Result<AttributesEvent, EventError> {
    if data.len() <= INLINE_BYTES_MAX {
        return AttributesEvent::from_json(&data);
    }
    let reading = tokio::task::spawn_blocking(move || AttributesEvent::from_json(&data));
    let lost = |error: tokio::task::JoinError| EventError::NotJson(error.to_string());
    reading.await.map_err(lost)?
}

async fn ask(
    upstream: &Upstream,
    trust: Option<&TlsTrust>,
) -> Result<(Response<Incoming>, JoinSet<()>), Disconnect> {
    let stream = connect(upstream, trust).await?;
    let broken = |error: hyper::Error| Disconnect::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut driving = JoinSet::new();
    driving.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "attributes stream: connection ended");
        }
    });
    let request = Request::get(upstream.target.as_str())
        .header(HOST, upstream.label())
        .header(ACCEPT, HeaderValue::from_static(EVENT_STREAM))
        .header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
        .body(Empty::<Bytes>::new())
        .map_err(|error| Disconnect::Connect(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok((response, driving))
}
