//! JSON-RPC over one HTTP connection that stays open.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::BenchError;
use crate::clock::now_us;
use crate::json_scan::members;
use crate::warm_memory::WarmMemory;

/// How long a call may take. A consensus client gives up after ten seconds; the meter waits longer, so
/// that a very slow builder is measured rather than lost.
const CALL_WITHIN: Duration = Duration::from_secs(30);

/// A server, its secret where it wants one, and the connection to it.
#[derive(Debug)]
pub(crate) struct JsonRpc {
    url: String,
    authority: String,
    path: String,
    secret: Option<JwtSecret>,
    /// Where answers go.
    memory: WarmMemory,
    connection: Option<Connection>,
    next_id: u64,
}

/// An answer and how long it took.
#[derive(Clone, Debug)]
pub(crate) struct Timed<T> {
    /// The answer.
    pub(crate) value: T,
    /// From before the request was made to after the answer's last byte. Looking for something in the
    /// answer does not count.
    pub(crate) took: Duration,
    /// When the answer's last byte was there, in microseconds since the epoch.
    pub(crate) done_us: u64,
}

/// What a JSON-RPC error says.
#[derive(Deserialize)]
struct RpcErrorObject {
    code: i64,
    message: String,
}

impl JsonRpc {
    /// A client of the server at `url` (`http://host:port`); connects at the first call.
    pub(crate) fn new(url: &str, secret: Option<JwtSecret>) -> Result<Self, BenchError> {
        let bad = |cause: &str| BenchError::Url {
            url: url.to_owned(),
            cause: cause.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| bad("not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("not of the form http://host:port"));
        }
        let host = uri.host().ok_or_else(|| bad("no host"))?;
        Ok(Self {
            url: url.to_owned(),
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            path: uri.path().to_owned(),
            secret,
            memory: WarmMemory::default(),
            connection: None,
            next_id: 1,
        })
    }

    /// The same client, which puts answers into `memory` as long as there is some.
    pub(crate) fn with_memory(self, memory: WarmMemory) -> Self {
        Self { memory, ..self }
    }

    /// Calls `method` with `params`, JSON texts that are joined as they are; the answer's `result`.
    ///
    /// A connection that broke since the last call is opened anew and the call repeated once.
    pub(crate) async fn call(
        &mut self,
        method: &'static str,
        params: &[Bytes],
    ) -> Result<Timed<Bytes>, BenchError> {
        let before = Instant::now();
        let within = tokio::time::timeout(CALL_WITHIN, self.exchange(method, params));
        let (status, answer) = within.await.map_err(|_| {
            self.connection = None;
            BenchError::Timeout {
                url: self.url.clone(),
                method,
                seconds: CALL_WITHIN.as_secs(),
            }
        })??;
        let (took, done_us) = (before.elapsed(), now_us());
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(BenchError::Unauthorized {
                url: self.url.clone(),
            });
        }
        Ok(Timed {
            value: self.result(method, status, &answer)?,
            took,
            done_us,
        })
    }

    /// `result` of an answer.
    fn result(
        &self,
        method: &'static str,
        status: StatusCode,
        answer: &Bytes,
    ) -> Result<Bytes, BenchError> {
        let mut result = None;
        for (name, value) in members(answer) {
            match name {
                b"result" => result = Some(answer.slice_ref(value)),
                b"error" if value != b"null" => {
                    let malformed = self.malformed(method, "its error is no JSON-RPC error");
                    let error: RpcErrorObject =
                        serde_json::from_slice(value).map_err(|_| malformed)?;
                    return Err(BenchError::Rpc {
                        url: self.url.clone(),
                        method,
                        code: error.code,
                        message: error.message,
                    });
                }
                _ => {}
            }
        }
        result.ok_or_else(|| self.malformed(method, &format!("HTTP status {status}, no result")))
    }

    /// The error of an answer that lacks something.
    pub(crate) fn malformed(&self, method: &'static str, what: &str) -> BenchError {
        BenchError::Answer {
            url: self.url.clone(),
            method,
            what: what.to_owned(),
        }
    }

    async fn exchange(
        &mut self,
        method: &'static str,
        params: &[Bytes],
    ) -> Result<(StatusCode, Bytes), BenchError> {
        let id = self.next_id;
        self.next_id += 1;
        let body = body(id, method, params);
        let reused = self.connection.is_some();
        match self.send(body.clone()).await {
            // A server may close a connection that was idle; a second failure is a real one.
            Err(BenchError::Http { .. }) if reused => self.send(body).await,
            other => other,
        }
    }

