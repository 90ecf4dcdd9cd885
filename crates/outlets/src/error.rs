//! Why an outlet cannot be opened.

use std::net::SocketAddr;

use blockwright_types::Severity;

/// A failure of opening an outlet.
#[derive(Debug, thiserror::Error)]
pub enum OutletError {
    /// A server could not listen.
    #[error(
        "{server}: cannot listen on {addr}: {source} (choose another port, 0 takes a free one)"
    )]
    Listen {
        /// Which server: http, ws, authrpc, flashblocks, metrics or builder-api.
        server: &'static str,
        /// The address asked for.
        addr: SocketAddr,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Settings contradict each other.
    #[error("{flag}: {reason}")]
    Config {
        /// The flag at fault.
        flag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A part failed to start.
    #[error("{part}: {source}")]
    Start {
        /// What failed.
        part: &'static str,
        /// Why.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

impl OutletError {
    /// A complaint about a flag.
    pub fn flag(flag: &'static str, reason: &dyn core::fmt::Display) -> Self {
        Self::Config {
            flag,
            reason: reason.to_string(),
        }
    }

    /// `part` did not start.
    pub fn start(
        part: &'static str,
        source: impl core::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Start {
            part,
            source: Box::new(source),
        }
    }

    /// Opening is all or nothing: whatever goes wrong, an operator has to change something.
    pub const fn severity(&self) -> Severity {
        Severity::Fatal
    }
}
