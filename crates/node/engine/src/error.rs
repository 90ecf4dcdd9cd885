//! Errors of the Engine API with their codes (execution-apis, "Errors"; OP exec-engine).

use alloy_primitives::B256;
use blockwright_chain::AttributesError;
use blockwright_seams::HostError;
use blockwright_service::{ResolveError, StartError};
use blockwright_state::StateError;
use blockwright_types::{OpFork, PayloadId, Severity};

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
    /// -38003: an attribute breaks the rules of the fork at its timestamp.
    #[error("invalid payload attributes: {0}")]
    Attributes(#[from] AttributesError),
    /// -38003: a transaction of the attributes cannot be decoded or executed.
    #[error("invalid payload attributes: transaction {index}: {reason}")]
    AttributesTransaction {
        /// Position in the attributes.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// -38003: the attributes break a rule in another way.
    #[error("invalid payload attributes: {0}")]
    AttributesRefused(String),
    /// -38005: the method is not that of the fork.
    #[error("unsupported fork: {method} does not serve {fork}")]
    UnsupportedFork {
        /// The method called.
        method: &'static str,
        /// Fork at the payload's timestamp.
        fork: OpFork,
    },
    /// -32602: a parameter is missing or malformed.
    #[error("invalid params: {0}")]
    InvalidParams(String),
    /// -32000: the state the call needs is not held.
    #[error("state of block {0} is not available")]
    StateUnavailable(B256),
    /// -32603: the builder could not build.
    #[error("builder: {0}")]
    Builder(String),
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
            Self::Attributes(_)
            | Self::AttributesTransaction { .. }
            | Self::AttributesRefused(_) => -38003,
            Self::UnsupportedFork { .. } => -38005,
            Self::InvalidParams(_) => -32602,
            Self::StateUnavailable(_) => -32000,
            Self::Builder(_) | Self::State(_) | Self::Internal(_) => -32603,
        }
    }

    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::State(error) => error.severity(),
            Self::StateUnavailable(_) | Self::UnknownPayload(_) | Self::PayloadNotReady(_) => {
                Severity::Retry
            }
            Self::InvalidForkChoice(_)
            | Self::Attributes(_)
            | Self::AttributesTransaction { .. }
            | Self::AttributesRefused(_)
            | Self::UnsupportedFork { .. }
            | Self::InvalidParams(_)
            | Self::Builder(_)
            | Self::Internal(_) => Severity::AbandonJob,
        }
    }

    pub(crate) fn from_host(error: &HostError) -> Self {
        match error {
            HostError::UnknownParent(hash) => Self::StateUnavailable(*hash),
            HostError::InvalidTransaction { index, reason } => Self::AttributesTransaction {
                index: *index,
                reason: reason.clone(),
            },
            HostError::InvalidAttributes(reason) => Self::AttributesRefused(reason.clone()),
            HostError::Internal(source) => Self::Builder(source.to_string()),
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

impl From<StartError> for EngineError {
    fn from(error: StartError) -> Self {
        match &error {
            StartError::Host(host) => Self::from_host(host),
            _ => Self::Builder(error.to_string()),
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
