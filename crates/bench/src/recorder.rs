//! Listens to the flashblock stream and keeps every frame as it came.
//!
//! On a thread and a runtime of its own, so that nothing else the meter does comes between a frame and
//! its time of arrival.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::clock::now_us;
use crate::warm_memory::WarmMemory;
use crate::{BenchError, Frame};

/// Most bytes of frames that are kept; a run that brings more ends with an error. A flood of 20,000
/// transactions a second is about 30 MB of frames a second.
pub(crate) const FRAME_BYTES_MAX: usize = 4 << 30;

/// How long the server may take to hear that nobody listens any more.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// A stream that brings nothing for this long after the last block has brought everything.
const SILENCE: Duration = Duration::from_millis(300);

/// Silence is not waited for any longer than this.
const SILENCE_WITHIN: Duration = Duration::from_secs(5);

/// A listener on a thread of its own.
#[derive(Debug)]
pub(crate) struct Recorder {
    stop: watch::Sender<bool>,
    /// Frames heard so far.
    heard: watch::Receiver<usize>,
    full: Arc<AtomicBool>,
    thread: JoinHandle<Recording>,
}

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    /// All frames in order.
    pub(crate) frames: Vec<Frame>,
    /// Why the stream ended before it was told to.
    pub(crate) error: Option<String>,
}

impl Recorder {
    /// Connects to `url` (`ws://host:port`) and listens until [`Self::finish`]. Frames are kept in
    /// `memory` as long as there is some. Returns once the stream has accepted.
    pub(crate) async fn connect(url: &str, memory: WarmMemory) -> Result<Self, BenchError> {
        let failed = |cause: String| BenchError::Stream {
            url: url.to_owned(),
            cause,
        };
        let (stop, stopped) = watch::channel(false);
        let (hear, heard) = watch::channel(0);
        let (connected, connection) = oneshot::channel();
        let full = Arc::new(AtomicBool::new(false));
        let to = url.to_owned();
        let kept = Kept {
            frames: Vec::new(),
            heard: hear,
            bytes: 0,
            memory,
            full: full.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let thread = std::thread::Builder::new()
            .name("bench-stream".to_owned())
            .spawn(move || runtime.block_on(listen(&to, connected, stopped, kept)))
            .map_err(|error| failed(error.to_string()))?;
        match connection.await {
            Ok(Ok(())) => Ok(Self {
                stop,
                heard,
                full,
                thread,
            }),
            Ok(Err(cause)) => Err(failed(cause)),
            Err(_) => Err(failed("the listening thread ended".to_owned())),
        }
    }

    /// An error once more frames came than are kept.
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(BenchError::RecordTooLarge {
                what: "flashblocks",
                bytes_max: FRAME_BYTES_MAX as u64,
            });
        }
        Ok(())
    }

    /// Returns once the stream is silent: the last block's frames may still be on their way when it
    /// is sealed.
    pub(crate) async fn silence(&self) {
        let mut heard = self.heard.clone();
        let silent = async {
            while let Ok(Ok(())) = tokio::time::timeout(SILENCE, heard.changed()).await {}
        };
        // A builder that streams without being asked to is not waited for.
        let _ = tokio::time::timeout(SILENCE_WITHIN, silent).await;
    }

    /// Ends listening and hands out what was heard.
    pub(crate) fn finish(self) -> Recording {
        let _ = self.stop.send(true);
        self.thread.join().unwrap_or_else(|_| Recording {
            frames: Vec::new(),
            error: Some("the listening thread panicked".to_owned()),
        })
    }
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn listen(
    url: &str,
    connected: oneshot::Sender<Result<(), String>>,
    mut stopped: watch::Receiver<bool>,
    mut kept: Kept,
) -> Recording {
    let mut stream = match connect(url).await {
        Ok(stream) => {
            let _ = connected.send(Ok(()));
            stream
        }
        Err(cause) => {
            let _ = connected.send(Err(cause));
            return Recording::default();
        }
    };
    let error = tokio::select! {
        error = kept.record(&mut stream) => Some(error),
        _ = stopped.wait_for(|stopped| *stopped) => None,
    };
    // The server may be gone already; nothing depends on a proper farewell.
    let _ = tokio::time::timeout(FAREWELL_WITHIN, stream.close(None)).await;
    Recording {
        frames: kept.frames,
        error,
    }
}

async fn connect(url: &str) -> Result<Stream, String> {
    // One frame of a full block is several megabytes; the sum of all is bounded instead.
    let config = WebSocketConfig::default()
        .max_message_size(None)
        .max_frame_size(None);
    let connection = connect_async_with_config(url, Some(config), true).await;
    let (stream, _) = connection.map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Frames that were received.
struct Kept {
    frames: Vec<Frame>,
    heard: watch::Sender<usize>,
    bytes: usize,
    memory: WarmMemory,
    full: Arc<AtomicBool>,
}

impl Kept {
    /// Keeps frames until the stream ends; why it did. Reading answers pings.
    async fn record(&mut self, stream: &mut Stream) -> String {
        loop {
            let message = match stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return error.to_string(),
                None => return "the server closed the stream".to_owned(),
            };
            let at_us = now_us();
            let received: Bytes = match message {
                Message::Text(text) => text.into(),
                Message::Binary(bytes) => bytes,
                _ => continue,
            };
            self.bytes += received.len();
            if self.bytes > FRAME_BYTES_MAX {
                self.full.store(true, Ordering::Relaxed);
                return format!("more than {FRAME_BYTES_MAX} bytes of frames");
            }
            // Copied, so that the next frame can be received where this one was.
            let mut bytes = self.memory.take(received.len());
            bytes.extend_from_slice(&received);
            let bytes = bytes.freeze();
            self.frames.push(Frame { at_us, bytes });
            self.heard.send_replace(self.frames.len());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
