//! What a subscription needs to know.

use std::time::Duration;

use blockwright_flashblocks::Form;
use blockwright_trust::TlsTrust;

use crate::{StreamKey, StreamUrl, SubscribeError};

/// Configuration of a [`Subscriber`](crate::Subscriber).
#[derive(Clone, Debug)]
pub struct SubscriberConfig {
    /// Servers of one and the same stream. One is used at a time, the next one when it fails or stalls.
    pub urls: Vec<StreamUrl>,
    /// The key that they ask for.
    pub key: Option<StreamKey>,
    /// Whose certificates `wss://` servers must have; `None` loads the system's when it is needed.
    pub trust: Option<TlsTrust>,
    /// The form that is asked for.
    pub form: Form,
    /// The compression that is asked for, `brotli` or `zstd`; a server may send any all the same.
    pub encoding: Option<&'static str>,
    /// Time between flashblocks; `None` takes what it sees.
    pub interval: Option<Duration>,
    /// Largest frame taken, in bytes, packed or not.
    pub frame_bytes_max: usize,
    /// Events that may wait for the consumer. Full: nothing more is read from the socket. At least 1.
    pub queue: usize,
    /// Time for connecting, TLS and handshake together.
    pub connect_timeout: Duration,
    /// First and longest pause between attempts; they double in between.
    pub pauses: (Duration, Duration),
}

impl SubscriberConfig {
    /// Dialect `v1` of the stream at `url`, with the defaults of everything else.
    pub fn new(url: StreamUrl) -> Self {
        Self {
            urls: vec![url],
            key: None,
            trust: None,
            form: Form::default(),
            encoding: None,
            interval: None,
            frame_bytes_max: blockwright_flashblocks::FRAME_BYTES_MAX,
            queue: 64,
            connect_timeout: Duration::from_secs(5),
            pauses: (Duration::from_millis(100), Duration::from_secs(5)),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), SubscribeError> {
        if self.urls.is_empty() {
            return Err(SubscribeError::NoUrl);
        }
        if self
            .key
            .as_ref()
            .is_some_and(|key| key.authorization().is_none())
        {
            return Err(SubscribeError::Key);
        }
        let zeros = [
            ("frame_bytes_max", self.frame_bytes_max == 0),
            ("queue", self.queue == 0),
            ("connect_timeout", self.connect_timeout.is_zero()),
            (
                "interval",
                self.interval.is_some_and(|interval| interval.is_zero()),
            ),
            ("pauses", self.pauses.0.is_zero() || self.pauses.1.is_zero()),
        ];
        match zeros.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((field, _)) => Err(SubscribeError::Zero(field)),
            None => Ok(()),
        }
    }
}
