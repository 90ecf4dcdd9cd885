//! The answer to a request for a header.

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use blockwright_builder_codec::PayloadFork;
use blockwright_signer::BlsSignature;
use serde::Serialize;

use crate::header::HeaderFields;

/// A header with its value, signed.
#[derive(Debug, Serialize)]
pub(crate) struct BlindAnswer<'a> {
    pub(crate) payload: BlindPayload<'a>,
    /// In wei, 32 bytes, big-endian.
    pub(crate) value: B256,
    pub(crate) signature: BlsSignature,
}

/// An execution payload with a root in place of its transactions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlindPayload<'a> {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    logs_bloom: &'a FixedBytes<256>,
    prev_randao: B256,
    #[serde(with = "alloy_serde::quantity")]
    block_number: u64,
    #[serde(with = "alloy_serde::quantity")]
    gas_limit: u64,
    #[serde(with = "alloy_serde::quantity")]
    gas_used: u64,
    #[serde(with = "alloy_serde::quantity")]
    timestamp: u64,
    extra_data: Bytes,
    base_fee_per_gas: U256,
    block_hash: B256,
    transactions_root: B256,
    /// From Canyon on.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals_root: Option<B256>,
    /// From Ecotone on.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "alloy_serde::quantity::opt"
    )]
    blob_gas_used: Option<u64>,
    /// From Ecotone on.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "alloy_serde::quantity::opt"
    )]
    excess_blob_gas: Option<u64>,
}

impl<'a> BlindPayload<'a> {
    pub(crate) fn of(header: &'a HeaderFields) -> Self {
        let all = &header.all;
        let since = |fork| header.fork >= fork;
        Self {
            parent_hash: all.parent_hash,
            fee_recipient: all.fee_recipient,
            state_root: all.state_root,
            receipts_root: all.receipts_root,
            logs_bloom: &all.logs_bloom,
            prev_randao: all.prev_randao,
            block_number: all.block_number,
            gas_limit: all.gas_limit,
            gas_used: all.gas_used,
            timestamp: all.timestamp,
            extra_data: Bytes::copy_from_slice(&all.extra_data),
            base_fee_per_gas: all.base_fee_per_gas,
            block_hash: all.block_hash,
            transactions_root: all.transactions_root,
            withdrawals_root: since(PayloadFork::Capella).then_some(all.withdrawals_root),
            blob_gas_used: since(PayloadFork::Deneb).then_some(all.blob_gas_used),
            excess_blob_gas: since(PayloadFork::Deneb).then_some(all.excess_blob_gas),
        }
    }
}
