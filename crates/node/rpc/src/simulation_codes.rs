//! Error codes of `eth_simulateV1`, as execution-apis and geth number them.

use blockwright_exec::{InvalidMessage, OverrideError, SimulationError};

use crate::error::{INTERNAL, INVALID_PARAMS, SERVER};

const NONCE_TOO_LOW: i32 = -38_010;
const NONCE_TOO_HIGH: i32 = -38_011;
const INTRINSIC_GAS: i32 = -38_013;
const INSUFFICIENT_FUNDS: i32 = -38_014;
const BLOCK_GAS_LIMIT: i32 = -38_015;
const BLOCK_NUMBER: i32 = -38_020;
const BLOCK_TIMESTAMP: i32 = -38_021;
const MOVED_ONTO_ITSELF: i32 = -38_022;
const MOVED_TWICE: i32 = -38_023;
const INIT_CODE_SIZE: i32 = -38_025;
const LIMIT_EXCEEDED: i32 = -38_026;

/// The code of a simulation that has no result.
pub(crate) const fn simulation_code(error: &SimulationError) -> i32 {
    match error {
        SimulationError::BlockNumber { .. } => BLOCK_NUMBER,
        SimulationError::BlockTimestamp { .. } => BLOCK_TIMESTAMP,
        SimulationError::TooManyBlocks
        | SimulationError::TooManyCalls { .. }
        | SimulationError::ResultTooLarge { .. } => LIMIT_EXCEEDED,
        SimulationError::Override(error) => override_code(*error),
        SimulationError::InvalidCall { reason, .. } => message_code(reason),
        SimulationError::BaseFee { .. } => INVALID_PARAMS,
        SimulationError::Roots { .. } | SimulationError::Execution(_) => INTERNAL,
    }
}

/// The code of overrides that contradict each other.
pub(crate) const fn override_code(error: OverrideError) -> i32 {
    match error {
        OverrideError::MovedOntoItself(_) => MOVED_ONTO_ITSELF,
        OverrideError::MovedTwice { .. } => MOVED_TWICE,
        OverrideError::NotPrecompile(_) | OverrideError::MovedOntoOverridden { .. } => SERVER,
    }
}

const fn message_code(reason: &InvalidMessage) -> i32 {
    match reason {
        InvalidMessage::NonceTooLow { .. } => NONCE_TOO_LOW,
        InvalidMessage::NonceTooHigh { .. } => NONCE_TOO_HIGH,
        InvalidMessage::IntrinsicGas { .. } | InvalidMessage::FloorGas { .. } => INTRINSIC_GAS,
        InvalidMessage::InsufficientFunds { .. } => INSUFFICIENT_FUNDS,
        InvalidMessage::BlockGasLimit { .. } => BLOCK_GAS_LIMIT,
        InvalidMessage::InitCodeSize { .. } => INIT_CODE_SIZE,
        InvalidMessage::FeeCapBelowBaseFee { .. }
        | InvalidMessage::TipAboveFeeCap { .. }
        | InvalidMessage::AuthorizationsInCreation => INVALID_PARAMS,
        InvalidMessage::Other(_) | InvalidMessage::Fault(_) => INTERNAL,
    }
}