    async fn send(&mut self, body: Chunks) -> Result<(StatusCode, Bytes), BenchError> {
        let request = self.request(body)?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let failed = |cause| BenchError::Http {
            url: self.url.clone(),
            cause,
        };
        let answer = connection.exchange(request, &mut self.memory).await;
        let answer = answer.map_err(failed)?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn request(&self, body: Chunks) -> Result<Request<Chunks>, BenchError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len());
        if let Some(secret) = &self.secret {
            request = request.header(AUTHORIZATION, secret.bearer()?);
        }
        // Of these parts only the URL comes from outside.
        request.body(body).map_err(|error| BenchError::Url {
            url: self.url.clone(),
            cause: error.to_string(),
        })
    }

    async fn connect(&self) -> Result<Connection, BenchError> {
        let failed = |cause| BenchError::Connect {
            url: self.url.clone(),
            cause,
        };
        let stream = TcpStream::connect(&self.authority).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|cause| BenchError::Http {
            url: self.url.clone(),
            cause,
        })?;
        Ok(Connection {
            sender,
            driver: Some(Box::pin(driver)),
        })
    }
}

/// An open connection. It is driven by the call that uses it, not by a task: to pass a large answer
/// from thread to thread would take longer than to receive it.
#[derive(Debug)]
struct Connection {
    sender: SendRequest<Chunks>,
    /// Until it ends.
    driver: Option<Pin<Box<Driver>>>,
}

type Driver = http1::Connection<TokioIo<TcpStream>, Chunks>;

impl Connection {
    async fn exchange(
        &mut self,
        request: Request<Chunks>,
        memory: &mut WarmMemory,
    ) -> Result<(StatusCode, Bytes), hyper::Error> {
        let Self { sender, driver } = self;
        let call = async {
            sender.ready().await?;
            let response = sender.send_request(request).await?;
            let status = response.status();
            Ok((status, collect(response, memory).await?))
        };
        tokio::pin!(call);
        if let Some(open) = driver {
            tokio::select! {
                biased;
                done = &mut call => return done,
                ended = open => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended");
                    }
                }
            }
        }
        // With the connection gone, the call ends with what was received before, or an error.
        *driver = None;
        call.await
    }
}

impl<T> Timed<T> {
    /// The same time for what `change` makes of the answer.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Timed<U> {
        Timed {
            value: change(self.value),
            took: self.took,
            done_us: self.done_us,
        }
    }

    /// The time in microseconds.
    pub(crate) fn took_us(&self) -> u64 {
        u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX)
    }
}

/// The whole body in one piece of memory, at the length the header announces.
async fn collect(
    response: Response<Incoming>,
    memory: &mut WarmMemory,
) -> Result<Bytes, hyper::Error> {
    let mut body = response.into_body();
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or_default();
    let mut whole = memory.take(expected);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

fn body(id: u64, method: &str, params: &[Bytes]) -> Chunks {
    let mut chunks = VecDeque::with_capacity(2 * params.len() + 1);
    chunks.push_back(Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":["#
    )));
    for (position, param) in params.iter().enumerate() {
        if position > 0 {
            chunks.push_back(Bytes::from_static(b","));
        }
        chunks.push_back(param.clone());
    }
    chunks.push_back(Bytes::from_static(b"]}"));
    Chunks(chunks)
}

/// A request body in pieces that are sent as they lie.
#[derive(Clone, Debug)]
struct Chunks(VecDeque<Bytes>);

impl Chunks {
    fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}

/// The secret shared with an Engine API server.
#[derive(Clone)]
pub(crate) struct JwtSecret(EncodingKey);

#[derive(Serialize)]
struct Claims {
    iat: u64,
}

impl JwtSecret {
    /// Reads the 32 bytes in hex from the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, BenchError> {
        let bad = |cause: String| BenchError::Secret {
            path: path.to_path_buf(),
            cause,
        };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let digits = text.trim();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let bytes = hex::decode(digits).map_err(|error| bad(error.to_string()))?;
        if bytes.len() != 32 {
            return Err(bad(format!("{} bytes where 32 are due", bytes.len())));
        }
        Ok(Self(EncodingKey::from_secret(&bytes)))
    }

    /// The header's value, issued now.
    fn bearer(&self) -> Result<String, BenchError> {
        let iat = now_us() / 1_000_000;
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &Claims { iat }, &self.0)
            .map_err(|error| BenchError::Token(error.to_string()))?;
        Ok(format!("Bearer {token}"))
    }
}

impl core::fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("JwtSecret")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
