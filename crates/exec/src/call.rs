//! `eth_call`: a message on top of a state, of which nothing stays.

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::map::{AddressMap, U256Map};
use alloy_primitives::{Address, Bytes, Log, TxKind, U256};
use blockwright_types::BlockContext;
use op_revm::transaction::deposit::DepositTransactionParts;
use op_revm::{L1BlockInfo, OpHaltReason, OpTransaction};
use revm::context::TxEnv;
use revm::context_interface::either::Either;
use revm::context_interface::result::ExecutionResult;
use revm::database_interface::{Database, DatabaseRef};
use revm::state::Bytecode;

use crate::env::cfg_env;
use crate::error::{ExecError, TxFailure};
use crate::layer::Layer;
use crate::machine::{Machine, Ran, Run};

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
    /// State that is different for this message.
    pub overrides: AddressMap<AccountOverride>,
}

/// An account that is different for one message.
#[derive(Clone, Debug, Default)]
pub struct AccountOverride {
    /// Balance in wei.
    pub balance: Option<U256>,
    /// Nonce.
    pub nonce: Option<u64>,
    /// Code.
    pub code: Option<Bytes>,
    /// The whole storage (`state`): slots not named are zero.
    pub state: Option<U256Map<U256>>,
    /// Single slots (`stateDiff`).
    pub state_diff: U256Map<U256>,
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
    Ok(outcome(ran))
}

/// Errors of a message rather than of a block.
pub(crate) fn call_error(failure: TxFailure) -> ExecError {
    match failure {
        TxFailure::Rejected(reason) => ExecError::InvalidCall(reason),
        TxFailure::Fault(cause) => ExecError::Fault(cause),
    }
}

pub(crate) fn outcome(ran: Ran) -> CallOutcome {
    let gas_used = ran.result.tx_gas_used();
    match ran.result {
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
                reason: match reason {
                    OpHaltReason::Base(reason) => format!("{reason:?}"),
                    OpHaltReason::FailedDeposit => "failed deposit".to_owned(),
                },
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
        let free = request.gas_price.unwrap_or(0) == 0 && request.priority_fee.unwrap_or(0) == 0;
        let mut cfg = cfg_env(context);
        cfg.disable_nonce_check = true;
        cfg.disable_eip3607 = true;
        cfg.disable_block_gas_limit = true;
        cfg.disable_base_fee = free;
        cfg.tx_chain_id_check = false;
        // The cap on transactions (EIP-7825) does not bind messages.
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        let mut layer = Layer::new(reader);
        for (address, account) in &request.overrides {
            override_account(&mut layer, *address, account)
                .map_err(|error| ExecError::Fault(Box::new(error)))?;
        }
        let mut machine = Machine::with_cfg(context, cfg, layer);
        if free {
            machine.block_mut().basefee = 0;
        }
        *machine.l1_mut() = no_rollup_fees(context);
        Ok(Self { machine, request })
    }

    pub(crate) fn layer(&mut self) -> &mut Layer<R> {
        self.machine.db_mut()
    }

    /// Executes the message with this gas limit.
    pub(crate) fn run(&mut self, gas: u64) -> Result<Ran, TxFailure> {
        self.machine.run(Run::Transaction {
            env: env(self.request, gas),
            da_millionths: None,
        })
    }
}

/// Parameters of this block under which op-revm charges neither L1 data nor operator fee.
fn no_rollup_fees(context: &BlockContext) -> L1BlockInfo {
    L1BlockInfo {
        l2_block: Some(U256::from(context.number)),
        operator_fee_scalar: Some(U256::ZERO),
        operator_fee_constant: Some(U256::ZERO),
        da_footprint_gas_scalar: Some(0),
        ..L1BlockInfo::default()
    }
}

fn env(request: &CallRequest, gas: u64) -> OpTransaction<TxEnv> {
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
        nonce: 0,
        chain_id: None,
        access_list: request.access_list.clone(),
        gas_priority_fee: request.priority_fee,
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

fn override_account<R: DatabaseRef>(
    layer: &mut Layer<R>,
    address: Address,
    account: &AccountOverride,
) -> Result<(), R::Error> {
    let mut info = layer.basic(address)?.unwrap_or_default();
    if let Some(balance) = account.balance {
        info.balance = balance;
    }
    if let Some(nonce) = account.nonce {
        info.nonce = nonce;
    }
    if let Some(code) = &account.code {
        let code = Bytecode::new_raw(code.clone());
        info.code_hash = code.hash_slow();
        info.code = Some(code);
    }
    layer.set_account(address, info)?;
    if let Some(state) = &account.state {
        layer.clear_storage(address)?;
        for (slot, value) in state {
            layer.set_storage(address, *slot, *value)?;
        }
    }
    for (slot, value) in &account.state_diff {
        layer.set_storage(address, *slot, *value)?;
    }
    Ok(())
}
