//! Which fork a block is of, as far as its own fields tell.

use alloy_primitives::{B256, b256};
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
    let diff = &flashblock.diff;
    let is_list = diff.withdrawals_root.is_zero() || diff.withdrawals_root == EMPTY_ROOT;
    match base.extra_data.len() {
        JOVIAN_EXTRA_BYTES => OpFork::Jovian,
        HOLOCENE_EXTRA_BYTES if is_list => OpFork::Holocene,
        HOLOCENE_EXTRA_BYTES => OpFork::Isthmus,
        // Dialect `spec` does not say the one, `base` of earlier forks not the other.
        _ if diff.blob_gas_used.is_some() || !base.parent_beacon_block_root.is_zero() => {
            OpFork::Ecotone
        }
        _ => OpFork::Canyon,
    }
}

/// Root of an empty list of withdrawals, which headers have from Canyon to before Isthmus.
const EMPTY_ROOT: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
