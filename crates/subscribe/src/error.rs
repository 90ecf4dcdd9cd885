//! What can be wrong with settings, connections and frames.

use blockwright_trust::TrustError;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// No stream is named.
    #[error("no stream URL is given")]
    NoUrl,
    /// A URL is not of the form that is spoken.
    #[error("{url}: {cause}")]
    Url {
        /// As given, without its query string.
        url: String,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A key that cannot be sent. It is not repeated.
    #[error("the key of a stream must be 1 to 256 visible ASCII characters")]
    Key,
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] TrustError),
    /// A limit of zero would stop everything.
    #[error("{0} must not be zero")]
    Zero(&'static str),
}

/// Why there is no connection (any more).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// It could not be opened.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server answered the handshake with an HTTP status.
    #[error("refused with HTTP {status}: {text}")]
    Refused {
        /// The status.
        status: u16,
        /// The beginning of what it said.
        text: String,
    },
    /// The position to resume from is not held there (HTTP 410).
    #[error("the position to resume from is not held")]
    NotHeld,
    /// The server closed it.
    #[error("closed with {code}: {reason}")]
    Closed {
        /// The WebSocket close code; 1005 where there was none.
        code: u16,
        /// The reason given.
        reason: String,
    },
    /// It broke.
    #[error("broken: {0}")]
    Broken(String),
    /// Not even a pong came for two intervals.
    #[error("silent: no frame and no pong")]
    Dead,
    /// It is alive, but no frame came for too long.
    #[error("stalled: no frame for too long")]
    Stalled,
}

/// Why a frame is dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is larger than is taken, packed or unpacked.
    #[error("larger than {max_bytes} bytes")]
    TooLarge {
        /// The most that is taken.
        max_bytes: usize,
    },
    /// It cannot be unpacked.
    #[error("neither JSON nor compressed JSON: {0}")]
    Packed(String),
    /// Its JSON has not what a flashblock's has.
    #[error("not a flashblock in JSON: {0}")]
    Json(String),
    /// It is shorter than the fixed part of the container, or points outside itself.
    #[error("not a flashblock in SSZ: {0}")]
    Ssz(&'static str),
    /// Another version of the container.
    #[error("flashblock version 0x{0:08x} is unknown")]
    Version(u32),
}
