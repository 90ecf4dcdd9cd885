//! Frames from a stream, for as long as somebody wants them.

use std::path::PathBuf;

use blockwright_flashblocks::{Dialect, Form, MetadataDetail};
pub use blockwright_subscribe::StreamKey;
use blockwright_subscribe::{
    Disconnect, Event, Gap, StreamUrl, SubscribeError, Subscriber, SubscriberConfig,
};
use blockwright_trust::TlsTrust;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::WatchError;

/// Refusals that no second attempt changes.
const FINAL_STATUSES: [u16; 4] = [400, 401, 403, 404];

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When its last byte was there, in microseconds since the epoch.
    pub at_us: u64,
    /// What it is written in.
    pub dialect: Dialect,
    /// The frame, unpacked.
    pub frame: Bytes,
}

/// How to get in.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The key that the server asks for.
    pub key: Option<StreamKey>,
    /// PEM file of certificate authorities to believe beside the system's, for `wss://`.
    pub ca: Option<PathBuf>,
}

/// What a stream brings, each flashblock once however often it breaks.
#[derive(Debug)]
pub struct Listening {
    url: String,
    dialect: Dialect,
    events: mpsc::Receiver<Event>,
    was_connected: bool,
}

/// Listens to the stream at `url` (`ws://` or `wss://`) in a dialect while the subscriber runs.
///
/// # Errors
/// [`WatchError::Stream`] where URL, key or certificates cannot be used, and [`WatchError::Url`] where it asks for a dialect by
/// itself.
pub fn listen(
    url: &str,
    dialect: Dialect,
    access: &Access,
) -> Result<(Subscriber, Listening), WatchError> {
    let bare = url.split('?').next().unwrap_or_default();
    let refused = |error: SubscribeError| WatchError::Stream {
        url: bare.to_owned(),
        cause: error.to_string(),
    };
    let query = url.split_once('?').map_or("", |(_, query)| query);
    if query.split('&').any(|pair| pair.starts_with("dialect=")) {
        return Err(WatchError::Url {
            url: bare.to_owned(),
            cause: "the dialect is a setting of its own and not part of the URL",
        });
    }
    let parsed: StreamUrl = url.parse().map_err(refused)?;
    let url = match dialect {
        Dialect::V1 => parsed.to_string(),
        other => format!("{parsed} ({other})"),
    };
    let trust = access.ca.as_deref().map(|path| TlsTrust::load(Some(path)));
    let config = SubscriberConfig {
        key: access.key.clone(),
        trust: trust.transpose().map_err(|error| refused(error.into()))?,
        form: Form::new(dialect, MetadataDetail::Full),
        ..SubscriberConfig::new(parsed)
    };
    let (subscriber, events) = Subscriber::new(config).map_err(refused)?;
    let listening = Listening {
        url,
        dialect,
        events,
        was_connected: false,
    };
    Ok((subscriber, listening))
}

impl Listening {
    /// The next frame, or what is wrong with the stream; `None` once the subscriber is gone. Nothing is
    /// lost where the wait is given up.
    pub async fn next(&mut self) -> Option<Result<Heard, WatchError>> {
        loop {
            let cause = match self.events.recv().await? {
                Event::Frame(received) => {
                    return Some(Ok(Heard {
                        at_us: received.at_us,
                        dialect: self.dialect,
                        frame: received.frame,
                    }));
                }
                Event::Connected { .. } => {
                    self.was_connected = true;
                    continue;
                }
                Event::Gap(gap) => {
                    return Some(Err(WatchError::Missed {
                        url: self.url.clone(),
                        cause: missing(gap),
                    }));
                }
                Event::Unreadable {
                    received_us,
                    size_bytes,
                    cause,
                } => {
                    return Some(Err(WatchError::Unreadable {
                        at_us: received_us,
                        size_bytes,
                        cause,
                    }));
                }
                Event::Stalled { silent } => {
                    format!("stalled: no flashblock for {} ms", silent.as_millis())
                }
                Event::Disconnected {
                    reason: Disconnect::Refused { status, text },
                    ..
                } if self.is_final(status) => {
                    return Some(Err(WatchError::Refused {
                        url: self.url.clone(),
                        status,
                        text,
                    }));
                }
                Event::Disconnected { reason, .. } => reason.to_string(),
            };
            return Some(Err(WatchError::Stream {
                url: self.url.clone(),
                cause,
            }));
        }
    }

    /// Whether another attempt is of no use. A server that was there may be so again.
    fn is_final(&self, status: u16) -> bool {
        !self.was_connected && FINAL_STATUSES.contains(&status)
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
