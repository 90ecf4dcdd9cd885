//! The L1 attributes deposit that opens every block of a development chain.

use alloy_primitives::{TxKind, U256};
use blockwright_types::{L1_BLOCK, OpFork};
use op_alloy_consensus::{L1InfoDepositSource, TxDeposit};

use super::dev_accounts;
use crate::{
    DEFAULT_DA_FOOTPRINT_GAS_SCALAR, L1_ATTRIBUTES_DEPOSITOR, L1Attributes, L1AttributesFormat,
};

/// Gas of the deposit before Regolith, where system transactions are not counted.
const SYSTEM_GAS: u64 = 150_000_000;
/// Gas of the deposit from Regolith.
const REGOLITH_GAS: u64 = 1_000_000;

/// L1 attributes of an L1 that never changes, with fee scalars like those of OP chains: an L1 base
/// fee of 1 gwei, blobs at 1 wei, no operator fee. Number and timestamp are left for the caller.
pub fn default_l1_attributes() -> L1Attributes {
    let [_, _, batcher, ..] = dev_accounts();
    L1Attributes {
        base_fee: U256::from(1_000_000_000_u64),
        batcher_hash: batcher.into_word(),
        l1_fee_overhead: U256::from(188),
        l1_fee_scalar: U256::from(684_000),
        blob_base_fee: U256::ONE,
        base_fee_scalar: 1_368,
        blob_base_fee_scalar: 810_949,
        da_footprint_gas_scalar: DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
        ..L1Attributes::default()
    }
}

/// The first transaction of a block under `fork`, the `sequence_number`-th (from 0) on the L1 block
/// that `attributes` describe; `attributes.sequence_number` is not used.
///
/// The calldata has the fork's own format, so the activation block of a fork needs its
/// predecessor here. A DA footprint gas scalar of 0 is written as the default, 400.
pub fn l1_info_deposit(fork: OpFork, attributes: &L1Attributes, sequence_number: u64) -> TxDeposit {
    let mut attributes = L1Attributes {
        sequence_number,
        ..*attributes
    };
    if attributes.da_footprint_gas_scalar == 0 {
        attributes.da_footprint_gas_scalar = DEFAULT_DA_FOOTPRINT_GAS_SCALAR;
    }
    let regolith = fork >= OpFork::Regolith;
    TxDeposit {
        source_hash: L1InfoDepositSource::new(attributes.hash, sequence_number).source_hash(),
        from: L1_ATTRIBUTES_DEPOSITOR,
        to: TxKind::Call(L1_BLOCK),
        mint: 0,
        value: U256::ZERO,
        gas_limit: if regolith { REGOLITH_GAS } else { SYSTEM_GAS },
        is_system_transaction: !regolith,
        input: attributes.encode(L1AttributesFormat::of_fork(fork)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
