//! Why the server cannot start.

use std::net::SocketAddr;

use blockwright_types::Severity;

/// The server could not be set up. Nothing that a subscriber does ends in one of these.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The address cannot be listened on.
    #[error("flashblock stream cannot listen on {addr}: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The encoder's thread cannot be started.
    #[error("flashblock encoder thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The threads that make other forms and compress cannot be started.
    #[error("threads that make frames cannot be started: {0}")]
    MakerThread(#[source] std::io::Error),
    /// A key that no client can send. It is not repeated here.
    #[error("API key {position} must be 1 to 256 visible ASCII characters")]
    ApiKey {
        /// Which one, counted from 1.
        position: usize,
    },
    /// A limit of zero would stop the stream.
    #[error("flashblock stream: {field} must not be zero")]
    ZeroLimit {
        /// The field of the configuration.
        field: &'static str,
    },
}

impl StreamError {
    /// What to do about it: the node does not start without its stream.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Bind { .. }
            | Self::Thread(_)
            | Self::MakerThread(_)
            | Self::ApiKey { .. }
            | Self::ZeroLimit { .. } => Severity::Fatal,
        }
    }
}
