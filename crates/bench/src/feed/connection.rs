//! A keep-alive HTTP/1.1 connection that posts JSON.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::stamped::{Stamp, Stamped};
use crate::BenchError;

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// A connection, opened again when it is needed and was closed.
#[derive(Debug)]
pub(super) struct Connection {
    url: String,
    /// `host:port`.
    authority: String,
    host: HeaderValue,
    path: Uri,
    sender: Option<SendRequest<Full<Bytes>>>,
    stamp: Stamp,
}

impl Connection {
    /// Opens a connection to `http://host:port/path`.
    pub(super) async fn open(url: &str) -> Result<Self, BenchError> {
        let unusable = |cause: &str| BenchError::Url {
            url: url.to_owned(),
            cause: cause.to_owned(),
        };
        let uri: Uri = url
            .parse()
            .map_err(|cause: http::uri::InvalidUri| unusable(&cause.to_string()))?;
        if uri.scheme_str() != Some("http") {
            return Err(unusable("only http:// is spoken here"));
        }
        let host = uri.host().ok_or_else(|| unusable("no host"))?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        let header = HeaderValue::from_str(&authority);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut connection = Self {
            url: url.to_owned(),
            host: header.map_err(|cause| unusable(&cause.to_string()))?,
            path: path
                .parse()
                .map_err(|cause: http::uri::InvalidUri| unusable(&cause.to_string()))?,
            authority,
            sender: None,
            stamp: Stamp::default(),
        };
        let sender = connection.connect().await?;
        connection.sender = Some(sender);
        Ok(connection)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, BenchError> {
        let no_connection = |cause| BenchError::Connect {
            url: self.url.clone(),
            cause,
        };
        let socket = TcpStream::connect(&self.authority).await;
        let socket = socket.map_err(no_connection)?;
        socket.set_nodelay(true).map_err(no_connection)?;
        let io = TokioIo::new(Stamped::new(socket, self.stamp.clone()));
        let (sender, connection) = handshake(io).await.map_err(|cause| self.http(cause))?;
        // It ends with the sender, or when the other side closes; why is told to the request.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn http(&self, cause: hyper::Error) -> BenchError {
        BenchError::Http {
            url: self.url.clone(),
            cause,
        }
    }

    /// Posts a body and reads the whole answer. Dropped before it is done, it leaves the connection
    /// closed: an answer never meets the wrong request.
    pub(super) async fn post(&mut self, body: Bytes) -> Result<Reply, BenchError> {
        self.stamp.clear();
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        sender.ready().await.map_err(|cause| self.http(cause))?;
        let mut request = Request::post(self.path.clone());
        if let Some(headers) = request.headers_mut() {
            headers.insert(HOST, self.host.clone());
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request
            .body(Full::new(body))
            .map_err(|cause| BenchError::Url {
                url: self.url.clone(),
                cause: cause.to_string(),
            })?;
        let answer = sender.send_request(request).await;
        let (parts, body) = answer.map_err(|cause| self.http(cause))?.into_parts();
        let body = body.collect().await.map_err(|cause| self.http(cause))?;
        self.sender = Some(sender);
        Ok(Reply {
            status: parts.status,
            body: body.to_bytes(),
        })
    }

    /// When the last byte of the last request was handed to the socket, in microseconds since the
    /// epoch; 0 if nothing of it was.
    pub(super) fn sent_us(&self) -> u64 {
        self.stamp.at_us()
    }
}
