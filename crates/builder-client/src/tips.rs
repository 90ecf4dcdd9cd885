//! What an executed block pays.

use alloy_consensus::Transaction;
use alloy_primitives::{Bytes, U256};
use blockwright_types::{TxDecodeError, decode_recovered};

use crate::{Lie, Offer};

/// The sum cannot be formed.
#[derive(Debug, thiserror::Error)]
pub enum TipsError {
    /// A transaction cannot be decoded.
    #[error("transaction {index}: {cause}")]
    Transaction {
        /// Its position.
        index: usize,
        /// Why.
        cause: TxDecodeError,
    },
    /// There is not one receipt for each transaction, or they do not count up.
    #[error("{receipts} receipts for {transactions} transactions, or their gas does not count up")]
    Receipts {
        /// Number of receipts.
        receipts: usize,
        /// Number of transactions.
        transactions: usize,
    },
}

/// Wei of priority fees that transactions paid at `base_fee` (wei). `cumulative_gas` is of their
/// receipts.
///
/// # Errors
/// [`TipsError`].
pub fn tips(
    transactions: &[Bytes],
    base_fee: u64,
    cumulative_gas: &[u64],
) -> Result<U256, TipsError> {
    let mismatch = || TipsError::Receipts {
        receipts: cumulative_gas.len(),
        transactions: transactions.len(),
    };
    if transactions.len() != cumulative_gas.len() {
        return Err(mismatch());
    }
    let (mut before, mut sum) = (0, U256::ZERO);
    for (index, (bytes, cumulative)) in transactions.iter().zip(cumulative_gas).enumerate() {
        let gas = cumulative.checked_sub(before).ok_or_else(mismatch)?;
        before = *cumulative;
        let tx = decode_recovered(bytes.clone())
            .map_err(|cause| TipsError::Transaction { index, cause })?;
        if !tx.is_deposit() {
            let tip = tx.envelope.effective_tip_per_gas(base_fee).unwrap_or(0);
            sum = sum.saturating_add(U256::from(gas) * U256::from(tip));
        }
    }
    Ok(sum)
}

impl Offer {
    /// Compares the bid's value with what the block paid when it was executed (see [`tips`]).
    ///
    /// # Errors
    /// [`Lie::Value`].
    pub fn check_value(&self, paid: U256) -> Result<(), Lie> {
        if self.bid.value == paid {
            return Ok(());
        }
        Err(Lie::Value {
            bid: self.bid.value.to_string(),
            paid: paid.to_string(),
        })
    }
}
