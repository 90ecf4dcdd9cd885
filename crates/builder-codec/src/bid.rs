//! What a builder says of the block it offers.

use alloy_primitives::{Address, B256, U256};
use alloy_rlp::RlpEncodable;
use serde::{Deserialize, Serialize};

/// The bid that comes with a payload. RLP is the list of its fields in this order, JSON an object with
/// integers as hex quantities.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BidTrace {
    /// Number of the block.
    #[serde(with = "alloy_serde::quantity")]
    pub slot: u64,
    /// Its parent.
    pub parent_hash: B256,
    /// Its hash.
    pub block_hash: B256,
    /// Whose signature the bid has.
    pub builder_address: Address,
    /// Who asked for it; zero where anybody may.
    pub proposer_address: Address,
    /// Who receives the priority fees.
    pub proposer_fee_recipient: Address,
    /// The block's gas limit.
    #[serde(with = "alloy_serde::quantity")]
    pub gas_limit: u64,
    /// Gas the block uses.
    #[serde(with = "alloy_serde::quantity")]
    pub gas_used: u64,
    /// Sum of the transactions' effective tips, in wei.
    pub value: U256,
}
