//! What is wrong with a stream, in the words of the rule it breaks.

use blockwright_chain::HeaderError;
use blockwright_engine::BadTransaction;
use blockwright_types::SkipReason;
use blockwright_verify::BlockError;

/// Why a flashblock is not what executing it gives. Positions count from 0 within the flashblock.
#[derive(Debug, thiserror::Error)]
pub enum Refutation {
    /// No header can have such a base.
    #[error("base: {0}")]
    Base(#[from] BlockError),
    /// By the chain's rules the base cannot follow the parent.
    #[error("base: {0}")]
    Header(#[from] HeaderError),
    /// The gas limit rose beyond what is executed unasked. A chain's operator may do so; the block is
    /// then executed when a consensus client hands it in.
    #[error("base: gas_limit {got} is more than {times} times the parent's {parent}")]
    GasLimit {
        /// The parent's.
        parent: u64,
        /// The base's.
        got: u64,
        /// Most times that is taken.
        times: u64,
    },
    /// Bytes that are no transaction, or a signature of nobody.
    #[error(transparent)]
    Undecodable(#[from] BadTransaction),
    /// A transaction that cannot stand at its place.
    #[error("transaction {position}: {reason}")]
    Transaction {
        /// Its place.
        position: usize,
        /// The rule it breaks.
        reason: String,
    },
    /// A field that execution contradicts.
    #[error("{field} is {stated}, execution gives {executed}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What the flashblock states.
        stated: String,
        /// What came out.
        executed: String,
    },
    /// Execution failed here: this says nothing about the stream.
    #[error("not executed: {0}")]
    Fault(String),
}

impl Refutation {
    /// Stable lower-case label for metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Base(_) | Self::Header(_) => "base",
            Self::GasLimit { .. } => "gas_limit",
            Self::Undecodable(_) => "undecodable",
            Self::Transaction { .. } => "transaction",
            Self::Field { field, .. } => field,
            Self::Fault(_) => "fault",
        }
    }

    pub(crate) fn rejected(position: usize, reason: &SkipReason) -> Self {
        Self::Transaction {
            position,
            reason: reason.to_string(),
        }
    }
}
