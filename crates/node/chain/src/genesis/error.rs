//! Why a genesis document is refused.

use alloy_primitives::Address;

use crate::ExtraDataError;

/// Why a genesis document is refused. Fields are named by their path in the document, for example
/// `config.optimism.eip1559Elasticity`.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The document is not JSON.
    #[error("genesis is not valid JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// A required field is absent or null.
    #[error("genesis: {field} is missing")]
    Missing {
        /// The field.
        field: String,
    },
    /// A field has another JSON type.
    #[error("genesis: {field} must be {expected}")]
    Type {
        /// The field.
        field: String,
        /// What is expected there.
        expected: &'static str,
    },
    /// A number cannot be read or does not fit.
    #[error("genesis: {field} is not a number of at most {bits} bits: {value:?}")]
    Number {
        /// The field.
        field: String,
        /// Width of the field.
        bits: usize,
        /// What stands there.
        value: String,
    },
    /// Hexadecimal text cannot be read or has the wrong length.
    #[error("genesis: {field} is not valid hex: {reason}")]
    Hex {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// A value is well-formed but not allowed.
    #[error("genesis: {field} {reason}")]
    NotAllowed {
        /// The field.
        field: String,
        /// The rule, to be read after the field's name.
        reason: &'static str,
    },
    /// A fork by block number is not active from block 0.
    #[error("genesis: config.{field} must be 0, got {block}: chains begin with Bedrock")]
    NotAtGenesis {
        /// The field inside `config`.
        field: &'static str,
        /// Block number found.
        block: u64,
    },
    /// A fork is scheduled, but one before it is not.
    #[error("genesis: config.{later} is set, but config.{earlier} is not")]
    ForkMissing {
        /// Field of the fork that is absent.
        earlier: &'static str,
        /// Field of the later fork.
        later: &'static str,
    },
    /// A fork is scheduled before its predecessor.
    #[error(
        "genesis: config.{later} {later_time} is before config.{earlier} {earlier_time}: forks out of order"
    )]
    ForkOrder {
        /// Field of the predecessor.
        earlier: &'static str,
        /// Its time in seconds.
        earlier_time: u64,
        /// Field of the later fork.
        later: &'static str,
        /// Its time in seconds.
        later_time: u64,
    },
    /// An Ethereum fork that an OP Stack fork contains has another time.
    #[error(
        "genesis: config.{twin} {twin_time} contradicts config.{fork} {}",
        fork_time.map_or_else(|| "(not set)".to_owned(), |time| time.to_string())
    )]
    Twin {
        /// Field of the Ethereum fork.
        twin: &'static str,
        /// Its time in seconds.
        twin_time: u64,
        /// Field of the OP Stack fork.
        fork: &'static str,
        /// Its time in seconds.
        fork_time: Option<u64>,
    },
    /// A fork is scheduled that this version does not know.
    #[error("genesis: config.{field} schedules a fork that is not supported")]
    UnknownFork {
        /// The field inside `config`.
        field: String,
    },
    /// `extraData` does not follow the format of the fork active at genesis.
    #[error("genesis: {0}")]
    ExtraData(#[from] ExtraDataError),
    /// The same account or slot is given twice in different spellings.
    #[error("genesis: {field} is given twice")]
    Duplicate {
        /// The field.
        field: String,
    },
    /// Isthmus is active at genesis, and there is no L2ToL1MessagePasser to take the withdrawals
    /// root from.
    #[error("genesis: alloc has no L2ToL1MessagePasser ({0}), which Isthmus requires")]
    MessagePasserMissing(Address),
}
