//! Why a simulation has no result.

use alloy_primitives::{Address, U256};
use op_revm::OpTransactionError;
use revm::context_interface::result::InvalidTransaction;

use super::SIMULATED_BLOCKS_MAX;
use crate::call::CallRequest;
use crate::error::{Cause, ExecError};
use crate::overrides::OverrideError;

/// Why a simulation has no result.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// Numbers do not increase.
    #[error("block numbers must be in order: {number} <= {previous}")]
    BlockNumber {
        /// The number asked for.
        number: u64,
        /// That of the block before.
        previous: u64,
    },
    /// Timestamps do not increase.
    #[error("block timestamps must be in order: {timestamp} <= {previous}")]
    BlockTimestamp {
        /// The time asked for, in seconds since the Unix epoch.
        timestamp: u64,
        /// That of the block before.
        previous: u64,
    },
    /// The last block is too far above the base.
    #[error("too many blocks: at most {SIMULATED_BLOCKS_MAX} above the base, gaps included")]
    TooManyBlocks,
    /// There are too many calls.
    #[error("too many calls: {calls} > {max}")]
    TooManyCalls {
        /// Calls asked for.
        calls: usize,
        /// Calls allowed.
        max: usize,
    },
    /// The calls return and log too much.
    #[error("the calls return and log more than {max_bytes} bytes")]
    ResultTooLarge {
        /// Bytes allowed.
        max_bytes: usize,
    },
    /// The overrides of a block contradict each other.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// A call cannot be executed at all.
    #[error("call {index}: {reason}")]
    InvalidCall {
        /// Its place in its block.
        index: usize,
        /// The rule it breaks.
        reason: InvalidMessage,
    },
    /// The base fee does not follow from the block before.
    #[error("block {number}: baseFeePerGas must be given: {cause}")]
    BaseFee {
        /// The block.
        number: u64,
        /// What the rule says.
        cause: Cause,
    },
    /// The roots could not be computed.
    #[error("block {number}: no state root: {cause}")]
    Roots {
        /// The block.
        number: u64,
        /// What went wrong.
        cause: Cause,
    },
    /// A system call failed, or the state could not be read.
    #[error(transparent)]
    Execution(ExecError),
}

/// Why a message cannot be executed.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMessage {
    /// Its nonce is already used.
    #[error("nonce too low: address {from}, tx: {nonce} state: {state}")]
    NonceTooLow {
        /// Sender.
        from: Address,
        /// The message's nonce.
        nonce: u64,
        /// The account's nonce.
        state: u64,
    },
    /// Earlier nonces are missing.
    #[error("nonce too high: address {from}, tx: {nonce} state: {state}")]
    NonceTooHigh {
        /// Sender.
        from: Address,
        /// The message's nonce.
        nonce: u64,
        /// The account's nonce.
        state: u64,
    },
    /// The sender cannot pay for gas and value.
    #[error(
        "insufficient funds for gas * price + value: address {from} have {balance} want {cost}"
    )]
    InsufficientFunds {
        /// Sender.
        from: Address,
        /// What it has, in wei.
        balance: U256,
        /// What it needs, in wei.
        cost: U256,
    },
    /// The fee cap is below the block's base fee.
    #[error(
        "max fee per gas less than block base fee: address {from}, maxFeePerGas: {fee_cap}, baseFee: {base_fee}"
    )]
    FeeCapBelowBaseFee {
        /// Sender.
        from: Address,
        /// Its fee cap in wei.
        fee_cap: u128,
        /// The base fee in wei.
        base_fee: u64,
    },
    /// The tip is above the fee cap.
    #[error("max priority fee per gas higher than max fee per gas: address {from}")]
    TipAboveFeeCap {
        /// Sender.
        from: Address,
    },
    /// The gas limit does not cover the message itself.
    #[error("intrinsic gas too low: have {gas}, want {intrinsic}")]
    IntrinsicGas {
        /// Gas limit.
        gas: u64,
        /// Gas that any execution of it takes.
        intrinsic: u64,
    },
    /// The gas limit does not cover the floor price of the data (EIP-7623).
    #[error("insufficient gas for floor data gas cost: have {gas}, want {floor}")]
    FloorGas {
        /// Gas limit.
        gas: u64,
        /// Floor price of the data.
        floor: u64,
    },
    /// Init code is too large (EIP-3860).
    #[error("max initcode size exceeded: {size_bytes} bytes")]
    InitCodeSize {
        /// Its size.
        size_bytes: usize,
    },
    /// The block has not that much gas left.
    #[error("block gas limit reached: remaining: {remaining}, required: {asked}")]
    BlockGasLimit {
        /// Gas left in the block.
        remaining: u64,
        /// The message's gas limit.
        asked: u64,
    },
    /// Authorizations need somebody to be called.
    #[error("EIP-7702 authorizations cannot stand in a contract creation")]
    AuthorizationsInCreation,
    /// Another rule of the fork.
    #[error("{0}")]
    Other(String),
    /// The state could not be read, or the EVM failed.
    #[error("execution failed: {0}")]
    Fault(Cause),
}

impl InvalidMessage {
    /// The error of the simulation, for the call at `index` of its block.
    pub(super) fn at(self, index: usize) -> SimulationError {
        match self {
            Self::Fault(cause) => SimulationError::Execution(ExecError::Fault(cause)),
            reason => SimulationError::InvalidCall { index, reason },
        }
    }
}

/// What the EVM refused, with what the message says.
pub(super) fn invalid_message(
    error: OpTransactionError,
    call: &CallRequest,
    gas: u64,
    base_fee: u64,
) -> InvalidMessage {
    let OpTransactionError::Base(error) = error else {
        return InvalidMessage::Other(error.to_string());
    };
    let from = call.from;
    match error {
        InvalidTransaction::NonceTooLow { tx: nonce, state } => {
            InvalidMessage::NonceTooLow { from, nonce, state }
        }
        InvalidTransaction::NonceTooHigh { tx: nonce, state } => {
            InvalidMessage::NonceTooHigh { from, nonce, state }
        }
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            InvalidMessage::InsufficientFunds {
                from,
                balance: *balance,
                cost: *fee,
            }
        }
        InvalidTransaction::GasPriceLessThanBasefee => InvalidMessage::FeeCapBelowBaseFee {
            from,
            fee_cap: call.gas_price.unwrap_or_default(),
            base_fee,
        },
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => InvalidMessage::TipAboveFeeCap { from },
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, .. } => {
            InvalidMessage::IntrinsicGas {
                gas,
                intrinsic: initial_gas,
            }
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, .. } => {
            InvalidMessage::FloorGas {
                gas,
                floor: gas_floor,
            }
        }
        InvalidTransaction::CreateInitCodeSizeLimit => InvalidMessage::InitCodeSize {
            size_bytes: call.data.len(),
        },
        other => InvalidMessage::Other(other.to_string()),
    }
}
