//! The way to an upstream.

use blockwright_trust::{TlsTrust, with_remedy};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::Disconnect;
use crate::url::Upstream;

/// Either kind of connection.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection to `upstream`; one that is encrypted where its URL says so.
pub(crate) async fn connect(
    upstream: &Upstream,
    trust: Option<&TlsTrust>,
) -> Result<Box<dyn Transport>, Disconnect> {
    let address = upstream.address();
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| Disconnect::Connect(error.to_string()))?;
    if !upstream.is_tls {
        return Ok(Box::new(stream));
    }
    let failed = |error: &dyn core::fmt::Display| Disconnect::Tls(with_remedy(error.to_string()));
    let trust = match trust {
        Some(trust) => trust.clone(),
        None => TlsTrust::load(None).map_err(|error| failed(&error))?,
    };
    let name = ServerName::try_from(address.0.to_owned()).map_err(|error| failed(&error))?;
    let encrypted = trust.connector().connect(name, stream).await;
    Ok(Box::new(encrypted.map_err(|error| failed(&error))?))
}
