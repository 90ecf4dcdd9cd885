//! Errors as they go over the wire.

use std::net::IpAddr;

use alloy_eips::BlockId;
use std::time::Duration;

use alloy_primitives::{B256, Bytes, hex};
use blockwright_exec::{ExecError, OverrideError, SimulationError};
use blockwright_forward::SequencerError;
use blockwright_pool::PoolError;
use blockwright_types::{Severity, SkipReason};
use jsonrpsee::types::ErrorObjectOwned;

use crate::simulation_codes::{override_code, simulation_code};

pub(crate) const INVALID_PARAMS: i32 = -32_602;
pub(crate) const INTERNAL: i32 = -32_603;
pub(crate) const SERVER: i32 = -32_000;
/// A transaction is refused for a reason outside of it; op-geth's answer to a condition that does not hold.
const TRANSACTION_REJECTED: i32 = -32_003;
const LIMIT_EXCEEDED: i32 = -32_005;
const REVERTED: i32 = 3;
/// EIP-7966: not included in time, not ready, and a gap before the nonce.
const NOT_INCLUDED: i32 = 4;
const NOT_READY: i32 = 5;
const NONCE_GAP: i32 = 6;

/// Selector of `Error(string)`.
const ERROR_STRING: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];

/// Why a method has no answer. Codes and first words are those that wallets know from geth.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// A parameter is missing or malformed.
    #[error("invalid params: {field}: {cause}")]
    InvalidParams {
        /// Name of the parameter.
        field: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The block is not known.
    #[error("header not found: block {0} is unknown")]
    UnknownBlock(BlockId),
    /// The block is known, its state no longer held.
    #[error("state of block {number} is not available: only recent states are held")]
    StateNotHeld {
        /// The block's number.
        number: u64,
    },
    /// The call reverted.
    #[error("{}", revert_message(.0))]
    Reverted(Bytes),
    /// The call failed with an exceptional halt.
    #[error("execution failed: {0}")]
    Halted(String),
    /// The call fails with all the gas it may have.
    #[error("gas required exceeds allowance ({0})")]
    ExceedsAllowance(u64),
    /// The call cannot be executed at all.
    #[error("{}", call_text(.0))]
    InvalidCall(SkipReason),
    /// The overrides of a call contradict each other.
    #[error(transparent)]
    InvalidOverride(OverrideError),
    /// A simulation has no result.
    #[error(transparent)]
    Simulation(SimulationError),
    /// The pool refused the transaction.
    #[error(transparent)]
    Rejected(#[from] PoolError),
    /// The sequencer did not take the transaction.
    #[error(transparent)]
    Sequencer(#[from] SequencerError),
    /// Transactions are taken from listed addresses alone, and this is another.
    #[error("transaction rejected: {} is not among the sources this node takes transactions from", source_text(.0))]
    SourceNotListed(Option<IpAddr>),
    /// The transaction is pooled and was in no block by the end of the wait.
    #[error("the transaction was added to the pool but not included within {} ms", .timeout.as_millis())]
    NotIncluded {
        /// Its hash.
        hash: B256,
        /// How long was waited.
        timeout: Duration,
    },
    /// The transaction was pooled and is no more, and it is in no block.
    #[error("the transaction left the pool without being included: it was replaced or dropped")]
    LeftPool(B256),
    /// The transaction is pooled and waits for earlier ones of its sender.
    #[error(
        "nonce gap: expected nonce {expected}, tx nonce {nonce}; the transaction waits in the pool"
    )]
    NonceGap {
        /// The next nonce that could run.
        expected: u64,
        /// The transaction's.
        nonce: u64,
    },
    /// The transaction asks for a condition that is not looked at.
    #[error("transaction rejected: this builder does not hold {0} when it includes transactions")]
    ConditionNotSupported(&'static str),
    /// The request asks for more than the server gives.
    #[error("{0}")]
    LimitExceeded(String),
    /// All workers were busy for too long.
    #[error("server is busy, try again")]
    Busy,
    /// A fault of the node.
    #[error("internal error: {0}")]
    Internal(String),
}

impl RpcError {
    /// A malformed parameter.
    pub(crate) fn invalid(field: &'static str, cause: impl Into<String>) -> Self {
        Self::InvalidParams {
            field,
            cause: cause.into(),
        }
    }

    /// What to do about it. None of these harms the node.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Busy
            | Self::StateNotHeld { .. }
            | Self::UnknownBlock(_)
            | Self::NotIncluded { .. }
            | Self::NonceGap { .. }
            | Self::Rejected(PoolError::IntakeFull { .. }) => Severity::Retry,
            Self::Sequencer(error) => error.severity(),
            Self::InvalidParams { .. }
            | Self::Reverted(_)
            | Self::Halted(_)
            | Self::ExceedsAllowance(_)
            | Self::InvalidCall(_)
            | Self::InvalidOverride(_)
            | Self::Simulation(_)
            | Self::Rejected(_)
            | Self::SourceNotListed(_)
            | Self::LeftPool(_)
            | Self::ConditionNotSupported(_)
            | Self::LimitExceeded(_)
            | Self::Internal(_) => Severity::AbandonJob,
        }
    }

    fn code(&self) -> i32 {
        match self {
            Self::InvalidParams { .. } => INVALID_PARAMS,
            Self::Reverted(_) => REVERTED,
            Self::InvalidOverride(error) => override_code(*error),
            Self::Simulation(error) => simulation_code(error),
            Self::LimitExceeded(_)
            | Self::Busy
            | Self::Rejected(PoolError::IntakeFull { .. })
            | Self::Sequencer(SequencerError::Busy { .. }) => LIMIT_EXCEEDED,
            Self::Sequencer(SequencerError::Refused(refusal)) => refusal.code(),
            Self::ConditionNotSupported(_) | Self::SourceNotListed(_) => TRANSACTION_REJECTED,
            Self::NotIncluded { .. } => NOT_INCLUDED,
            Self::LeftPool(_) => NOT_READY,
            Self::NonceGap { .. } => NONCE_GAP,
            Self::Internal(_) => INTERNAL,
            Self::UnknownBlock(_)
            | Self::StateNotHeld { .. }
            | Self::Halted(_)
            | Self::ExceedsAllowance(_)
            | Self::InvalidCall(_)
            | Self::Sequencer(_)
            | Self::Rejected(_) => SERVER,
        }
    }
}

