//! Overrides of state and environment, as they come over the wire.

use alloy_primitives::map::{AddressMap, B256HashMap, U256Map};
use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::BlockOverrides as RpcBlockOverrides;
use alloy_rpc_types_eth::state::{AccountOverride as RpcAccountOverride, StateOverride};
use blockwright_exec::{AccountOverride, BlockOverrides};

use crate::RpcError;

const BLOCK: &str = "blockOverrides";

/// What is different for one message.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    /// Accounts.
    pub(crate) state: Option<StateOverride>,
    /// The block it runs in.
    pub(crate) block: Option<RpcBlockOverrides>,
}

/// Translates accounts.
pub(crate) fn state_overrides(
    accounts: StateOverride,
) -> Result<AddressMap<AccountOverride>, RpcError> {
    accounts
        .into_iter()
        .map(|(address, account)| Ok((address, account_override(account)?)))
        .collect()
}

fn account_override(account: RpcAccountOverride) -> Result<AccountOverride, RpcError> {
    if account.state.is_some() && account.state_diff.is_some() {
        return Err(RpcError::invalid(
            "stateDiff",
            "an account has both state and stateDiff",
        ));
    }
    Ok(AccountOverride {
        balance: account.balance,
        nonce: account.nonce,
        code: account.code,
        state: account.state.map(slots),
        state_diff: account.state_diff.map(slots).unwrap_or_default(),
        move_precompile_to: account.move_precompile_to,
    })
}

fn slots(slots: B256HashMap<B256>) -> U256Map<U256> {
    slots
        .into_iter()
        .map(|(slot, value)| (slot.into(), value.into()))
        .collect()
}

/// Translates a block's fields. `difficulty` has meant nothing since the Merge and is passed over.
pub(crate) fn block_overrides(block: &RpcBlockOverrides) -> Result<BlockOverrides, RpcError> {
    if block.block_hash.is_some() {
        return Err(RpcError::invalid(BLOCK, "blockHash is not supported"));
    }
    Ok(BlockOverrides {
        number: narrow(block.number, "number")?,
        timestamp: block.time,
        gas_limit: block.gas_limit,
        fee_recipient: block.coinbase,
        prev_randao: block.random,
        base_fee: narrow(block.base_fee, "baseFeePerGas")?,
        blob_base_fee: narrow(block.blob_base_fee, "blobBaseFee")?,
        parent_beacon_block_root: block.beacon_root,
    })
}

fn narrow<T: TryFrom<U256>>(value: Option<U256>, field: &str) -> Result<Option<T>, RpcError> {
    value
        .map(T::try_from)
        .transpose()
        .map_err(|_| RpcError::invalid(BLOCK, format!("{field} is out of range")))
}
