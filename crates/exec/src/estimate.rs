//! `eth_estimateGas`: the least gas limit with which a message succeeds.

use alloy_primitives::{TxKind, U256};
use blockwright_types::{BlockContext, OpFork, SkipReason};
use revm::database_interface::{Database, DatabaseRef};

use crate::call::{CallOutcome, CallRequest, Caller, call_error, outcome};
use crate::error::{ExecError, TxFailure};

/// Gas of a plain transfer.
const TRANSFER_GAS: u64 = 21_000;
/// What a call with value hands to the callee on top (EIP-150).
const CALL_STIPEND: u64 = 2_300;
/// Cap on a transaction's gas limit from Karst (EIP-7825).
const KARST_TX_GAS_LIMIT_MAX: u64 = 1 << 24;

/// Answer of [`estimate_gas`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// The message succeeds with this gas limit.
    Gas(u64),
    /// It fails with any gas limit; this is how.
    Fails(CallOutcome),
    /// It runs out of gas even with all the gas it may have.
    ExceedsAllowance {
        /// That much.
        gas: u64,
    },
}

/// Finds the least gas limit, to within 1.5 %, with which `request` succeeds.
///
/// The upper bound is the least of the request's own gas, the block gas limit, `gas_cap`, what the
/// sender can pay for at the given price, and from Karst the cap on transactions. The L1 data fee is
/// no gas and not part of the answer.
///
/// # Errors
/// As [`crate::call`].
pub fn estimate_gas<R: DatabaseRef>(
    context: &BlockContext,
    reader: R,
    request: &CallRequest,
    gas_cap: u64,
) -> Result<Estimate, ExecError> {
    let mut caller = Caller::new(context, reader, request)?;
    let mut high = upper_bound(context, &mut caller, request)?.min(gas_cap);
    if is_plain_transfer(&mut caller, request)?
        && high >= TRANSFER_GAS
        && let Ok(ran) = caller.run(TRANSFER_GAS)
        && ran.result.is_success()
    {
        return Ok(Estimate::Gas(TRANSFER_GAS));
    }
    let first = match caller.run(high) {
        Ok(ran) => ran,
        Err(TxFailure::Rejected(SkipReason::Invalid(_))) if high < gas_cap => {
            return Ok(Estimate::ExceedsAllowance { gas: high });
        }
        Err(failure) => return Err(call_error(failure)),
    };
    if !first.result.is_success() {
        let outcome = outcome(first.result);
        return Ok(match outcome.status {
            crate::call::CallStatus::Halt {
                out_of_gas: true, ..
            } => Estimate::ExceedsAllowance { gas: high },
            _ => Estimate::Fails(outcome),
        });
    }
    let used = first.result.tx_gas_used();
    let refund = first.result.gas().final_refunded();
    let mut low = used.saturating_sub(1);
    // Most messages succeed with what they used before refunds plus the 64th that every call keeps
    // back; one try there spares most of the search.
    let likely = (used + refund + CALL_STIPEND) / 63 * 64 + 64;
    if likely < high {
        if succeeds(&mut caller, likely)? {
            high = likely;
        } else {
            low = likely;
        }
    }
    search(&mut caller, low, high)
}

fn search<R: DatabaseRef>(
    caller: &mut Caller<'_, R>,
    mut low: u64,
    mut high: u64,
) -> Result<Estimate, ExecError> {
    while low + 1 < high && (high - low) > high / 66 {
        // The answer is usually near the lower bound: never look further than twice it.
        let middle = (low + (high - low) / 2).min(low.saturating_mul(2).max(low + 1));
        if succeeds(caller, middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Estimate::Gas(high))
}

/// Too little gas to start with is a failure like any other here.
fn succeeds<R: DatabaseRef>(caller: &mut Caller<'_, R>, gas: u64) -> Result<bool, ExecError> {
    match caller.run(gas) {
        Ok(ran) => Ok(ran.result.is_success()),
        Err(TxFailure::Rejected(SkipReason::Invalid(_))) => Ok(false),
        Err(failure) => Err(call_error(failure)),
    }
}

fn upper_bound<R: DatabaseRef>(
    context: &BlockContext,
    caller: &mut Caller<'_, R>,
    request: &CallRequest,
) -> Result<u64, ExecError> {
    let mut bound = match request.gas {
        Some(gas) if gas >= TRANSFER_GAS => gas,
        _ => context.gas_limit,
    };
    if context.fork >= OpFork::Karst {
        bound = bound.min(KARST_TX_GAS_LIMIT_MAX);
    }
    let price = request.gas_price.unwrap_or(0);
    if price > 0 {
        let account = caller.layer().basic(request.from);
        let account = account.map_err(|error| ExecError::Fault(Box::new(error)))?;
        let balance = account.map_or(U256::ZERO, |info| info.balance);
        let Some(available) = balance.checked_sub(request.value) else {
            return Err(ExecError::InvalidCall(SkipReason::InsufficientFunds));
        };
        let affordable = available / U256::from(price);
        bound = bound.min(u64::try_from(affordable).unwrap_or(u64::MAX));
    }
    Ok(bound)
}

fn is_plain_transfer<R: DatabaseRef>(
    caller: &mut Caller<'_, R>,
    request: &CallRequest,
) -> Result<bool, ExecError> {
    let TxKind::Call(to) = request.to else {
        return Ok(false);
    };
    if !request.data.is_empty()
        || !request.access_list.0.is_empty()
        || !request.authorization_list.is_empty()
    {
        return Ok(false);
    }
    let account = caller.layer().basic(to);
    let account = account.map_err(|error| ExecError::Fault(Box::new(error)))?;
    Ok(account.is_none_or(|info| info.is_empty_code_hash()))
}
