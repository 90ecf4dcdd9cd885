//! Connections from many loopback addresses, and a WebSocket handshake made by hand.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use crate::BenchError;

/// Members that share an address: what a server allows an address is for one user, not for a crowd.
const MEMBERS_PER_ADDRESS: u32 = 100;

/// The hostile peers' address.
const HOSTILE: Ipv4Addr = Ipv4Addr::new(127, 66, 6, 6);

/// Longest answer to a handshake that is read.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Where the stream is.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    host: Arc<str>,
    request: Arc<[u8]>,
}

impl Dial {
    /// Of `ws://host:port/…`.
    pub(crate) fn new(url: &str) -> Result<Self, BenchError> {
        let wrong = |cause: &str| BenchError::Url {
            url: url.to_owned(),
            cause: cause.to_owned(),
        };
        let uri: http::Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        if uri.scheme_str() != Some("ws") {
            return Err(wrong("a crowd needs ws://"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        let host = format!(
            "{}:{}",
            authority.host(),
            authority.port_u16().unwrap_or(80)
        );
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // The key is fixed: nothing is made of the server's proof that it has read it.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YmxvY2t3cmlnaHRiZW5jaA==\r\n\r\n"
        );
        Ok(Self {
            host: host.into(),
            request: request.into_bytes().into(),
        })
    }

    /// The bytes of the handshake's request.
    pub(crate) fn request(&self) -> &[u8] {
        &self.request
    }

    /// A connection from the address of member `number`.
    pub(crate) async fn member(&self, number: u32) -> io::Result<TcpStream> {
        let [_, high, middle, low] = (number / MEMBERS_PER_ADDRESS + 1).to_be_bytes();
        self.from(Ipv4Addr::new(127, high + 1, middle, low)).await
    }

    /// A connection from the hostile peers' address.
    pub(crate) async fn hostile(&self) -> io::Result<TcpStream> {
        self.from(HOSTILE).await
    }

    async fn from(&self, source: Ipv4Addr) -> io::Result<TcpStream> {
        let mut found = lookup_host(&*self.host).await?;
        let server = found
            .next()
            .ok_or_else(|| io::Error::other("the host has no address"))?;
        match server.ip() {
            IpAddr::V4(address) if address.is_loopback() => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::new(source.into(), 0))?;
                socket.connect(server).await
            }
            _ => Err(io::Error::other(
                "a crowd is let loose on 127.0.0.0/8 alone",
            )),
        }
    }

    /// Shakes hands; what came behind the server's answer.
    pub(crate) async fn shake_hands(&self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        stream.write_all(&self.request).await?;
        let mut answer = Vec::with_capacity(512);
        loop {
            if let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n") {
                let rest = answer.split_off(end + 4);
                return if answer.starts_with(b"HTTP/1.1 101") {
                    Ok(rest)
                } else {
                    let status = answer
                        .split(|byte| *byte == b'\r')
                        .next()
                        .unwrap_or_default();
                    Err(io::Error::other(
                        String::from_utf8_lossy(status).into_owned(),
                    ))
                };
            }
            if answer.len() > ANSWER_BYTES_MAX || stream.read_buf(&mut answer).await? == 0 {
                return Err(io::Error::other("no answer to the handshake"));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_websocket_urls_are_taken() {
        for (url, cause) in [
            ("wss://127.0.0.1:1", "ws://"),
            ("127.0.0.1:1", "ws://"),
            ("ws:///x", "URL"),
        ] {
            let error = Dial::new(url).unwrap_err().to_string();
            assert!(error.contains(url) && error.contains(cause), "{error}");
        }
        let dial = Dial::new("ws://127.0.0.1:7/a?b=c").unwrap();
        assert!(
            dial.request()
                .starts_with(b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:7\r\n")
        );
    }
}
