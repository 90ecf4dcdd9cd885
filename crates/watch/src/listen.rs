//! Frames from a stream, for as long as somebody wants them.

use blockwright_subscribe::{Event, Gap, StreamUrl, SubscribeError, Subscriber, SubscriberConfig};
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::WatchError;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When its last byte was there, in microseconds since the epoch.
    pub at_us: u64,
    /// The frame, unpacked.
    pub frame: Bytes,
}

/// What a stream brings, each flashblock once however often it breaks.
#[derive(Debug)]
pub struct Listening {
    url: String,
    events: mpsc::Receiver<Event>,
}

/// Listens to the stream at `url` (`ws://` or `wss://`) while the subscriber runs.
///
/// # Errors
/// [`WatchError::Stream`] where the URL is none.
pub fn listen(url: &str) -> Result<(Subscriber, Listening), WatchError> {
    let refused = |error: SubscribeError| WatchError::Stream {
        url: url.split('?').next().unwrap_or_default().to_owned(),
        cause: error.to_string(),
    };
    let parsed: StreamUrl = url.parse().map_err(refused)?;
    let url = parsed.to_string();
    let config = SubscriberConfig::new(parsed);
    let (subscriber, events) = Subscriber::new(config).map_err(refused)?;
    Ok((subscriber, Listening { url, events }))
}

impl Listening {
    /// The next frame, or what is wrong with the stream; `None` once the subscriber is gone.
    pub async fn next(&mut self) -> Option<Result<Heard, WatchError>> {
        loop {
            let cause = match self.events.recv().await? {
                Event::Frame(received) => {
                    return Some(Ok(Heard {
                        at_us: received.at_us,
                        frame: received.frame,
                    }));
                }
                Event::Connected { .. } => continue,
                Event::Gap(gap) => missing(gap).to_owned(),
                Event::Unreadable { cause, .. } => format!("a frame is dropped: {cause}"),
                Event::Stalled { silent } => {
                    format!("stalled: no flashblock for {} ms", silent.as_millis())
                }
                Event::Disconnected { reason, .. } => reason.to_string(),
            };
            return Some(Err(WatchError::Stream {
                url: self.url.clone(),
                cause,
            }));
        }
    }
}

const fn missing(gap: Gap) -> &'static str {
    match gap {
        Gap::NotHeld => {
            "flashblocks were missed: the server no longer holds those after the last one"
        }
        Gap::Skipped => "flashblocks are missing before the next one",
        Gap::Unproven => "flashblocks may have been missed at the end of the last payload",
    }
}
