//! Why the listener does not start.

use std::net::SocketAddr;

use blockwright_types::Severity;

/// The listener could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BuilderApiError {
    /// The address cannot be listened on.
    #[error("builder API cannot listen on {addr}: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl BuilderApiError {
    /// What to do about it: the operator has to give another address.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Bind { .. } => Severity::Fatal,
        }
    }
}
