//! `eth_call` and `eth_estimateGas`.

use alloy_eips::BlockId;
use alloy_primitives::{Bytes, TxKind, U256};
use alloy_rpc_types_eth::TransactionRequest;
use blockwright_exec::{CallOutcome, CallRequest, CallStatus, Estimate, call, estimate_gas};
use blockwright_types::BlockContext;

use crate::overlay::Shown;
use crate::{EthApi, RpcError};

use super::overrides::{Overrides, block_overrides, state_overrides};

impl EthApi {
    /// `eth_call`: on the state after the block, in the block's own environment.
    pub(crate) fn call(
        &self,
        request: TransactionRequest,
        id: BlockId,
        overrides: Overrides,
    ) -> Result<Bytes, RpcError> {
        let (block, state) = self.state_at(id)?;
        let (context, message) = self.in_block(&block, request, overrides)?;
        let outcome = call(&context, state, &message, self.deps.limits.call_gas_max)?;
        output(outcome)
    }

    /// `eth_estimateGas`.
    pub(crate) fn estimate_gas(
        &self,
        request: TransactionRequest,
        id: BlockId,
        overrides: Overrides,
    ) -> Result<U256, RpcError> {
        let (block, state) = self.state_at(id)?;
        let (context, message) = self.in_block(&block, request, overrides)?;
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

    /// A message and the environment of the block, both with what is overridden.
    fn in_block(
        &self,
        block: &Shown,
        request: TransactionRequest,
        overrides: Overrides,
    ) -> Result<(BlockContext, CallRequest), RpcError> {
        let mut context = self.context_of(block);
        let mut message = self.message(request)?;
        message.overrides = state_overrides(overrides.state.unwrap_or_default())?;
        let changed = block_overrides(&overrides.block.unwrap_or_default())?;
        if changed.parent_beacon_block_root.is_some() {
            return Err(RpcError::invalid(
                "blockOverrides",
                "beaconRoot is not supported here",
            ));
        }
        message.blob_base_fee = changed.blob_base_fee;
        context.number = changed.number.unwrap_or(context.number);
        context.gas_limit = changed.gas_limit.unwrap_or(context.gas_limit);
        context.fee_recipient = changed.fee_recipient.unwrap_or(context.fee_recipient);
        context.prev_randao = changed.prev_randao.unwrap_or(context.prev_randao);
        context.base_fee = changed.base_fee.unwrap_or(context.base_fee);
        if let Some(timestamp) = changed.timestamp {
            context.timestamp = timestamp;
            context.fork = self.deps.chain.fork_at(timestamp);
        }
        Ok((context, message))
    }

    /// A message without overrides.
    pub(crate) fn message(&self, request: TransactionRequest) -> Result<CallRequest, RpcError> {
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
            nonce: request.nonce,
            ..CallRequest::default()
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

fn output(outcome: CallOutcome) -> Result<Bytes, RpcError> {
    match outcome.status {
        CallStatus::Success(output) => Ok(output),
        CallStatus::Revert(output) => Err(RpcError::Reverted(output)),
        CallStatus::Halt { reason, .. } => Err(RpcError::Halted(reason)),
    }
}
