//! From a [`BlockContext`] to the environment of revm.

use blockwright_types::{BlockContext, OpFork};
use op_revm::OpSpecId;
use revm::context::{BlockEnv, CfgEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;

use alloy_primitives::U256;

/// The specification id op-revm uses for a fork.
pub const fn spec_id(fork: OpFork) -> OpSpecId {
    match fork {
        OpFork::Bedrock => OpSpecId::BEDROCK,
        OpFork::Regolith => OpSpecId::REGOLITH,
        OpFork::Canyon => OpSpecId::CANYON,
        OpFork::Ecotone => OpSpecId::ECOTONE,
        OpFork::Fjord => OpSpecId::FJORD,
        OpFork::Granite => OpSpecId::GRANITE,
        OpFork::Holocene => OpSpecId::HOLOCENE,
        OpFork::Isthmus => OpSpecId::ISTHMUS,
        OpFork::Jovian => OpSpecId::JOVIAN,
        OpFork::Karst => OpSpecId::KARST,
    }
}

/// The rules of the block.
pub(crate) fn cfg_env(context: &BlockContext) -> CfgEnv<OpSpecId> {
    CfgEnv::new_with_spec(spec_id(context.fork)).with_chain_id(context.chain_id)
}

/// The block's own values.
pub(crate) fn block_env(context: &BlockContext) -> BlockEnv {
    BlockEnv {
        number: U256::from(context.number),
        beneficiary: context.fee_recipient,
        timestamp: U256::from(context.timestamp),
        gas_limit: context.gas_limit,
        basefee: context.base_fee,
        difficulty: U256::ZERO,
        prevrandao: Some(context.prev_randao),
        // Rollups carry no blobs: the excess stays zero and the price stays at its minimum of 1 wei,
        // also where Jovian reuses `blobGasUsed`.
        blob_excess_gas_and_price: (context.fork >= OpFork::Ecotone).then_some(
            BlobExcessGasAndPrice {
                excess_blob_gas: 0,
                blob_gasprice: 1,
            },
        ),
        slot_num: 0,
    }
}
