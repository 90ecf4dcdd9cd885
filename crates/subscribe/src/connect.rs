//! From a URL to an open WebSocket.

use blockwright_trust::{TlsTrust, with_remedy};
use http::header::AUTHORIZATION;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::url::Asked;
use crate::{Disconnect, FrameHeader, StreamKey, StreamUrl, SubscriberConfig};

/// What a server of ours says where it goes on behind the position asked for.
const RESUMED: &str = "flashblocks-resumed";
/// Most of a refusal's text that is repeated.
const REFUSAL_CHARS_MAX: usize = 200;

/// Either kind of connection.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Transport for T {}

pub(crate) type Socket = WebSocketStream<Box<dyn Transport>>;

/// An open connection.
pub(crate) struct Opened {
    pub(crate) socket: Socket,
    /// The server goes on behind the position asked for.
    pub(crate) is_resumed: bool,
}

/// Opens the stream at `url`, behind `after` where that is given.
pub(crate) async fn open(
    config: &SubscriberConfig,
    url: &StreamUrl,
    after: Option<FrameHeader>,
) -> Result<Opened, Disconnect> {
    let opening = Box::pin(handshake(config, url, after));
    let opened = tokio::time::timeout(config.connect_timeout, opening).await;
    opened.unwrap_or_else(|_| Err(Disconnect::Connect("it takes too long".to_owned())))
}

async fn handshake(
    config: &SubscriberConfig,
    url: &StreamUrl,
    after: Option<FrameHeader>,
) -> Result<Opened, Disconnect> {
    let failed = |error: &dyn core::fmt::Display| Disconnect::Connect(error.to_string());
    let request = request(config, url, after)?;
    let tcp = TcpStream::connect((url.host(), url.port())).await;
    let tcp = tcp.map_err(|error| failed(&error))?;
    // Pings are small and must not wait.
    tcp.set_nodelay(true).map_err(|error| failed(&error))?;
    let stream: Box<dyn Transport> = if url.is_tls() {
        let trust = match &config.trust {
            Some(trust) => trust.clone(),
            None => TlsTrust::load(None).map_err(|error| failed(&error))?,
        };
        let name = ServerName::try_from(url.host().to_owned()).map_err(|error| failed(&error))?;
        let tls = trust.connector().connect(name, tcp).await;
        Box::new(tls.map_err(|error| failed(&with_remedy(error.to_string())))?)
    } else {
        Box::new(tcp)
    };
    let limits = WebSocketConfig::default()
        .max_message_size(Some(config.frame_bytes_max))
        .max_frame_size(Some(config.frame_bytes_max));
    let (socket, response) = client_async_with_config(request, stream, Some(limits))
        .await
        .map_err(|error| refused(&error, after.is_some()))?;
    Ok(Opened {
        socket,
        is_resumed: after.is_some() && says_resumed(&response),
    })
}

fn request(
    config: &SubscriberConfig,
    url: &StreamUrl,
    after: Option<FrameHeader>,
) -> Result<Request, Disconnect> {
    let asked = Asked {
        form: config.form,
        encoding: config.encoding,
        after,
    };
    let request = url.request(&asked).into_client_request();
    let mut request = request.map_err(|error| Disconnect::Connect(error.to_string()))?;
    if let Some(authorization) = config.key.as_ref().and_then(StreamKey::authorization) {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    Ok(request)
}

fn says_resumed(response: &Response) -> bool {
    response.headers().contains_key(RESUMED)
}

fn refused(error: &Error, asked_position: bool) -> Disconnect {
    let Error::Http(response) = error else {
        return Disconnect::Connect(error.to_string());
    };
    let status = response.status();
    if asked_position && status == http::StatusCode::GONE {
        return Disconnect::NotHeld;
    }
    let body = response.body().as_deref().unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    Disconnect::Refused {
        status: status.as_u16(),
        text: text.trim().chars().take(REFUSAL_CHARS_MAX).collect(),
    }
}
