//! `eth_sendRawTransaction` and `eth_sendRawTransactionConditional`.

use alloy_primitives::{Address, B256, Bytes, U64};
use serde::Deserialize;
use serde_json::Value;

use crate::{EthApi, RpcError};

/// The method that sends one with conditions on its inclusion.
pub(crate) const SEND_CONDITIONAL: &str = "eth_sendRawTransactionConditional";

/// When a transaction may be included (EIP-4337 bundlers; op-geth's form).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Condition {
    known_accounts: std::collections::BTreeMap<Address, Value>,
    block_number_min: Option<U64>,
    block_number_max: Option<U64>,
    timestamp_min: Option<U64>,
    timestamp_max: Option<U64>,
}

impl Condition {
    /// The first condition that is there.
    fn first(&self) -> Option<&'static str> {
        [
            ("knownAccounts", !self.known_accounts.is_empty()),
            ("blockNumberMin", self.block_number_min.is_some()),
            ("blockNumberMax", self.block_number_max.is_some()),
            ("timestampMin", self.timestamp_min.is_some()),
            ("timestampMax", self.timestamp_max.is_some()),
        ]
        .into_iter()
        .find_map(|(name, present)| present.then_some(name))
    }
}

impl EthApi {
    /// Decodes, checks and pools a signed transaction; the pool does the work on its own threads. Where
    /// there are others that get transactions, the intake sees to it.
    pub(crate) async fn send_raw_transaction(&self, encoded: Bytes) -> Result<B256, RpcError> {
        self.intake.send(encoded).await
    }

    /// The same for a transaction without conditions. One that has any is refused: the builder does
    /// not look at conditions when it includes, and would break them. Behind a sidecar the fallback,
    /// which gets the same call, keeps it.
    pub(crate) async fn send_conditional(
        &self,
        encoded: Bytes,
        condition: &Condition,
    ) -> Result<B256, RpcError> {
        match condition.first() {
            None => self.send_raw_transaction(encoded).await,
            Some(name) => Err(RpcError::ConditionNotSupported(name)),
        }
    }
}
