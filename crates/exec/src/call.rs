//! `eth_call`: a message on top of a state, of which nothing stays.

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, Bytes, Log, TxKind, U256};
use blockwright_types::BlockContext;
use op_revm::transaction::deposit::DepositTransactionParts;
use op_revm::{L1BlockInfo, OpHaltReason, OpTransaction};
use revm::context::TxEnv;
use revm::context_interface::either::Either;
use revm::context_interface::result::ExecutionResult;
use revm::database_interface::DatabaseRef;

use crate::env::cfg_env;
use crate::error::{ExecError, TxFailure};
use crate::halt::halt_text;
use crate::layer::Layer;
use crate::machine::{Machine, Ran, Run};
use crate::overrides::{AccountOverride, apply_overrides};

/// A message to execute. `Default` is a call of the zero address with nothing.
#[derive(Clone, Debug, Default)]
pub struct CallRequest {
    /// Sender.
    pub from: Address,
    /// Callee, or creation.
    pub to: TxKind,
    /// Gas limit; the cap where `None`.
    pub gas: Option<u64>,
    /// `gasPrice` or `maxFeePerGas` in wei. `None` and zero mean that gas is free and the base fee
    /// reads as zero; otherwise the base fee is enforced and the sender must be able to pay.
    pub gas_price: Option<u128>,
    /// `maxPriorityFeePerGas` in wei.
    pub priority_fee: Option<u128>,
    /// Value in wei; the sender must hold it.
    pub value: U256,
    /// Calldata or init code.
    pub data: Bytes,
    /// EIP-2930 access list.
    pub access_list: AccessList,
    /// EIP-7702 authorizations.
    pub authorization_list: Vec<SignedAuthorization>,
    /// State that is different for this message. In a simulation the block's overrides hold, and
    /// these are not looked at.
    pub overrides: AddressMap<AccountOverride>,
    /// What `BLOBBASEFEE` answers, in wei; 1, as on any rollup, where `None`.
    pub blob_base_fee: Option<u128>,
    /// The sender's nonce; the account's where `None`. Looked at only in a simulation.
    pub nonce: Option<u64>,
}

impl CallRequest {
    /// Whether it offers nothing for gas.
    pub(crate) fn is_free(&self) -> bool {
        self.gas_price.unwrap_or(0) == 0 && self.priority_fee.unwrap_or(0) == 0
    }
}

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// It returned this (the deployed code for a creation).
    Success(Bytes),
    /// It reverted with this data.
    Revert(Bytes),
    /// It failed otherwise, all gas spent.
    Halt {
        /// What happened.
        reason: String,
        /// Whether more gas might have helped.
        out_of_gas: bool,
    },
}

/// What a message did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// How it ended.
    pub status: CallStatus,
    /// Gas used, refunds subtracted.
    pub gas_used: u64,
    /// Logs, where it succeeded.
    pub logs: Vec<Log>,
}

/// Executes `request` in the block that `context` describes, on the state `reader` gives, with at
/// most `gas_cap` gas. No L1 data fee and no operator fee is charged.
///
/// # Errors
/// [`ExecError::InvalidCall`] where the message cannot be executed at all (funds, base fee,
/// intrinsic gas), [`ExecError::Fault`] where the state could not be read.
pub fn call<R: DatabaseRef>(
    context: &BlockContext,
    reader: R,
    request: &CallRequest,
    gas_cap: u64,
) -> Result<CallOutcome, ExecError> {
    let mut caller = Caller::new(context, reader, request)?;
    let gas = request.gas.unwrap_or(gas_cap).min(gas_cap);
    let ran = caller.run(gas).map_err(call_error)?;
    Ok(outcome(ran.result))
}

/// Errors of a message rather than of a block.
pub(crate) fn call_error(failure: TxFailure) -> ExecError {
    match failure {
        TxFailure::Rejected(reason) => ExecError::InvalidCall(reason),
        TxFailure::Fault(cause) => ExecError::Fault(cause),
    }
}

