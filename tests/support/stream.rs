//! A plain WebSocket subscriber.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A subscription to the flashblock stream.
pub struct Subscriber(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Subscriber {
    pub async fn connect(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    /// The next flashblock; panics after ten seconds of silence.
    pub async fn next(&mut self) -> Value {
        let wait = async {
            loop {
                match self.0.next().await.expect("the stream ended").unwrap() {
                    Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
                    Message::Close(frame) => panic!("closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .expect("no flashblock in 10 s")
    }

    /// Reads on until the server closes; its code. Panics after ten seconds.
    pub async fn closed(&mut self) -> u16 {
        let wait = async {
            loop {
                let message = self
                    .0
                    .next()
                    .await
                    .expect("the stream ended without a word");
                if let Message::Close(frame) = message.unwrap() {
                    return frame.expect("no code").code.into();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .expect("not closed in 10 s")
    }

    /// Reads on until a flashblock whose receipts name `hash`.
    pub async fn flashblock_with(&mut self, hash: &str) -> Value {
        loop {
            let flashblock = self.next().await;
            if !flashblock["metadata"]["receipts"][hash].is_null() {
                return flashblock;
            }
        }
    }
}
