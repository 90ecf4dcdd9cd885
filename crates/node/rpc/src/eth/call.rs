//! `eth_call` and `eth_estimateGas`.

use alloy_eips::BlockId;
use alloy_primitives::map::U256Map;
use alloy_primitives::{Bytes, TxKind, U256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_eth::state::{AccountOverride as RpcOverride, StateOverride};
use blockwright_exec::{
    AccountOverride, CallOutcome, CallRequest, CallStatus, Estimate, call, estimate_gas,
};

use crate::{EthApi, RpcError};

impl EthApi {
    /// `eth_call`: on the state after the block, in the block's own environment.
    pub(crate) fn call(
        &self,
        request: TransactionRequest,
        id: BlockId,
        overrides: Option<StateOverride>,
    ) -> Result<Bytes, RpcError> {
        let (block, state) = self.state_at(id)?;
        let message = self.message(request, overrides)?;
        let context = self.context_of(&block);
        let outcome = call(&context, state, &message, self.deps.limits.call_gas_max)?;
        output(outcome)
    }

    /// `eth_estimateGas`.
    pub(crate) fn estimate_gas(
        &self,
        request: TransactionRequest,
        id: BlockId,
        overrides: Option<StateOverride>,
    ) -> Result<U256, RpcError> {
        let (block, state) = self.state_at(id)?;
        let message = self.message(request, overrides)?;
        let context = self.context_of(&block);
        match estimate_gas(&context, state, &message, self.deps.limits.call_gas_max)? {
            Estimate::Gas(gas) => Ok(U256::from(gas)),
            Estimate::ExceedsAllowance { gas } => Err(RpcError::ExceedsAllowance(gas)),
            Estimate::Fails(outcome) => match output(outcome) {
                Err(error) => Err(error),
                Ok(_) => Err(RpcError::Internal(
                    "a failing estimate has a successful outcome".to_owned(),
                )),
            },
        }
    }

    fn message(
        &self,
        request: TransactionRequest,
        overrides: Option<StateOverride>,
    ) -> Result<CallRequest, RpcError> {
        if let Some(chain_id) = request.chain_id
            && chain_id != self.deps.chain.chain_id()
        {
            let want = self.deps.chain.chain_id();
            return Err(RpcError::invalid(
                "chainId",
                format!("does not match the chain's: have {chain_id}, want {want}"),
            ));
        }
        let (gas_price, priority_fee) = prices(&request)?;
        let data = request
            .input
            .try_into_unique_input()
            .map_err(|_| RpcError::invalid("input", "differs from data, set only one"))?;
        Ok(CallRequest {
            from: request.from.unwrap_or_default(),
            to: request.to.unwrap_or(TxKind::Create),
            gas: request.gas,
            gas_price,
            priority_fee,
            value: request.value.unwrap_or_default(),
            data: data.unwrap_or_default(),
            access_list: request.access_list.unwrap_or_default(),
            authorization_list: request.authorization_list.unwrap_or_default(),
            overrides: overrides
                .unwrap_or_default()
                .into_iter()
                .map(|(address, account)| Ok((address, account_override(account)?)))
                .collect::<Result<_, RpcError>>()?,
        })
    }
}

/// Price and tip of a message: either kind, not both.
fn prices(request: &TransactionRequest) -> Result<(Option<u128>, Option<u128>), RpcError> {
    match (
        request.gas_price,
        request.max_fee_per_gas,
        request.max_priority_fee_per_gas,
    ) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(RpcError::invalid(
            "gasPrice",
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        )),
        (Some(price), None, None) => Ok((Some(price), None)),
        (None, None, None) => Ok((None, None)),
        (None, fee, tip) => {
            let tip = tip.unwrap_or(0);
            // A tip alone asks for nothing above itself.
            let fee = fee.unwrap_or(tip);
            if tip > fee {
                return Err(RpcError::invalid(
                    "maxPriorityFeePerGas",
                    format!("max priority fee per gas higher than max fee per gas: {tip} > {fee}"),
                ));
            }
            Ok((Some(fee), Some(tip)))
        }
    }
}

fn account_override(account: RpcOverride) -> Result<AccountOverride, RpcError> {
    if account.move_precompile_to.is_some() {
        return Err(RpcError::invalid(
            "movePrecompileToAddress",
            "is not supported",
        ));
    }
    if account.state.is_some() && account.state_diff.is_some() {
        return Err(RpcError::invalid(
            "stateDiff",
            "an account has both state and stateDiff",
        ));
    }
    let slots = |slots: alloy_primitives::map::B256HashMap<_>| -> U256Map<U256> {
        slots
            .into_iter()
            .map(
                |(slot, value): (alloy_primitives::B256, alloy_primitives::B256)| {
                    (slot.into(), value.into())
                },
            )
            .collect()
    };
    Ok(AccountOverride {
        balance: account.balance,
        nonce: account.nonce,
        code: account.code,
        state: account.state.map(slots),
        state_diff: account.state_diff.map(slots).unwrap_or_default(),
    })
}

fn output(outcome: CallOutcome) -> Result<Bytes, RpcError> {
    match outcome.status {
        CallStatus::Success(output) => Ok(output),
        CallStatus::Revert(output) => Err(RpcError::Reverted(output)),
        CallStatus::Halt { reason, .. } => Err(RpcError::Halted(reason)),
    }
}
