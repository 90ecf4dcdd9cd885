//! An offer beside the proposer's own block.

use core::fmt::Display;

use blockwright_payload::ExecutionPayload;

use crate::{Lie, Offer};

/// First byte of a deposit (EIP-2718), which attributes alone bring.
const DEPOSIT: u8 = 0x7e;

impl Offer {
    /// Compares with a block that was built from the same attributes: what those settle must be equal.
    /// The transactions that the local block begins with and that only attributes can bring must begin
    /// this one, too.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_against(&self, local: &ExecutionPayload) -> Result<(), Lie> {
        let offered = &self.payload;
        same("parentHash", &offered.parent_hash, &local.parent_hash)?;
        same("blockNumber", &offered.block_number, &local.block_number)?;
        same("timestamp", &offered.timestamp, &local.timestamp)?;
        same("prevRandao", &offered.prev_randao, &local.prev_randao)?;
        same("feeRecipient", &offered.fee_recipient, &local.fee_recipient)?;
        same("gasLimit", &offered.gas_limit, &local.gas_limit)?;
        same(
            "baseFeePerGas",
            &offered.base_fee_per_gas,
            &local.base_fee_per_gas,
        )?;
        same("extraData", &offered.extra_data, &local.extra_data)?;
        let forced = local
            .transactions
            .iter()
            .take_while(|tx| tx.first() == Some(&DEPOSIT));
        for (index, tx) in forced.enumerate() {
            if offered.transactions.get(index) != Some(tx) {
                return Err(Lie::Forced { index });
            }
        }
        Ok(())
    }
}

fn same<T: PartialEq + Display>(field: &'static str, found: &T, wanted: &T) -> Result<(), Lie> {
    if found == wanted {
        return Ok(());
    }
    Err(Lie::Payload {
        field,
        found: found.to_string(),
        wanted: wanted.to_string(),
    })
}
