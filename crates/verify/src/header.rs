//! The header that flashblocks state, under the rules of every fork.

use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B64, B256, U256};
use blockwright_chain::decode_extra_data;
use blockwright_flashblocks::{OpFlashblockPayloadBase, OpFlashblockPayloadDelta};
use blockwright_types::OpFork;

use crate::BlockError;

/// Checks what `base` alone decides, and returns the header without anything cumulative.
pub(crate) fn open(fork: OpFork, base: &OpFlashblockPayloadBase) -> Result<Header, BlockError> {
    let base_fee = u64::try_from(base.base_fee_per_gas)
        .map_err(|_| BlockError::BaseFee(base.base_fee_per_gas))?;
    decode_extra_data(fork, &base.extra_data)?;
    let ecotone = fork >= OpFork::Ecotone;
    if !ecotone && !base.parent_beacon_block_root.is_zero() {
        return Err(BlockError::BeaconRoot {
            fork,
            got: base.parent_beacon_block_root,
        });
    }
    Ok(Header {
        parent_hash: base.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: base.fee_recipient,
        difficulty: U256::ZERO,
        number: base.block_number,
        gas_limit: base.gas_limit,
        timestamp: base.timestamp,
        extra_data: base.extra_data.clone(),
        mix_hash: base.prev_randao,
        nonce: B64::ZERO,
        base_fee_per_gas: Some(base_fee),
        excess_blob_gas: ecotone.then_some(0),
        parent_beacon_block_root: ecotone.then_some(base.parent_beacon_block_root),
        requests_hash: (fork >= OpFork::Isthmus).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    })
}

/// Puts the cumulative fields of `diff` into the header.
pub(crate) fn update(
    header: &mut Header,
    diff: &OpFlashblockPayloadDelta,
    transactions_root: B256,
    fork: OpFork,
) {
    header.state_root = diff.state_root;
    header.transactions_root = transactions_root;
    header.receipts_root = diff.receipts_root;
    header.logs_bloom = diff.logs_bloom;
    header.gas_used = diff.gas_used;
    header.withdrawals_root = if fork >= OpFork::Isthmus {
        Some(diff.withdrawals_root)
    } else {
        (fork >= OpFork::Canyon).then_some(EMPTY_WITHDRAWALS)
    };
}

/// Before Isthmus the withdrawals root is a constant; a flashblock without roots may leave it zero.
pub(crate) fn check_withdrawals(
    fork: OpFork,
    diff: &OpFlashblockPayloadDelta,
) -> Result<(), BlockError> {
    if !diff.withdrawals.is_empty() {
        return Err(BlockError::Withdrawals(diff.withdrawals.len()));
    }
    let expected = if fork >= OpFork::Isthmus {
        return Ok(());
    } else if fork >= OpFork::Canyon {
        EMPTY_WITHDRAWALS
    } else {
        B256::ZERO
    };
    let stated = diff.withdrawals_root;
    let left_out = diff.state_root.is_zero() && stated.is_zero();
    if stated == expected || left_out {
        return Ok(());
    }
    Err(BlockError::WithdrawalsRoot {
        fork,
        stated,
        expected,
    })
}

/// `blobGasUsed` of the header. `footprint` is the recomputed DA footprint, where it is known;
/// `stated` is what the flashblock has, or `None` in a dialect that has no such field.
pub(crate) fn blob_gas_used(
    fork: OpFork,
    stated: Option<u64>,
    footprint: Option<u64>,
    has_field: bool,
) -> Result<Option<u64>, BlockError> {
    let expected = if fork >= OpFork::Jovian {
        // What the block does not show is taken as stated.
        footprint.or(stated).or(Some(0))
    } else {
        (fork >= OpFork::Ecotone).then_some(0)
    };
    if has_field && stated != expected {
        return Err(BlockError::BlobGasUsed {
            fork,
            stated,
            expected,
        });
    }
    Ok(expected)
}
