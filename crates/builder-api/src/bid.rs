//! The bid for a block of ours.

use alloy_primitives::Address;
use blockwright_builder_codec::BidTrace;
use blockwright_types::SealedBlock;

/// The bid of `builder` for `block`, to `proposer`.
pub fn bid_of(block: &SealedBlock, builder: Address, proposer: Address) -> BidTrace {
    let header = &block.header;
    BidTrace {
        slot: header.number,
        parent_hash: header.parent_hash,
        block_hash: block.hash,
        builder_address: builder,
        proposer_address: proposer,
        proposer_fee_recipient: header.beneficiary,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        value: block.value,
    }
}
