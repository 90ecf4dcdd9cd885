//! Execution payloads as they travel: one shape whose optional fields depend on the fork.

use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use blockwright_chain::transactions_root;
use blockwright_types::{OpFork, SealedBlock};
use serde::{Deserialize, Serialize};

/// `ExecutionPayloadV1` to `V4` of execution-apis with the OP Stack's `withdrawalsRoot` (Isthmus).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionPayload {
    /// Hash of the parent.
    pub parent_hash: B256,
    /// Receives priority fees.
    pub fee_recipient: Address,
    /// State root.
    pub state_root: B256,
    /// Receipts root.
    pub receipts_root: B256,
    /// Bloom over all logs.
    pub logs_bloom: Bloom,
    /// `mixHash` of the header.
    pub prev_randao: B256,
    /// Number.
    #[serde(with = "alloy_serde::quantity")]
    pub block_number: u64,
    /// Gas limit.
    #[serde(with = "alloy_serde::quantity")]
    pub gas_limit: u64,
    /// Gas used.
    #[serde(with = "alloy_serde::quantity")]
    pub gas_used: u64,
    /// Seconds since the Unix epoch.
    #[serde(with = "alloy_serde::quantity")]
    pub timestamp: u64,
    /// `extraData` of the header.
    pub extra_data: Bytes,
    /// Base fee in wei.
    pub base_fee_per_gas: U256,
    /// Hash of the header.
    pub block_hash: B256,
    /// EIP-2718 bytes in order.
    pub transactions: Vec<Bytes>,
    /// From Canyon; always empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// From Ecotone; the DA footprint from Jovian.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "alloy_serde::quantity::opt"
    )]
    pub blob_gas_used: Option<u64>,
    /// From Ecotone; always zero.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "alloy_serde::quantity::opt"
    )]
    pub excess_blob_gas: Option<u64>,
    /// From Isthmus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawals_root: Option<B256>,
}

/// A field that does not belong to the payload's fork, or is missing under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The fork's payloads have it.
    #[error("{field} is required under {fork}")]
    Missing {
        /// Its name on the wire.
        field: &'static str,
        /// The payload's fork.
        fork: OpFork,
    },
    /// The fork's payloads do not have it.
    #[error("{field} is not allowed under {fork}")]
    NotAllowed {
        /// Its name on the wire.
        field: &'static str,
        /// The payload's fork.
        fork: OpFork,
    },
}

impl ExecutionPayload {
    /// The payload of a sealed block of `fork`.
    pub fn of_block(block: &SealedBlock, fork: OpFork) -> Self {
        Self {
            transactions: Self::transactions_of(block),
            ..Self::without_transactions(block, fork)
        }
    }

    /// The transactions of a sealed block.
    pub fn transactions_of(block: &SealedBlock) -> Vec<Bytes> {
        block.transactions().map(|tx| tx.encoded.clone()).collect()
    }

    /// All but the transactions of [`Self::of_block`].
    pub fn without_transactions(block: &SealedBlock, fork: OpFork) -> Self {
        let header = &block.header;
        Self {
            parent_hash: header.parent_hash,
            fee_recipient: header.beneficiary,
            state_root: header.state_root,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            prev_randao: header.mix_hash,
            block_number: header.number,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: header.timestamp,
            extra_data: header.extra_data.clone(),
            base_fee_per_gas: U256::from(header.base_fee_per_gas.unwrap_or_default()),
            block_hash: block.hash,
            transactions: Vec::new(),
            withdrawals: (fork >= OpFork::Canyon).then(Vec::new),
            blob_gas_used: header.blob_gas_used,
            excess_blob_gas: header.excess_blob_gas,
            withdrawals_root: header.withdrawals_root.filter(|_| fork >= OpFork::Isthmus),
        }
    }

    /// The header this payload stands for under the rules of `fork`. Hashes all transactions.
    pub fn header(&self, fork: OpFork, parent_beacon_block_root: Option<B256>) -> Header {
        Header {
            parent_hash: self.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.fee_recipient,
            state_root: self.state_root,
            transactions_root: transactions_root(&self.transactions),
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            difficulty: U256::ZERO,
            number: self.block_number,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: self.extra_data.clone(),
            mix_hash: self.prev_randao,
            nonce: B64::ZERO,
            base_fee_per_gas: Some(self.base_fee_per_gas.saturating_to()),
            withdrawals_root: if fork >= OpFork::Isthmus {
                self.withdrawals_root
            } else {
                self.withdrawals.as_ref().map(|_| EMPTY_WITHDRAWALS)
            },
            blob_gas_used: self.blob_gas_used,
            excess_blob_gas: self.excess_blob_gas,
            parent_beacon_block_root,
            requests_hash: (fork >= OpFork::Isthmus).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// Checks that the fields are those of `fork`, no more and no less.
    ///
    /// # Errors
    /// [`FieldError`] naming the field that is missing or must not be there.
    pub fn check_fields(
        &self,
        fork: OpFork,
        parent_beacon_block_root: Option<B256>,
    ) -> Result<(), FieldError> {
        for (field, present, since) in [
            ("withdrawals", self.withdrawals.is_some(), OpFork::Canyon),
            ("blobGasUsed", self.blob_gas_used.is_some(), OpFork::Ecotone),
            (
                "excessBlobGas",
                self.excess_blob_gas.is_some(),
                OpFork::Ecotone,
            ),
            (
                "parentBeaconBlockRoot",
                parent_beacon_block_root.is_some(),
                OpFork::Ecotone,
            ),
            (
                "withdrawalsRoot",
                self.withdrawals_root.is_some(),
                OpFork::Isthmus,
            ),
        ] {
            match (present, fork >= since) {
                (true, true) | (false, false) => {}
                (false, true) => return Err(FieldError::Missing { field, fork }),
                (true, false) => return Err(FieldError::NotAllowed { field, fork }),
            }
        }
        Ok(())
    }

    /// Whether the transactions are exactly those of `block`.
    pub fn has_transactions_of(&self, block: &SealedBlock) -> bool {
        self.transactions.len() == block.transaction_count()
            && self
                .transactions
                .iter()
                .eq(block.transactions().map(|tx| &tx.encoded))
    }

    /// Whether everything else is exactly as in the payload of `block`; cheaper than hashing.
    pub fn has_fields_of(&self, block: &SealedBlock, fork: OpFork) -> bool {
        let header = &block.header;
        self.block_hash == block.hash
            && self.parent_hash == header.parent_hash
            && self.fee_recipient == header.beneficiary
            && self.state_root == header.state_root
            && self.receipts_root == header.receipts_root
            && self.logs_bloom == header.logs_bloom
            && self.prev_randao == header.mix_hash
            && self.block_number == header.number
            && self.gas_limit == header.gas_limit
            && self.gas_used == header.gas_used
            && self.timestamp == header.timestamp
            && self.extra_data == header.extra_data
            && self.base_fee_per_gas == U256::from(header.base_fee_per_gas.unwrap_or_default())
            && self.withdrawals.as_ref().map(Vec::len) == (fork >= OpFork::Canyon).then_some(0)
            && self.blob_gas_used == header.blob_gas_used
            && self.excess_blob_gas == header.excess_blob_gas
            && self.withdrawals_root == header.withdrawals_root.filter(|_| fork >= OpFork::Isthmus)
    }
}
