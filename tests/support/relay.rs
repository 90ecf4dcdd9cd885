//! A relay that changes what passes.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{accept_hdr_async, connect_async};

/// What becomes of a message; `None` ends the connection.
pub type Change = fn(Message) -> Option<Message>;

/// Answers each subscriber with what the server says to the same question, changed.
pub struct Relay(SocketAddr);

impl Relay {
    /// Before the server at `url` (`ws://host:port`).
    pub async fn start(url: &str, change: Change) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let url = url.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, url.clone(), change));
            }
        });
        Self(addr)
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.0)
    }
}

#[allow(clippy::result_large_err)]
async fn forward(client: TcpStream, url: String, change: Change) -> Option<()> {
    let mut asked = String::new();
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        asked = request.uri().to_string();
        Ok(response)
    };
    let mut client = accept_hdr_async(client, note).await.ok()?;
    let (mut server, _) = connect_async(format!("{url}{asked}")).await.ok()?;
    loop {
        tokio::select! {
            message = server.next() => {
                let message = change(message?.ok()?)?;
                client.send(message).await.ok()?;
            }
            // Pings are answered by the library.
            message = client.next() => {
                message?.ok()?;
            }
        }
    }
}
