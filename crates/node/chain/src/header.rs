//! Validity of a header against its parent, fork by fork.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B64, B256, U256};
use blockwright_types::{BlockContext, OpFork};

use crate::{BaseFeeError, ChainSpec, ExtraDataError, decode_extra_data};

/// Largest gas limit a header may state: 2^63 - 1.
pub(crate) const GAS_LIMIT_MAX: u64 = i64::MAX as u64;

/// Why a header cannot follow its parent. The Engine API answers each with status INVALID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It names another parent.
    #[error("parentHash {got} is not the parent's hash {expected}")]
    ParentHash {
        /// Hash of the parent given.
        expected: B256,
        /// Hash the header names.
        got: B256,
    },
    /// Its number is not the parent's plus one.
    #[error("number {got} does not follow the parent's {parent}")]
    Number {
        /// Number of the parent.
        parent: u64,
        /// Number of the header.
        got: u64,
    },
    /// Time does not advance.
    #[error("timestamp {got} is not after the parent's {parent}")]
    Timestamp {
        /// Timestamp of the parent.
        parent: u64,
        /// Timestamp of the header.
        got: u64,
    },
    /// The gas limit is over 2^63 - 1.
    #[error("gasLimit {0} exceeds 2^63 - 1")]
    GasLimitTooLarge(u64),
    /// More gas was used than the limit allows.
    #[error("gasUsed {gas_used} exceeds gasLimit {gas_limit}")]
    GasUsed {
        /// Gas used.
        gas_used: u64,
        /// Gas limit.
        gas_limit: u64,
    },
    /// Difficulty is not zero.
    #[error("difficulty must be 0, got {0}")]
    Difficulty(U256),
    /// The proof-of-work nonce is not zero.
    #[error("nonce must be 0, got {0}")]
    Nonce(B64),
    /// There are ommers.
    #[error("sha3Uncles must be the hash of an empty list, got {0}")]
    Ommers(B256),
    /// `extraData` does not follow the fork's format.
    #[error(transparent)]
    ExtraData(#[from] ExtraDataError),
    /// No base fee follows from the parent.
    #[error("base fee: {0}")]
    ParentBaseFee(#[from] BaseFeeError),
    /// The base fee is absent.
    #[error("baseFeePerGas is missing")]
    BaseFeeMissing,
    /// The base fee is not the one that follows from the parent.
    #[error("baseFeePerGas {got} is not the expected {expected}")]
    BaseFee {
        /// Fee by the rules.
        expected: u64,
        /// Fee of the header.
        got: u64,
    },
    /// A field that the fork requires is absent.
    #[error("{field} is required under {fork}")]
    Missing {
        /// JSON name of the field.
        field: &'static str,
        /// Fork of the block.
        fork: OpFork,
    },
    /// A field that the fork does not know is present.
    #[error("{field} is not allowed under {fork}")]
    Unexpected {
        /// JSON name of the field.
        field: &'static str,
        /// Fork of the block.
        fork: OpFork,
    },
    /// Between Canyon and Isthmus the withdrawals root must be that of an empty list.
    #[error("withdrawalsRoot must be the empty root under {fork}, got {got}")]
    WithdrawalsRoot {
        /// Fork of the block.
        fork: OpFork,
        /// Root of the header.
        got: B256,
    },
    /// There are no blobs on an OP Stack chain.
    #[error("excessBlobGas must be 0, got {0}")]
    ExcessBlobGas(u64),
    /// There are no blobs on an OP Stack chain; before Jovian the field is zero.
    #[error("blobGasUsed must be 0 under {fork}, got {got}")]
    BlobGasUsed {
        /// Fork of the block.
        fork: OpFork,
        /// Value of the header.
        got: u64,
    },
    /// From Jovian `blobGasUsed` is the DA footprint, which the gas limit bounds.
    #[error("DA footprint {footprint} (blobGasUsed) exceeds gasLimit {gas_limit}")]
    DaFootprint {
        /// DA footprint.
        footprint: u64,
        /// Gas limit.
        gas_limit: u64,
    },
    /// From Isthmus the requests hash is that of no requests.
    #[error("requestsHash must be the hash of no requests, got {0}")]
    RequestsHash(B256),
}

impl ChainSpec {
    /// Validates `header` against `parent` by the rules of its fork and gives the environment to
    /// execute its block in.
    ///
    /// What needs execution stays open: roots, bloom, gas used and (Jovian) the DA footprint's
    /// value. Gas-limit changes are not bounded.
    pub fn context_for_header(
        &self,
        parent: &Header,
        header: &Header,
    ) -> Result<BlockContext, HeaderError> {
        check_lineage(parent, header)?;
        let fork = self.fork_at(header.timestamp);
        check_constants(header)?;
        decode_extra_data(fork, &header.extra_data)?;
        check_fork_fields(fork, header)?;
        let expected = self.next_base_fee(parent, header.timestamp)?;
        let got = header.base_fee_per_gas.ok_or(HeaderError::BaseFeeMissing)?;
        if got != expected {
            return Err(HeaderError::BaseFee { expected, got });
        }
        Ok(BlockContext {
            chain_id: self.chain_id,
            fork,
            activates: self.activation(parent.timestamp, header.timestamp),
            parent_hash: header.parent_hash,
            number: header.number,
            timestamp: header.timestamp,
            fee_recipient: header.beneficiary,
            prev_randao: header.mix_hash,
            gas_limit: header.gas_limit,
            base_fee: expected,
            extra_data: header.extra_data.clone(),
            parent_beacon_block_root: header.parent_beacon_block_root,
        })
    }
}

fn check_lineage(parent: &Header, header: &Header) -> Result<(), HeaderError> {
    if parent.number.checked_add(1) != Some(header.number) {
        return Err(HeaderError::Number {
            parent: parent.number,
            got: header.number,
        });
    }
    if header.timestamp <= parent.timestamp {
        return Err(HeaderError::Timestamp {
            parent: parent.timestamp,
            got: header.timestamp,
        });
    }
    let expected = parent.hash_slow();
    if header.parent_hash != expected {
        return Err(HeaderError::ParentHash {
            expected,
            got: header.parent_hash,
        });
    }
    Ok(())
}

fn check_constants(header: &Header) -> Result<(), HeaderError> {
    if header.gas_limit > GAS_LIMIT_MAX {
        return Err(HeaderError::GasLimitTooLarge(header.gas_limit));
    }
    if header.gas_used > header.gas_limit {
        return Err(HeaderError::GasUsed {
            gas_used: header.gas_used,
            gas_limit: header.gas_limit,
        });
    }
    if !header.difficulty.is_zero() {
        return Err(HeaderError::Difficulty(header.difficulty));
    }
    if !header.nonce.is_zero() {
        return Err(HeaderError::Nonce(header.nonce));
    }
    if header.ommers_hash != EMPTY_OMMER_ROOT_HASH {
        return Err(HeaderError::Ommers(header.ommers_hash));
    }
    Ok(())
}

/// The value of a field that exists from one fork on, and must not be there before.
fn field<T: Copy>(
    value: Option<T>,
    field: &'static str,
    fork: OpFork,
    since: OpFork,
) -> Result<Option<T>, HeaderError> {
    match (value, fork >= since) {
        (None, true) => Err(HeaderError::Missing { field, fork }),
        (Some(_), false) => Err(HeaderError::Unexpected { field, fork }),
        (value, _) => Ok(value),
    }
}

fn check_fork_fields(fork: OpFork, header: &Header) -> Result<(), HeaderError> {
    let withdrawals = field(
        header.withdrawals_root,
        "withdrawalsRoot",
        fork,
        OpFork::Canyon,
    )?;
    if let Some(got) = withdrawals
        && fork < OpFork::Isthmus
        && got != EMPTY_WITHDRAWALS
    {
        return Err(HeaderError::WithdrawalsRoot { fork, got });
    }
    field(
        header.parent_beacon_block_root,
        "parentBeaconBlockRoot",
        fork,
        OpFork::Ecotone,
    )?;
    let excess = field(
        header.excess_blob_gas,
        "excessBlobGas",
        fork,
        OpFork::Ecotone,
    )?;
    if let Some(excess) = excess
        && excess != 0
    {
        return Err(HeaderError::ExcessBlobGas(excess));
    }
    if let Some(used) = field(header.blob_gas_used, "blobGasUsed", fork, OpFork::Ecotone)? {
        check_blob_gas_used(fork, used, header.gas_limit)?;
    }
    let requests = field(header.requests_hash, "requestsHash", fork, OpFork::Isthmus)?;
    if let Some(hash) = requests
        && hash != EMPTY_REQUESTS_HASH
    {
        return Err(HeaderError::RequestsHash(hash));
    }
    for (present, field) in [
        (
            header.block_access_list_hash.is_some(),
            "blockAccessListHash",
        ),
        (header.slot_number.is_some(), "slotNumber"),
    ] {
        if present {
            return Err(HeaderError::Unexpected { field, fork });
        }
    }
    Ok(())
}

const fn check_blob_gas_used(fork: OpFork, used: u64, gas_limit: u64) -> Result<(), HeaderError> {
    if fork as u8 >= OpFork::Jovian as u8 {
        if used > gas_limit {
            return Err(HeaderError::DaFootprint {
                footprint: used,
                gas_limit,
            });
        }
    } else if used != 0 {
        return Err(HeaderError::BlobGasUsed { fork, got: used });
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
