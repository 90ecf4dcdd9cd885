//! One event: what is to be built on which parent.

use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_primitives::{Address, B64, B256, Bytes, Keccak256, U64, keccak256};
use alloy_rpc_types_engine::PayloadAttributes;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde::Serialize;
use serde_json::Value;

use crate::field::Object;
use crate::rpc_write::TransactionJson;
use crate::{EventError, rpc_read, rpc_write};

/// Attributes of a block, with its place in the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributesEvent {
    /// Number of the block that is to be built: the parent's plus one.
    pub slot: u64,
    /// The block it is to be built on.
    pub parent_hash: B256,
    /// What the Engine API calls payload attributes; the transactions are there, if only as an empty list.
    pub attributes: OpPayloadAttributes,
}

/// The fields in the order in which they are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventJson<'a> {
    timestamp: U64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    slot: u64,
    block_hash: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals: Option<&'a [Withdrawal]>,
    // `null` where there is none, as the streams of op-nodes have it.
    parent_beacon_block_root: Option<B256>,
    transactions: Vec<TransactionJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gas_limit: Option<u64>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    no_tx_pool: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    eip1559_params: Option<B64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_base_fee: Option<u64>,
}

impl AttributesEvent {
    /// Reads the JSON of an event. Numbers may be JSON numbers or hex, transactions objects or the hex of
    /// their bytes; fields that are not known are passed over. Whether the attributes fit the chain is not
    /// looked at.
    ///
    /// # Errors
    /// [`EventError`], which names the field that is missing or malformed, or the transaction whose hash is
    /// that of another.
    pub fn from_json(json: &[u8]) -> Result<Self, EventError> {
        let json: Value =
            serde_json::from_slice(json).map_err(|error| EventError::NotJson(error.to_string()))?;
        let event = Object::new(&json, "")?;
        let transactions = event.maybe_list("transactions")?.unwrap_or_default();
        let transactions = transactions
            .iter()
            .enumerate()
            .map(|(index, tx)| rpc_read::transaction(tx, &format!("transactions[{index}]")))
            .collect::<Result<Vec<Bytes>, EventError>>()?;
        let withdrawals: Option<Withdrawals> = event.maybe_parsed("withdrawals")?;
        Ok(Self {
            slot: event.number("slot")?,
            parent_hash: event.fixed("blockHash")?,
            attributes: OpPayloadAttributes {
                payload_attributes: PayloadAttributes {
                    timestamp: event.number("timestamp")?,
                    prev_randao: event.fixed("prevRandao")?,
                    suggested_fee_recipient: Address(event.fixed("suggestedFeeRecipient")?),
                    withdrawals: withdrawals.map(Withdrawals::into_inner),
                    parent_beacon_block_root: event.maybe_hash("parentBeaconBlockRoot")?,
                    ..PayloadAttributes::default()
                },
                transactions: Some(transactions),
                no_tx_pool: event.maybe_boolean("noTxPool")?.filter(|is_set| *is_set),
                gas_limit: event.maybe_number("gasLimit")?,
                eip_1559_params: event.maybe_fixed("eip1559Params")?,
                min_base_fee: event.maybe_number("minBaseFee")?,
            },
        })
    }

    /// The event's JSON, in one line.
    pub fn to_json(&self) -> String {
        let attributes = &self.attributes;
        let inner = &attributes.payload_attributes;
        let transactions = attributes.transactions.as_deref().unwrap_or_default();
        let json = EventJson {
            timestamp: U64::from(inner.timestamp),
            prev_randao: inner.prev_randao,
            suggested_fee_recipient: inner.suggested_fee_recipient,
            slot: self.slot,
            block_hash: self.parent_hash,
            withdrawals: inner.withdrawals.as_deref(),
            parent_beacon_block_root: inner.parent_beacon_block_root,
            transactions: transactions.iter().map(rpc_write::transaction).collect(),
            gas_limit: attributes.gas_limit,
            no_tx_pool: attributes.no_tx_pool.unwrap_or_default(),
            eip1559_params: attributes.eip_1559_params,
            min_base_fee: attributes.min_base_fee,
        };
        serde_json::to_string(&json).expect("numbers, text and lists can be written as JSON")
    }

    /// Timestamp of the block that is to be built, in seconds.
    pub const fn timestamp(&self) -> u64 {
        self.attributes.payload_attributes.timestamp
    }

    /// The same for the same content, on whatever way it came.
    pub fn digest(&self) -> B256 {
        let attributes = &self.attributes;
        let inner = &attributes.payload_attributes;
        let mut hasher = Keccak256::new();
        hasher.update(self.parent_hash);
        for number in [self.slot, inner.timestamp] {
            hasher.update(number.to_be_bytes());
        }
        hasher.update(inner.prev_randao);
        hasher.update(inner.suggested_fee_recipient);
        let no_tx_pool = attributes.no_tx_pool.unwrap_or_default();
        hasher.update([u8::from(no_tx_pool)]);
        // What may be absent has a mark, and what has no fixed length its length, so that nothing can be
        // taken for something else.
        let mut optional = |bytes: Option<&[u8]>| {
            hasher.update([u8::from(bytes.is_some())]);
            hasher.update(bytes.unwrap_or_default());
        };
        optional(
            inner
                .parent_beacon_block_root
                .as_ref()
                .map(|root| &root[..]),
        );
        optional(
            attributes
                .gas_limit
                .map(u64::to_be_bytes)
                .as_ref()
                .map(|n| &n[..]),
        );
        optional(
            attributes
                .eip_1559_params
                .as_ref()
                .map(|params| &params[..]),
        );
        optional(
            attributes
                .min_base_fee
                .map(u64::to_be_bytes)
                .as_ref()
                .map(|n| &n[..]),
        );
        let transactions = attributes.transactions.as_deref().unwrap_or_default();
        hasher.update(transactions.len().to_be_bytes());
        for tx in transactions {
            hasher.update(keccak256(tx));
        }
        hasher.update([u8::from(inner.withdrawals.is_some())]);
        for withdrawal in inner.withdrawals.iter().flatten() {
            hasher.update(alloy_rlp::encode(withdrawal));
        }
        hasher.finalize()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
