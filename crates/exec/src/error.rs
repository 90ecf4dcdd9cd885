//! What can go wrong while a block is executed.

use blockwright_seams::{HostError, SimError};
use blockwright_types::{Severity, SkipReason};

use crate::overrides::OverrideError;

/// Any error of a reader or of the EVM itself.
pub(crate) type Cause = Box<dyn core::error::Error + Send + Sync>;

/// Why a block, a call or an estimate could not be executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// A transaction cannot stand at its place in a valid block.
    #[error("transaction {index} is invalid: {reason}")]
    InvalidTransaction {
        /// Position in the block.
        index: usize,
        /// The rule it breaks.
        reason: SkipReason,
    },
    /// A message (`eth_call`, `eth_estimateGas`) cannot be executed at all.
    #[error("call cannot be executed: {0}")]
    InvalidCall(SkipReason),
    /// The overrides of a call contradict each other.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// A system call at the start of the block failed.
    #[error("system call to {contract} failed: {outcome}")]
    SystemCall {
        /// The contract's name.
        contract: &'static str,
        /// What the EVM reported.
        outcome: String,
    },
    /// The state could not be read, or the EVM itself failed.
    #[error("execution failed: {0}")]
    Fault(#[source] Cause),
}

impl ExecError {
    /// What to do about it. None of these passes by itself, and none harms the node.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::InvalidTransaction { .. }
            | Self::InvalidCall(_)
            | Self::Override(_)
            | Self::SystemCall { .. }
            | Self::Fault(_) => Severity::AbandonJob,
        }
    }
}

impl From<ExecError> for HostError {
    fn from(error: ExecError) -> Self {
        match error {
            ExecError::InvalidTransaction { index, reason } => Self::InvalidTransaction {
                index,
                reason: reason.to_string(),
            },
            other @ (ExecError::SystemCall { .. }
            | ExecError::InvalidCall(_)
            | ExecError::Override(_)) => Self::Internal(Box::new(other)),
            ExecError::Fault(cause) => Self::Internal(cause),
        }
    }
}

/// Why one transaction gave no result.
#[derive(Debug)]
pub(crate) enum TxFailure {
    /// It is not valid here; the block goes on.
    Rejected(SkipReason),
    /// Anything else ends the block.
    Fault(Cause),
}

impl TxFailure {
    pub(crate) fn fault(error: impl core::error::Error + Send + Sync + 'static) -> Self {
        Self::Fault(Box::new(error))
    }

    pub(crate) fn at(self, index: usize) -> ExecError {
        match self {
            Self::Rejected(reason) => ExecError::InvalidTransaction { index, reason },
            Self::Fault(cause) => ExecError::Fault(cause),
        }
    }
}

impl From<TxFailure> for SimError {
    fn from(failure: TxFailure) -> Self {
        match failure {
            TxFailure::Rejected(reason) => Self::Rejected(reason),
            TxFailure::Fault(cause) => Self::Fault(cause),
        }
    }
}

/// The block was given up after an earlier fault.
#[derive(Debug, thiserror::Error)]
#[error("the block was given up after an earlier fault: {0}")]
pub(crate) struct Poisoned(pub(crate) String);
