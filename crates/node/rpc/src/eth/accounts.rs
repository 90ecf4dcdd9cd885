//! Accounts in the state after a block.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256};

use crate::overlay::is_pending;
use crate::{EthApi, RpcError};

impl EthApi {
    /// `eth_getBalance`.
    pub(crate) fn balance(&self, address: Address, id: BlockId) -> Result<U256, RpcError> {
        let (_, state) = self.state_at(id)?;
        Ok(state
            .account(&address)
            .map_or(U256::ZERO, |account| account.balance))
    }

    /// `eth_getCode`.
    pub(crate) fn code(&self, address: Address, id: BlockId) -> Result<Bytes, RpcError> {
        let (_, state) = self.state_at(id)?;
        let Some(account) = state.account(&address) else {
            return Ok(Bytes::new());
        };
        state
            .code(&account.code_hash)
            .ok_or_else(|| RpcError::Internal(format!("code {} is missing", account.code_hash)))
    }

    /// `eth_getStorageAt`.
    pub(crate) fn storage_at(
        &self,
        address: Address,
        slot: U256,
        id: BlockId,
    ) -> Result<B256, RpcError> {
        let (_, state) = self.state_at(id)?;
        Ok(B256::from(state.storage(&address, &slot)))
    }

    /// `eth_getTransactionCount`. With `pending`, pooled transactions that could run count.
    pub(crate) fn nonce(&self, address: Address, id: BlockId) -> Result<u64, RpcError> {
        let (_, state) = self.state_at(id)?;
        let nonce = state.account(&address).map_or(0, |account| account.nonce);
        if !is_pending(id) {
            return Ok(nonce);
        }
        // The pool knows no head only while the node starts.
        Ok(self
            .deps
            .pool
            .next_nonce(address)
            .map_or(nonce, |next| next.max(nonce)))
    }
}
