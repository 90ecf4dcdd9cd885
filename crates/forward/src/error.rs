//! Why transactions cannot be sent on.

use std::time::Duration;

use blockwright_types::Severity;
use jsonrpsee::types::ErrorObjectOwned;

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// Not a server's URL. The URL itself may hold secrets and is not repeated.
    #[error("the URL {0}")]
    Url(&'static str),
    /// The same target twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// The HTTP client cannot be made.
    #[error("{target}: {cause}")]
    Client {
        /// The target's label.
        target: String,
        /// What is wrong.
        cause: String,
    },
}

impl ForwardError {
    /// An operator has to change something.
    pub const fn severity(&self) -> Severity {
        Severity::Fatal
    }
}

/// Why the sequencer did not take a transaction.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SequencerError {
    /// It refused; its own error object.
    #[error("{}", .0.message())]
    Refused(ErrorObjectOwned),
    /// The same transaction is on its way to it right now.
    #[error("already known")]
    UnderWay,
    /// Too many calls wait for its answer.
    #[error("sequencer is busy: {calls} calls wait for its answer, try again")]
    Busy {
        /// Calls under way.
        calls: usize,
    },
    /// No connection within the deadline. The transaction was not taken here.
    #[error("sequencer cannot be reached, try again: {cause}")]
    Unreachable {
        /// The last attempt's failure.
        cause: String,
    },
    /// No answer within the deadline.
    #[error(
        "sequencer gave no answer in {within:?}: it may have taken the transaction all the same"
    )]
    Timeout {
        /// The deadline.
        within: Duration,
    },
    /// It answered something else than JSON-RPC wants.
    #[error("sequencer's answer cannot be used: {cause}")]
    Answer {
        /// What is wrong with it.
        cause: String,
    },
}

impl SequencerError {
    /// What the caller should do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Busy { .. } | Self::Unreachable { .. } | Self::Timeout { .. } => Severity::Retry,
            Self::Refused(_) | Self::UnderWay | Self::Answer { .. } => Severity::AbandonJob,
        }
    }
}
