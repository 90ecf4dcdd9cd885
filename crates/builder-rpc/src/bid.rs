//! What is told of a block that is being built to whoever follows: never its transactions.

use std::time::Instant;

use alloy_primitives::{Address, B256, U64, U256};
use blockwright_types::PayloadId;
use serde::Serialize;

/// A block as it is after a flashblock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bid {
    /// Payload.
    pub payload_id: PayloadId,
    /// The last flashblock in it.
    pub flashblock_index: U64,
    /// Number of the block.
    pub slot: U64,
    /// Its parent.
    pub parent_hash: B256,
    /// Its hash; absent where the flashblock has no roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<B256>,
    /// Who receives the priority fees.
    pub proposer_fee_recipient: Address,
    /// The block's gas limit.
    pub gas_limit: U64,
    /// Gas used so far.
    pub gas_used: U64,
    /// Sum of the transactions' effective tips so far, in wei.
    pub value: U256,
    /// When it was seen.
    #[serde(skip)]
    pub seen_at: Instant,
}

impl Bid {
    /// Whether somebody who was told of `last` is told of this one: it is for another payload, or worth more.
    pub(crate) fn improves_on(&self, last: Option<&Self>) -> bool {
        last.is_none_or(|last| self.payload_id != last.payload_id || self.value > last.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bid(payload: u8, value: u64) -> Bid {
        Bid {
            payload_id: PayloadId::new([payload; 8]),
            flashblock_index: U64::ZERO,
            slot: U64::from(7),
            parent_hash: B256::ZERO,
            block_hash: None,
            proposer_fee_recipient: Address::ZERO,
            gas_limit: U64::ZERO,
            gas_used: U64::ZERO,
            value: U256::from(value),
            seen_at: Instant::now(),
        }
    }

    #[test]
    fn a_bid_is_told_where_it_is_worth_more_or_begins_a_block() {
        assert!(bid(1, 0).improves_on(None));
        assert!(!bid(1, 5).improves_on(Some(&bid(1, 5))));
        assert!(!bid(1, 4).improves_on(Some(&bid(1, 5))));
        assert!(bid(1, 6).improves_on(Some(&bid(1, 5))));
        assert!(bid(2, 0).improves_on(Some(&bid(1, 5))));
    }
}
