//! The base fee of a block from its parent (EIP-1559 with the OP Stack's parameters).

use alloy_consensus::Header;
use blockwright_types::OpFork;

use crate::{ChainSpec, ExtraDataError, decode_extra_data};

/// Why no base fee follows from a parent header. Headers that passed validation never cause one,
/// except where a gas limit is below the elasticity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseFeeError {
    /// The parent has no base fee.
    #[error("the parent has no baseFeePerGas")]
    ParentBaseFeeMissing,
    /// The parent's `extraData` holds no valid parameters.
    #[error("the parent's parameters are invalid: {0}")]
    ParentExtraData(#[from] ExtraDataError),
    /// A Jovian parent without the DA footprint in `blobGasUsed`.
    #[error("the Jovian parent has no blobGasUsed")]
    ParentBlobGasUsedMissing,
    /// The parent's gas limit divided by the elasticity is zero, but gas was used.
    #[error("the parent's gas target is zero (gas limit {gas_limit}, elasticity {elasticity})")]
    ZeroGasTarget {
        /// The parent's gas limit.
        gas_limit: u64,
        /// Elasticity in force.
        elasticity: u32,
    },
    /// The base fee leaves 64 bits.
    #[error("the base fee exceeds 64 bits")]
    Overflow,
}

/// What the EIP-1559 update takes from the parent.
struct Update {
    base_fee: u64,
    gas_metered: u64,
    gas_target: u64,
    denominator: u32,
}

impl ChainSpec {
    /// The base fee in wei of a block with `timestamp` (seconds) on `parent`.
    ///
    /// Before Holocene the chain's constants hold (Canyon's denominator by the *new* block's
    /// timestamp). From Holocene the parent's `extraData` gives them; from Jovian the parent's DA
    /// footprint counts where it exceeds its gas used, and its minimum base fee is a floor.
    pub fn next_base_fee(&self, parent: &Header, timestamp: u64) -> Result<u64, BaseFeeError> {
        let base_fee = parent
            .base_fee_per_gas
            .ok_or(BaseFeeError::ParentBaseFeeMissing)?;
        let parent_fork = self.fork_at(parent.timestamp);
        let params = if parent_fork >= OpFork::Holocene {
            decode_extra_data(parent_fork, &parent.extra_data)?
        } else {
            None
        };
        let (denominator, elasticity, floor) = match params {
            Some(params) => (params.denominator, params.elasticity, params.min_base_fee),
            None => {
                let canyon = self.forks.is_active(OpFork::Canyon, timestamp);
                let constants = self.optimism;
                (constants.denominator_at(canyon), constants.elasticity, 0)
            }
        };
        let next = Update {
            base_fee,
            gas_metered: gas_metered(parent_fork, parent)?,
            gas_target: parent.gas_limit / u64::from(elasticity),
            denominator,
        }
        .apply()
        .map_err(|failure| failure.at(parent.gas_limit, elasticity))?;
        Ok(next.max(floor))
    }
}

/// Gas the update counts: from Jovian at least the DA footprint (jovian/exec-engine).
fn gas_metered(fork: OpFork, parent: &Header) -> Result<u64, BaseFeeError> {
    if fork < OpFork::Jovian {
        return Ok(parent.gas_used);
    }
    let footprint = parent
        .blob_gas_used
        .ok_or(BaseFeeError::ParentBlobGasUsedMissing)?;
    Ok(parent.gas_used.max(footprint))
}

enum UpdateFailure {
    ZeroTarget,
    Overflow,
}

impl UpdateFailure {
    const fn at(self, gas_limit: u64, elasticity: u32) -> BaseFeeError {
        match self {
            Self::ZeroTarget => BaseFeeError::ZeroGasTarget {
                gas_limit,
                elasticity,
            },
            Self::Overflow => BaseFeeError::Overflow,
        }
    }
}

impl Update {
    fn apply(&self) -> Result<u64, UpdateFailure> {
        if self.gas_metered == self.gas_target {
            return Ok(self.base_fee);
        }
        if self.gas_target == 0 {
            return Err(UpdateFailure::ZeroTarget);
        }
        let distance = self.gas_metered.abs_diff(self.gas_target);
        // A product of two 64-bit numbers fits 128 bits.
        let delta = u128::from(self.base_fee) * u128::from(distance)
            / u128::from(self.gas_target)
            / u128::from(self.denominator);
        let next = if self.gas_metered > self.gas_target {
            u128::from(self.base_fee) + delta.max(1)
        } else {
            u128::from(self.base_fee).saturating_sub(delta)
        };
        u64::try_from(next).map_err(|_| UpdateFailure::Overflow)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
