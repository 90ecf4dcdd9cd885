//! Why nothing is built, with the codes of the Engine API (execution-apis, "Errors"; OP exec-engine).

use alloy_primitives::B256;
use blockwright_chain::AttributesError;
use blockwright_payload::UnsupportedFork;
use blockwright_seams::HostError;
use blockwright_service::StartError;
use blockwright_types::Severity;

use crate::BadTransaction;

/// Why a block that was asked for is not built.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError {
    /// -38003: an attribute breaks the rules of the fork at its timestamp.
    #[error("invalid payload attributes: {0}")]
    Attributes(#[from] AttributesError),
    /// -38003: a transaction of the attributes cannot be decoded or executed.
    #[error("invalid payload attributes: transaction {index}: {reason}")]
    Transaction {
        /// Position in the attributes.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// -38003: the attributes break a rule in another way.
    #[error("invalid payload attributes: {0}")]
    Refused(String),
    /// -38005: the method is not that of the fork.
    #[error(transparent)]
    UnsupportedFork(#[from] UnsupportedFork),
    /// -32000: the parent's state is not held.
    #[error("state of block {0} is not available")]
    UnknownParent(B256),
    /// -32603: the builder could not build.
    #[error("builder: {0}")]
    Builder(String),
    /// -32603: a worker went away.
    #[error("internal error: {0}")]
    Internal(String),
}

impl RequestError {
    /// JSON-RPC error code.
    pub const fn code(&self) -> i32 {
        match self {
            Self::Attributes(_) | Self::Transaction { .. } | Self::Refused(_) => -38003,
            Self::UnsupportedFork(_) => -38005,
            Self::UnknownParent(_) => -32000,
            Self::Builder(_) | Self::Internal(_) => -32603,
        }
    }

    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::UnknownParent(_) => Severity::Retry,
            Self::Attributes(_)
            | Self::Transaction { .. }
            | Self::Refused(_)
            | Self::UnsupportedFork(_)
            | Self::Builder(_)
            | Self::Internal(_) => Severity::AbandonJob,
        }
    }
}

impl From<BadTransaction> for RequestError {
    fn from(bad: BadTransaction) -> Self {
        Self::Transaction {
            index: bad.index,
            reason: bad.error.to_string(),
        }
    }
}

impl From<&HostError> for RequestError {
    fn from(error: &HostError) -> Self {
        match error {
            HostError::UnknownParent(hash) => Self::UnknownParent(*hash),
            HostError::InvalidTransaction { index, reason } => Self::Transaction {
                index: *index,
                reason: reason.clone(),
            },
            HostError::InvalidAttributes(reason) => Self::Refused(reason.clone()),
            HostError::Internal(source) => Self::Builder(source.to_string()),
        }
    }
}

impl From<StartError> for RequestError {
    fn from(error: StartError) -> Self {
        match &error {
            StartError::Host(host) => Self::from(&**host),
            _ => Self::Builder(error.to_string()),
        }
    }
}
