//! Stands between a subscriber and its server, and cuts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, lookup_host};

use crate::BenchError;

/// A relay on a free port of loopback.
pub(super) struct Relay {
    listener: std::net::TcpListener,
    server: SocketAddr,
}

impl Relay {
    /// To the server of `url` (`ws://host:port`); the URL to use in its place.
    pub(super) async fn bind(url: &str) -> Result<(Self, String), BenchError> {
        let wrong = |cause: String| BenchError::Url {
            url: url.to_owned(),
            cause,
        };
        let uri: http::Uri = url
            .parse()
            .map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
        let (Some("ws"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(wrong("a relay needs ws://host".to_owned()));
        };
        let found = lookup_host((host, uri.port_u16().unwrap_or(80))).await;
        let server = found
            .map_err(|error| wrong(error.to_string()))?
            .next()
            .ok_or_else(|| wrong("the host has no address".to_owned()))?;
        let listen = || {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        };
        let (listener, port) =
            listen().map_err(|error: std::io::Error| wrong(error.to_string()))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let relayed = format!("ws://127.0.0.1:{port}{path}");
        Ok((Self { listener, server }, relayed))
    }

    /// Relays one connection after the other; each is cut, in whatever it is doing, once it is
    /// `cut_every` old.
    pub(super) async fn run(self, cut_every: Duration) {
        let Ok(listener) = TcpListener::from_std(self.listener) else {
            return;
        };
        while let Ok((mut subscriber, _)) = listener.accept().await {
            let Ok(mut server) = TcpStream::connect(self.server).await else {
                continue;
            };
            let relayed = copy_bidirectional(&mut subscriber, &mut server);
            let _ = tokio::time::timeout(cut_every, relayed).await;
        }
    }
}