pub(crate) fn outcome(result: ExecutionResult<OpHaltReason>) -> CallOutcome {
    let gas_used = result.tx_gas_used();
    match result {
        ExecutionResult::Success { output, logs, .. } => CallOutcome {
            status: CallStatus::Success(output.into_data()),
            gas_used,
            logs,
        },
        ExecutionResult::Revert { output, .. } => CallOutcome {
            status: CallStatus::Revert(output),
            gas_used,
            logs: Vec::new(),
        },
        ExecutionResult::Halt { reason, .. } => CallOutcome {
            status: CallStatus::Halt {
                out_of_gas: is_out_of_gas(&reason),
                reason: halt_text(reason),
            },
            gas_used,
            logs: Vec::new(),
        },
    }
}

const fn is_out_of_gas(reason: &OpHaltReason) -> bool {
    use revm::context_interface::result::HaltReason;
    matches!(reason, OpHaltReason::Base(HaltReason::OutOfGas(_)))
}

/// A message that can be executed again and again with different gas limits.
pub(crate) struct Caller<'a, R: DatabaseRef> {
    machine: Machine<Layer<R>>,
    request: &'a CallRequest,
}

impl<'a, R: DatabaseRef> Caller<'a, R> {
    pub(crate) fn new(
        context: &BlockContext,
        reader: R,
        request: &'a CallRequest,
    ) -> Result<Self, ExecError> {
        let free = request.is_free();
        let mut cfg = cfg_env(context);
        cfg.disable_nonce_check = true;
        cfg.disable_eip3607 = true;
        cfg.disable_block_gas_limit = true;
        cfg.disable_base_fee = free;
        cfg.tx_chain_id_check = false;
        // The cap on transactions (EIP-7825) does not bind messages.
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        let mut machine = Machine::with_cfg(context, cfg, Layer::new(reader));
        apply_overrides(&mut machine, &request.overrides)?;
        if free {
            machine.block_mut().basefee = 0;
        }
        if let Some(price) = request.blob_base_fee {
            machine.set_blob_base_fee(price);
        }
        *machine.l1_mut() = no_rollup_fees(context);
        Ok(Self { machine, request })
    }

    pub(crate) fn layer(&mut self) -> &mut Layer<R> {
        self.machine.db_mut()
    }

    /// Executes the message with this gas limit.
    pub(crate) fn run(&mut self, gas: u64) -> Result<Ran, TxFailure> {
        let ran = self.machine.run(Run::Transaction {
            env: message_env(self.request, gas),
            da_millionths: None,
        })?;
        Ok(ran)
    }
}

/// Parameters of this block under which op-revm charges neither L1 data nor operator fee.
pub(crate) fn no_rollup_fees(context: &BlockContext) -> L1BlockInfo {
    L1BlockInfo {
        l2_block: Some(U256::from(context.number)),
        operator_fee_scalar: Some(U256::ZERO),
        operator_fee_constant: Some(U256::ZERO),
        da_footprint_gas_scalar: Some(0),
        ..L1BlockInfo::default()
    }
}

/// The environment of a message with this gas limit.
pub(crate) fn message_env(request: &CallRequest, gas: u64) -> OpTransaction<TxEnv> {
    let tx_type = if !request.authorization_list.is_empty() {
        4
    } else if request.priority_fee.is_some() {
        2
    } else if !request.access_list.0.is_empty() {
        1
    } else {
        0
    };
    let base = TxEnv {
        tx_type,
        caller: request.from,
        gas_limit: gas,
        gas_price: request.gas_price.unwrap_or(0),
        kind: request.to,
        value: request.value,
        data: request.data.clone(),
        nonce: request.nonce.unwrap_or(0),
        chain_id: None,
        access_list: request.access_list.clone(),
        // A price is meant to be paid in full, also where the type knows no price.
        gas_priority_fee: request
            .priority_fee
            .or(request.gas_price.filter(|_| tx_type == 4)),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: request
            .authorization_list
            .iter()
            .cloned()
            .map(Either::Left)
            .collect(),
    };
    OpTransaction {
        base,
        // No data is posted to L1, so none is paid for.
        enveloped_tx: Some(Bytes::new()),
        deposit: DepositTransactionParts::default(),
    }
}
