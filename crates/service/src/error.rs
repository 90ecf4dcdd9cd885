//! Why a payload could not be started or resolved.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::JobFault;
use blockwright_seams::HostError;
use blockwright_types::{PayloadId, Severity, StopReason};

/// Why a payload could not be started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// Too many payloads are being started or built.
    #[error("the builder is busy: {0}")]
    Busy(&'static str),
    /// The host refused the request: unknown parent or invalid attributes.
    #[error(transparent)]
    Host(Arc<HostError>),
    /// Building failed before the first block was there.
    #[error("building failed: {0}")]
    Failed(Arc<JobFault>),
    /// Building panicked before the first block was there.
    #[error("building panicked before the first block")]
    Panicked,
    /// It was stopped before the first block was there.
    #[error("stopped before the first block: {}", .0.label())]
    Stopped(StopReason),
    /// No thread could be started.
    #[error("worker thread: {0}")]
    Thread(Arc<std::io::Error>),
    /// The service ended.
    #[error("the builder has shut down")]
    ShutDown,
}

impl StartError {
    /// What to do about it.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Busy(_) | Self::Stopped(_) | Self::Thread(_) => Severity::Retry,
            Self::Host(error) => error.severity(),
            Self::Failed(fault) => fault.severity(),
            Self::Panicked => Severity::AbandonJob,
            Self::ShutDown => Severity::Fatal,
        }
    }
}

/// Why a payload could not be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Never started, refused, or no longer retained.
    #[error("unknown payload {0}")]
    Unknown(PayloadId),
    /// Its start was not answered yet.
    #[error("payload {0} has no block yet")]
    NotReady(PayloadId),
}

impl ResolveError {
    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Unknown(_) => Severity::AbandonJob,
            Self::NotReady(_) => Severity::Retry,
        }
    }
}

/// Why no payload could be released on a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Nothing was built on it, or it is no longer retained.
    #[error("nothing was built on {0}")]
    Nothing(B256),
    /// What was built on it has another number.
    #[error("the block on {parent_hash} has number {number}")]
    OtherNumber {
        /// The parent.
        parent_hash: B256,
        /// Number of the block on it.
        number: u64,
    },
    /// Its start was not answered yet.
    #[error("the payload on {0} has no block yet")]
    NotReady(B256),
}

impl ReleaseError {
    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Nothing(_) | Self::OtherNumber { .. } => Severity::AbandonJob,
            Self::NotReady(_) => Severity::Retry,
        }
    }
}
