//! Why a node did not start or had to stop.

use std::path::PathBuf;

use blockwright_outlets::OutletError;
use blockwright_types::Severity;

/// A failure of launching or running a node.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// What a node shares with every host of the builder could not be opened.
    #[error(transparent)]
    Outlet(#[from] OutletError),
    /// The genesis file could not be read.
    #[error("genesis {path}: {source}")]
    GenesisFile {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The genesis is not a chain this node can run.
    #[error("genesis {path}: {source}")]
    Genesis {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: blockwright_chain::GenesisError,
    },
    /// The data directory belongs to another development chain.
    #[error(
        "data directory {path} holds a chain with {name} {found}, but {asked} was asked for: use another --datadir"
    )]
    DevMismatch {
        /// The data directory.
        path: PathBuf,
        /// What differs.
        name: &'static str,
        /// What the directory holds.
        found: String,
        /// What was asked for.
        asked: String,
    },
    /// The data directory could not be made.
    #[error("data directory {path}: {source}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The stored state could not be opened.
    #[error("stored state: {0}")]
    State(#[from] blockwright_state::StateError),
    /// The JWT secret is missing or malformed.
    #[error("JWT secret: {0}")]
    Jwt(#[source] Box<dyn core::error::Error + Send + Sync>),
    /// The endpoints file could not be written.
    #[error("endpoints file {path}: {source}")]
    Endpoints {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The metrics recorder could not be installed.
    #[error("metrics: {0}")]
    Metrics(String),
}

impl LaunchError {
    /// Launching is all or nothing: whatever goes wrong, an operator has to change something.
    pub const fn severity(&self) -> Severity {
        Severity::Fatal
    }
}

/// What is wrong with `flag`.
pub(crate) fn flag(flag: &'static str, reason: &dyn core::fmt::Display) -> LaunchError {
    OutletError::flag(flag, reason).into()
}

/// `part` did not start.
pub(crate) fn failed(
    part: &'static str,
    source: impl core::error::Error + Send + Sync + 'static,
) -> LaunchError {
    OutletError::start(part, source).into()
}
