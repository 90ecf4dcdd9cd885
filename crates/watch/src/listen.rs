//! Frames from a stream, for as long as somebody wants them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::WatchError;

/// Pauses between attempts to connect again, doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_LAST: Duration = Duration::from_secs(5);

/// Largest frame that is taken. A block of 1 Ggas makes frames of 20 MB.
const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When its last byte was there, in microseconds since the epoch.
    pub at_us: u64,
    /// As it came.
    pub frame: Bytes,
}

/// Sends what the stream at `url` (`ws://host:port`) brings, and why it broke each time it did,
/// until the receiver is gone. It is connected to again after a pause that grows up to five seconds;
/// the stream replays the running block then.
pub async fn listen(url: &str, to: mpsc::Sender<Result<Heard, WatchError>>) {
    let mut pause = PAUSE_FIRST;
    loop {
        let mut heard_any = false;
        let error = tokio::select! {
            error = one_connection(url, &to, &mut heard_any) => error,
            () = to.closed() => return,
        };
        if to.send(Err(error)).await.is_err() {
            return;
        }
        pause = if heard_any {
            PAUSE_FIRST
        } else {
            (pause * 2).min(PAUSE_LAST)
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = to.closed() => return,
        }
    }
}

async fn one_connection(
    url: &str,
    to: &mpsc::Sender<Result<Heard, WatchError>>,
    heard_any: &mut bool,
) -> WatchError {
    let broke = |cause: String| WatchError::Stream {
        url: url.to_owned(),
        cause,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let mut stream = match connect_async_with_config(url, Some(config), true).await {
        Ok((stream, _)) => stream,
        Err(error) => return broke(error.to_string()),
    };
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return broke(error.to_string()),
            None => return broke("the server ended it".to_owned()),
        };
        let at_us = now_us();
        let frame = match message {
            Message::Text(text) => text.into(),
            Message::Binary(bytes) => bytes,
            Message::Close(Some(close)) => {
                return broke(format!("closed with {}: {}", close.code, close.reason));
            }
            _ => continue,
        };
        *heard_any = true;
        // A slow reader slows the stream down, and is told so by the server in the end.
        if to.send(Ok(Heard { at_us, frame })).await.is_err() {
            return broke("nobody listens any more".to_owned());
        }
    }
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}
