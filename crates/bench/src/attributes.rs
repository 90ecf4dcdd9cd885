//! Payload attributes as a consensus client derives them.

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{U256, hex, keccak256};
use blockwright_chain::dev::{default_l1_attributes, l1_info_deposit};
use blockwright_chain::{FeeParams, L1Attributes};
use blockwright_types::OpFork;
use bytes::Bytes;
use serde_json::json;

/// Where an OP chain's priority fees go: the SequencerFeeVault.
const FEE_VAULT: &str = "0x4200000000000000000000000000000000000011";

/// Seconds of an imaginary L1 block.
const L1_BLOCK_TIME_S: u64 = 12;

/// What stays the same from block to block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributesPlan {
    /// Fork in force.
    pub(crate) fork: OpFork,
    /// Block gas limit.
    pub(crate) gas_limit: u64,
    /// EIP-1559 parameters of every block.
    pub(crate) fee_params: FeeParams,
    /// Seconds between blocks, at least 1.
    pub(crate) block_time_s: u64,
    /// Timestamp of block 0 in seconds: the imaginary L1 begins with it.
    pub(crate) genesis_s: u64,
}

impl AttributesPlan {
    /// The attributes of the block at `timestamp_s` on a parent with `parent_number`, as JSON. Each
    /// `attempt` at the same block has attributes of its own.
    pub(crate) fn json(&self, parent_number: u64, timestamp_s: u64, attempt: u64) -> Bytes {
        let deposit = hex::encode_prefixed(self.l1_info(timestamp_s));
        let mut attributes = json!({
            "timestamp": format!("{timestamp_s:#x}"),
            "prevRandao": keccak256([parent_number, attempt].map(u64::to_be_bytes).as_flattened()),
            "suggestedFeeRecipient": FEE_VAULT,
            "transactions": [deposit],
            "gasLimit": format!("{:#x}", self.gas_limit),
        });
        if self.fork >= OpFork::Canyon {
            attributes["withdrawals"] = json!([]);
        }
        if self.fork >= OpFork::Ecotone {
            attributes["parentBeaconBlockRoot"] = json!(keccak256(timestamp_s.to_be_bytes()));
        }
        if self.fork >= OpFork::Holocene {
            let FeeParams {
                denominator,
                elasticity,
                ..
            } = self.fee_params;
            attributes["eip1559Params"] = json!(format!("0x{denominator:08x}{elasticity:08x}"));
        }
        if self.fork >= OpFork::Jovian {
            attributes["minBaseFee"] = json!(self.fee_params.min_base_fee);
        }
        attributes.to_string().into()
    }

    /// The deposit that opens every block, on an L1 block that changes every twelve seconds.
    fn l1_info(&self, timestamp_s: u64) -> Vec<u8> {
        let age_s = timestamp_s.saturating_sub(self.genesis_s);
        let number = age_s / L1_BLOCK_TIME_S;
        let sequence_number = (age_s % L1_BLOCK_TIME_S) / self.block_time_s.max(1);
        let attributes = L1Attributes {
            number,
            timestamp: self.genesis_s + number * L1_BLOCK_TIME_S,
            hash: keccak256(U256::from(number).to_be_bytes::<32>()),
            ..default_l1_attributes()
        };
        l1_info_deposit(self.fork, &attributes, sequence_number).encoded_2718()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn attributes(fork: OpFork) -> Value {
        let plan = AttributesPlan {
            fork,
            gas_limit: 60_000_000,
            fee_params: FeeParams {
                denominator: 250,
                elasticity: 6,
                min_base_fee: 0,
            },
            block_time_s: 2,
            genesis_s: 1_000,
        };
        serde_json::from_slice(&plan.json(6, 1_014, 0)).unwrap()
    }

    #[test]
    fn each_fork_has_its_fields() {
        let has = |fork, name: &str| attributes(fork).get(name).is_some();
        assert!(!has(OpFork::Regolith, "withdrawals"));
        assert!(has(OpFork::Canyon, "withdrawals"));
        assert!(!has(OpFork::Canyon, "parentBeaconBlockRoot"));
        assert!(has(OpFork::Ecotone, "parentBeaconBlockRoot"));
        assert!(!has(OpFork::Granite, "eip1559Params"));
        assert_eq!(
            attributes(OpFork::Holocene)["eip1559Params"],
            "0x000000fa00000006"
        );
        assert!(!has(OpFork::Isthmus, "minBaseFee"));
        assert_eq!(attributes(OpFork::Jovian)["minBaseFee"], 0);
    }

    #[test]
    fn the_first_transaction_is_the_l1_deposit() {
        let transactions = &attributes(OpFork::Isthmus)["transactions"];
        assert_eq!(transactions.as_array().unwrap().len(), 1);
        assert!(transactions[0].as_str().unwrap().starts_with("0x7e"));
    }
}