impl From<ExecError> for RpcError {
    fn from(error: ExecError) -> Self {
        match error {
            ExecError::InvalidCall(reason) => Self::InvalidCall(reason),
            ExecError::Override(error) => Self::InvalidOverride(error),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let data = match error {
            // Its own words, code and data.
            RpcError::Sequencer(SequencerError::Refused(refusal)) => return refusal,
            RpcError::Reverted(ref output) => Some(hex::encode_prefixed(output)),
            // For programs; the message is for people.
            RpcError::SourceNotListed(_) => Some("source_not_listed".to_owned()),
            RpcError::NotIncluded { hash, .. } | RpcError::LeftPool(hash) => Some(hash.to_string()),
            RpcError::NonceGap { expected, .. } => Some(format!("0x{expected:x}")),
            _ => None,
        };
        if let RpcError::Internal(cause) = &error {
            tracing::error!(%cause, "a JSON-RPC method failed");
        }
        if let RpcError::Simulation(
            cause @ (SimulationError::Execution(_) | SimulationError::Roots { .. }),
        ) = &error
        {
            tracing::error!(%cause, "a simulation failed");
        }
        Self::owned(error.code(), error.to_string(), data)
    }
}

fn source_text(source: &Option<IpAddr>) -> String {
    source.map_or_else(|| "the sender".to_owned(), |addr| addr.to_string())
}

/// What a revert is called: with the text of `Error(string)`, where the revert data is one.
pub(crate) fn revert_message(output: &Bytes) -> String {
    match revert_text(output) {
        Some(text) => format!("execution reverted: {text}"),
        None => "execution reverted".to_owned(),
    }
}

fn revert_text(output: &[u8]) -> Option<String> {
    let words = output.strip_prefix(&ERROR_STRING)?;
    let length_word = words.get(32..64)?;
    let (high, low) = length_word.split_at(24);
    if high.iter().any(|byte| *byte != 0) {
        return None;
    }
    let length = usize::try_from(u64::from_be_bytes(low.try_into().ok()?)).ok()?;
    let text = words.get(64..64usize.checked_add(length)?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn call_text(reason: &SkipReason) -> String {
    match reason {
        SkipReason::InsufficientFunds => "insufficient funds for gas * price + value".to_owned(),
        SkipReason::FeeCapBelowBaseFee => "max fee per gas less than block base fee".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revert_reasons_are_read_and_garbage_is_not() {
        let mut output = ERROR_STRING.to_vec();
        output.extend_from_slice(&[0; 31]);
        output.push(32);
        output.extend_from_slice(&[0; 31]);
        output.push(4);
        output.extend_from_slice(b"nope");
        output.extend_from_slice(&[0; 28]);
        assert_eq!(revert_text(&output).as_deref(), Some("nope"));
        assert_eq!(revert_text(&output[..70]), None);
        output[4 + 32] = 0xff;
        assert_eq!(revert_text(&output), None);
        assert_eq!(revert_text(&[]), None);
    }
}
