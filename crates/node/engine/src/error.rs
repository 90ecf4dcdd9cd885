//! Errors of the Engine API with their codes (execution-apis, "Errors"; OP exec-engine).

use alloy_primitives::B256;
use blockwright_payload::UnsupportedFork;
use blockwright_requests::RequestError;
use blockwright_service::ResolveError;
use blockwright_state::StateError;
use blockwright_types::{PayloadId, Severity};

/// Why a call was refused. Statuses such as INVALID or SYNCING are answers, not errors.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// -38001: no such payload, or it is gone.
    #[error("unknown payload {0}")]
    UnknownPayload(PayloadId),
    /// -38001: its start was not answered yet.
    #[error("payload {0} has no block yet")]
    PayloadNotReady(PayloadId),
    /// -38002: the labelled blocks contradict each other.
    #[error("invalid fork choice state: {0}")]
    InvalidForkChoice(String),
    /// What was asked for is not built.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// -38005: the method is not that of the fork.
    #[error(transparent)]
    UnsupportedFork(#[from] UnsupportedFork),
    /// -32602: a parameter is missing or malformed.
    #[error("invalid params: {0}")]
    InvalidParams(String),
    /// -32000: the state the call needs is not held.
    #[error("state of block {0} is not available")]
    StateUnavailable(B256),
    /// -32603: stored state failed.
    #[error("state: {0}")]
    State(#[source] StateError),
    /// -32603: a worker went away.
    #[error("internal error: {0}")]
    Internal(String),
}

impl EngineError {
    /// JSON-RPC error code.
    pub const fn code(&self) -> i32 {
        match self {
            Self::UnknownPayload(_) | Self::PayloadNotReady(_) => -38001,
            Self::InvalidForkChoice(_) => -38002,
            Self::Request(error) => error.code(),
            Self::UnsupportedFork(_) => -38005,
            Self::InvalidParams(_) => -32602,
            Self::StateUnavailable(_) => -32000,
            Self::State(_) | Self::Internal(_) => -32603,
        }
    }

    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::State(error) => error.severity(),
            Self::Request(error) => error.severity(),
            Self::StateUnavailable(_) | Self::UnknownPayload(_) | Self::PayloadNotReady(_) => {
                Severity::Retry
            }
            Self::InvalidForkChoice(_)
            | Self::UnsupportedFork(_)
            | Self::InvalidParams(_)
            | Self::Internal(_) => Severity::AbandonJob,
        }
    }
}

impl From<StateError> for EngineError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::NotCanonical { .. } => Self::InvalidForkChoice(error.to_string()),
            StateError::UnknownBlock(hash) => Self::StateUnavailable(hash),
            other => Self::State(other),
        }
    }
}

impl From<ResolveError> for EngineError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Unknown(id) => Self::UnknownPayload(id),
            ResolveError::NotReady(id) => Self::PayloadNotReady(id),
        }
    }
}
