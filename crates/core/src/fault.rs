//! Why a job ended before its time.

use blockwright_seams::RootFault;
use blockwright_types::Severity;

/// A failure that ends the job. The last published block stays valid.
#[derive(Debug, thiserror::Error)]
pub enum JobFault {
    /// The EVM or a state read failed, not the transaction.
    #[error("execution of {tx} failed")]
    Execution {
        /// Hash of the transaction that ran.
        tx: alloy_primitives::B256,
        /// The host's error.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// The account that sends the block's last transaction could not be read.
    #[error("the sender of the closing transaction cannot be read")]
    Closing {
        /// The host's error.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// A root could not be computed.
    #[error("root of flashblock {index} failed")]
    Roots {
        /// The flashblock.
        index: u64,
        /// The session's error.
        #[source]
        source: RootFault,
    },
    /// `commit` called a simulation stale that ran on the very state it was committed to.
    #[error("the host refused a fresh simulation of {tx}")]
    StaleTwice {
        /// Hash of the transaction.
        tx: alloy_primitives::B256,
    },
    /// The policy selected what it had not taken from the frontier.
    #[error("policy {policy} selected {tx}, which it did not take from the frontier")]
    PolicyInvented {
        /// The policy's name.
        policy: &'static str,
        /// Hash of the transaction.
        tx: alloy_primitives::B256,
    },
}

impl JobFault {
    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Execution { .. }
            | Self::Closing { .. }
            | Self::Roots { .. }
            | Self::StaleTwice { .. }
            | Self::PolicyInvented { .. } => Severity::AbandonJob,
        }
    }
}
