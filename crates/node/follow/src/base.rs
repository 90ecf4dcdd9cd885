//! The environment of a block of which only the base is known.

use alloy_consensus::Header;
use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use blockwright_chain::ChainSpec;
use blockwright_flashblocks::OpFlashblockPayloadBase;
use blockwright_types::{BlockContext, OpFork};
use blockwright_verify::{Accumulator, BlockRules};

use crate::Refutation;

/// A gas limit above this many times the parent's is not executed unasked: a deposit can use all of
/// it, and whoever sends a stream may invent deposits.
const GAS_LIMIT_TIMES_MAX: u64 = 2;

/// The environment, checked against the parent by the same rules as an imported header.
pub(crate) fn context(
    chain: &ChainSpec,
    parent: &Header,
    base: &OpFlashblockPayloadBase,
) -> Result<BlockContext, Refutation> {
    if base.gas_limit > parent.gas_limit.saturating_mul(GAS_LIMIT_TIMES_MAX) {
        return Err(Refutation::GasLimit {
            parent: parent.gas_limit,
            got: base.gas_limit,
            times: GAS_LIMIT_TIMES_MAX,
        });
    }
    let fork = chain.fork_at(base.timestamp);
    let opened = Accumulator::open(BlockRules::new(fork), base)?;
    // What a block without transactions has in the fields that execution fills.
    let header = Header {
        withdrawals_root: (fork >= OpFork::Canyon).then_some(EMPTY_WITHDRAWALS),
        blob_gas_used: (fork >= OpFork::Ecotone).then_some(0),
        ..opened.header().clone()
    };
    Ok(chain.context_for_header(parent, &header)?)
}
