//! Which fork a block is of, as far as its own fields tell.

use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_types::OpFork;

/// Bytes of `extraData` from Jovian on (EIP-1559 parameters and minimum base fee) and from Holocene on.
const JOVIAN_EXTRA_BYTES: usize = 17;
const HOLOCENE_EXTRA_BYTES: usize = 9;

/// The newest fork whose header has the shape of this index 0. Forks that share a shape share the
/// rules that a stream can be checked against.
pub(crate) fn fork_of(flashblock: &OpFlashblockPayload) -> OpFork {
    let Some(base) = &flashblock.base else {
        return OpFork::Jovian;
    };
    if base.extra_data.len() == JOVIAN_EXTRA_BYTES {
        OpFork::Jovian
    } else if !flashblock.diff.withdrawals_root.is_zero()
        && flashblock.diff.withdrawals_root != alloy_primitives::B256::ZERO
        && base.extra_data.len() == HOLOCENE_EXTRA_BYTES
        && flashblock.diff.withdrawals_root != EMPTY_ROOT
    {
        OpFork::Isthmus
    } else if base.extra_data.len() == HOLOCENE_EXTRA_BYTES {
        OpFork::Holocene
    } else if flashblock.diff.blob_gas_used.is_some() {
        OpFork::Ecotone
    } else {
        OpFork::Canyon
    }
}

/// Root of an empty list of withdrawals, which headers have from Canyon to before Isthmus.
const EMPTY_ROOT: alloy_primitives::B256 =
    alloy_primitives::b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
