//! Deposits of a fork's activation block.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use blockwright_types::OpFork;
use op_alloy_consensus::{TxDeposit, UpgradeDepositSource};
use serde::Deserialize;

use crate::DataError;
use crate::data::KARST_UPGRADE;

/// A network upgrade transaction bundle of the optimism repository.
#[derive(Deserialize)]
struct Bundle {
    transactions: Vec<UpgradeTransaction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpgradeTransaction {
    intent: String,
    from: Address,
    to: Option<Address>,
    data: Bytes,
    #[serde(deserialize_with = "decimal")]
    gas_limit: u64,
}

/// Gas limits are decimal strings or numbers.
fn decimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// The upgrade transactions that the block activating `fork` must hold after the L1 attributes
/// deposit and the user deposits, in order.
///
/// Known for Karst alone; other forks give an empty list here. A consensus client supplies them as
/// attributes: they serve tests and tools, building and importing take them as given.
pub fn upgrade_deposits(fork: OpFork) -> Result<Vec<TxDeposit>, DataError> {
    if fork != OpFork::Karst {
        return Ok(Vec::new());
    }
    let bundle: Bundle = KARST_UPGRADE.json()?;
    let deposits = bundle.transactions.into_iter().enumerate();
    Ok(deposits
        .map(|(index, transaction)| transaction.into_deposit("Karst", index))
        .collect())
}

/// Gas that the activation block of `fork` has above the chain's gas limit for its upgrade
/// transactions.
pub fn upgrade_gas(fork: OpFork) -> Result<u64, DataError> {
    let deposits = upgrade_deposits(fork)?;
    Ok(deposits.iter().map(|deposit| deposit.gas_limit).sum())
}

impl UpgradeTransaction {
    /// The source hash is made of fork, position and intent.
    fn into_deposit(self, fork: &str, index: usize) -> TxDeposit {
        let intent = format!("{fork} {index}: {}", self.intent);
        TxDeposit {
            source_hash: UpgradeDepositSource::new(intent).source_hash(),
            from: self.from,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            mint: 0,
            value: U256::ZERO,
            gas_limit: self.gas_limit,
            is_system_transaction: false,
            input: self.data,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
