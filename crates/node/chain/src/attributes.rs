//! From a consensus client's payload attributes to a block's environment.

use alloy_consensus::Header;
use alloy_primitives::{B64, B256, Bytes};
use blockwright_types::{BlockContext, OpFork};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::header::GAS_LIMIT_MAX;
use crate::{BaseFeeError, ChainSpec, FeeParams, encode_extra_data};

/// Why attributes cannot make a block on a parent. The Engine API answers each with -38003.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    /// Time does not advance.
    #[error("timestamp {timestamp} is not after the parent's {parent}")]
    Timestamp {
        /// Timestamp of the attributes.
        timestamp: u64,
        /// Timestamp of the parent.
        parent: u64,
    },
    /// `gasLimit` is absent.
    #[error("gasLimit is required")]
    GasLimitMissing,
    /// `gasLimit` is over 2^63 - 1.
    #[error("gasLimit {0} exceeds 2^63 - 1")]
    GasLimitTooLarge(u64),
    /// `withdrawals` is absent from Canyon on.
    #[error("withdrawals are required under {0} (an empty list)")]
    WithdrawalsMissing(OpFork),
    /// `withdrawals` is present before Canyon.
    #[error("withdrawals are not allowed under {0}")]
    WithdrawalsUnexpected(OpFork),
    /// `withdrawals` is not empty.
    #[error("withdrawals must be empty, got {0}")]
    WithdrawalsNotEmpty(usize),
    /// `parentBeaconBlockRoot` is absent from Ecotone on.
    #[error("parentBeaconBlockRoot is required under {0}")]
    ParentBeaconBlockRootMissing(OpFork),
    /// `parentBeaconBlockRoot` is present before Ecotone.
    #[error("parentBeaconBlockRoot is not allowed under {0}")]
    ParentBeaconBlockRootUnexpected(OpFork),
    /// `eip1559Params` is absent from Holocene on.
    #[error("eip1559Params is required under {0}")]
    Eip1559ParamsMissing(OpFork),
    /// `eip1559Params` is present before Holocene.
    #[error("eip1559Params is not allowed under {0}")]
    Eip1559ParamsUnexpected(OpFork),
    /// Exactly one of the two encoded parameters is zero.
    #[error(
        "eip1559Params: denominator {denominator} and elasticity {elasticity} must both be zero or both be non-zero"
    )]
    Eip1559ParamsHalfZero {
        /// Encoded denominator.
        denominator: u32,
        /// Encoded elasticity.
        elasticity: u32,
    },
    /// `minBaseFee` is absent from Jovian on.
    #[error("minBaseFee is required under {0}")]
    MinBaseFeeMissing(OpFork),
    /// `minBaseFee` is present before Jovian.
    #[error("minBaseFee is not allowed under {0}")]
    MinBaseFeeUnexpected(OpFork),
    /// No base fee follows from the parent.
    #[error("base fee: {0}")]
    BaseFee(#[from] BaseFeeError),
    /// The parent has the last number.
    #[error("the parent's number is the largest there is")]
    NumberOverflow,
}

impl ChainSpec {
    /// The environment of the block that `attributes` ask for on `parent` (whose hash is
    /// `parent_hash`), or the attribute that breaks the rules of the fork at its timestamp.
    ///
    /// The attributes' transactions are not looked at. Gas-limit changes are not bounded.
    pub fn context_for_attributes(
        &self,
        parent: &Header,
        parent_hash: B256,
        attributes: &OpPayloadAttributes,
    ) -> Result<BlockContext, AttributesError> {
        let inner = &attributes.payload_attributes;
        let timestamp = inner.timestamp;
        if timestamp <= parent.timestamp {
            return Err(AttributesError::Timestamp {
                timestamp,
                parent: parent.timestamp,
            });
        }
        let fork = self.fork_at(timestamp);
        let gas_limit = attributes
            .gas_limit
            .ok_or(AttributesError::GasLimitMissing)?;
        if gas_limit > GAS_LIMIT_MAX {
            return Err(AttributesError::GasLimitTooLarge(gas_limit));
        }
        check_withdrawals(fork, inner.withdrawals.as_ref().map(Vec::len))?;
        check_beacon_root(fork, inner.parent_beacon_block_root)?;
        let extra_data = self.extra_data_for(fork, attributes)?;
        Ok(BlockContext {
            chain_id: self.chain_id,
            fork,
            activates: self.activation(parent.timestamp, timestamp),
            parent_hash,
            number: parent
                .number
                .checked_add(1)
                .ok_or(AttributesError::NumberOverflow)?,
            timestamp,
            fee_recipient: inner.suggested_fee_recipient,
            prev_randao: inner.prev_randao,
            gas_limit,
            base_fee: self.next_base_fee(parent, timestamp)?,
            extra_data,
            parent_beacon_block_root: inner.parent_beacon_block_root,
        })
    }

    /// The header's `extraData`. Zero parameters stand for the chain's constants from Canyon.
    fn extra_data_for(
        &self,
        fork: OpFork,
        attributes: &OpPayloadAttributes,
    ) -> Result<Bytes, AttributesError> {
        let min_base_fee = match (attributes.min_base_fee, fork >= OpFork::Jovian) {
            (Some(fee), true) => fee,
            (None, false) => 0,
            (None, true) => return Err(AttributesError::MinBaseFeeMissing(fork)),
            (Some(_), false) => return Err(AttributesError::MinBaseFeeUnexpected(fork)),
        };
        let encoded = match (attributes.eip_1559_params, fork >= OpFork::Holocene) {
            (Some(encoded), true) => encoded,
            (None, false) => return Ok(Bytes::new()),
            (None, true) => return Err(AttributesError::Eip1559ParamsMissing(fork)),
            (Some(_), false) => return Err(AttributesError::Eip1559ParamsUnexpected(fork)),
        };
        let (denominator, elasticity) = match split(encoded) {
            (0, 0) => (self.optimism.denominator_at(true), self.optimism.elasticity),
            (denominator, elasticity) if denominator == 0 || elasticity == 0 => {
                return Err(AttributesError::Eip1559ParamsHalfZero {
                    denominator,
                    elasticity,
                });
            }
            both => both,
        };
        Ok(encode_extra_data(
            fork,
            &FeeParams {
                denominator,
                elasticity,
                min_base_fee,
            },
        ))
    }
}

/// Denominator and elasticity of the eight-byte attribute.
const fn split(encoded: B64) -> (u32, u32) {
    let both = u64::from_be_bytes(encoded.0);
    ((both >> 32) as u32, both as u32)
}

const fn check_withdrawals(fork: OpFork, count: Option<usize>) -> Result<(), AttributesError> {
    match (count, fork as u8 >= OpFork::Canyon as u8) {
        (None, false) | (Some(0), true) => Ok(()),
        (None, true) => Err(AttributesError::WithdrawalsMissing(fork)),
        (Some(_), false) => Err(AttributesError::WithdrawalsUnexpected(fork)),
        (Some(count), true) => Err(AttributesError::WithdrawalsNotEmpty(count)),
    }
}

fn check_beacon_root(fork: OpFork, root: Option<B256>) -> Result<(), AttributesError> {
    match (root, fork >= OpFork::Ecotone) {
        (Some(_), true) | (None, false) => Ok(()),
        (None, true) => Err(AttributesError::ParentBeaconBlockRootMissing(fork)),
        (Some(_), false) => Err(AttributesError::ParentBeaconBlockRootUnexpected(fork)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
