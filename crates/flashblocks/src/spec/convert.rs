//! Between the containers of dialect `spec` and the types of the JSON dialects.
//!
//! Metadata has no counterpart: one side has receipts and cumulative balances, the other outcomes
//! and what changed.

use alloy_eips::eip4895;
use alloy_primitives::Bloom;
use op_alloy_rpc_types_engine::{OpFlashblockPayloadBase, OpFlashblockPayloadDelta};

use super::containers::{
    ExecutionPayloadFlashblockDeltaV1, ExecutionPayloadStaticV1, FlashblocksPayloadV1, Withdrawal,
};
use super::limit::{ExceedsLimit, byte_list, list};

impl FlashblocksPayloadV1 {
    /// `base` of the JSON dialects, at index 0.
    pub fn json_base(&self) -> Option<OpFlashblockPayloadBase> {
        self.base.as_ref().map(OpFlashblockPayloadBase::from)
    }

    /// `diff` of the JSON dialects. The container does not say what `blob_gas_used` is: from Jovian
    /// it is the DA footprint of the transactions so far, from Ecotone 0, before absent.
    pub fn json_diff(&self, blob_gas_used: Option<u64>) -> OpFlashblockPayloadDelta {
        let diff = &self.diff;
        let transactions = diff.transactions.iter();
        let withdrawals = diff.withdrawals.iter();
        OpFlashblockPayloadDelta {
            state_root: diff.state_root,
            receipts_root: diff.receipts_root,
            logs_bloom: Bloom::from(diff.logs_bloom),
            gas_used: diff.gas_used,
            block_hash: diff.block_hash,
            transactions: transactions.map(|tx| tx.bytes().clone()).collect(),
            withdrawals: withdrawals.copied().map(Into::into).collect(),
            withdrawals_root: diff.withdrawals_root,
            blob_gas_used,
        }
    }
}

impl From<&ExecutionPayloadStaticV1> for OpFlashblockPayloadBase {
    fn from(base: &ExecutionPayloadStaticV1) -> Self {
        Self {
            parent_beacon_block_root: base.parent_beacon_block_root,
            parent_hash: base.parent_hash,
            fee_recipient: base.fee_recipient,
            prev_randao: base.prev_randao,
            block_number: base.block_number,
            gas_limit: base.gas_limit,
            timestamp: base.timestamp,
            extra_data: base.extra_data.bytes().clone(),
            base_fee_per_gas: base.base_fee_per_gas,
        }
    }
}

impl TryFrom<&OpFlashblockPayloadBase> for ExecutionPayloadStaticV1 {
    type Error = ExceedsLimit;

    fn try_from(base: &OpFlashblockPayloadBase) -> Result<Self, ExceedsLimit> {
        Ok(Self {
            parent_beacon_block_root: base.parent_beacon_block_root,
            parent_hash: base.parent_hash,
            fee_recipient: base.fee_recipient,
            prev_randao: base.prev_randao,
            block_number: base.block_number,
            gas_limit: base.gas_limit,
            timestamp: base.timestamp,
            extra_data: byte_list("extra_data", &base.extra_data)?,
            base_fee_per_gas: base.base_fee_per_gas,
        })
    }
}

impl TryFrom<&OpFlashblockPayloadDelta> for ExecutionPayloadFlashblockDeltaV1 {
    type Error = ExceedsLimit;

    /// Leaves out `blob_gas_used`, for which the container has no field.
    fn try_from(diff: &OpFlashblockPayloadDelta) -> Result<Self, ExceedsLimit> {
        let transactions = diff.transactions.iter();
        let transactions = transactions
            .map(|tx| byte_list("transactions", tx))
            .collect::<Result<Vec<_>, _>>()?;
        let withdrawals = diff.withdrawals.iter().copied().map(Withdrawal::from);
        Ok(Self {
            state_root: diff.state_root,
            receipts_root: diff.receipts_root,
            logs_bloom: *diff.logs_bloom,
            gas_used: diff.gas_used,
            block_hash: diff.block_hash,
            transactions: list("transactions", transactions)?,
            withdrawals: list("withdrawals", withdrawals.collect())?,
            withdrawals_root: diff.withdrawals_root,
        })
    }
}

impl From<Withdrawal> for eip4895::Withdrawal {
    fn from(withdrawal: Withdrawal) -> Self {
        Self {
            index: withdrawal.index,
            validator_index: withdrawal.validator_index,
            address: withdrawal.address,
            amount: withdrawal.amount,
        }
    }
}

impl From<eip4895::Withdrawal> for Withdrawal {
    fn from(withdrawal: eip4895::Withdrawal) -> Self {
        Self {
            index: withdrawal.index,
            validator_index: withdrawal.validator_index,
            address: withdrawal.address,
            amount: withdrawal.amount,
        }
    }
}
