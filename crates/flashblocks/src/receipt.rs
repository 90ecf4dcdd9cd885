//! Receipts with the internal tag.

use alloy_consensus::{Eip658Value, Receipt};
use alloy_primitives::Log;
use op_alloy_consensus::OpReceipt;

use crate::json::JsonWriter;

/// Writes one receipt: `type` first, a deposit's own fields last.
pub(crate) fn write_receipt(json: &mut JsonWriter, receipt: &OpReceipt) {
    json.raw("{\"type\":");
    json.quantity(u64::from(u8::from(receipt.tx_type())));
    write_common(json, receipt.as_receipt());
    if let OpReceipt::Deposit(deposit) = receipt {
        if let Some(nonce) = deposit.deposit_nonce {
            json.raw(",\"depositNonce\":");
            json.quantity(nonce);
        }
        if let Some(version) = deposit.deposit_receipt_version {
            json.raw(",\"depositReceiptVersion\":");
            json.quantity(version);
        }
    }
    json.raw("}");
}

fn write_common(json: &mut JsonWriter, receipt: &Receipt) {
    match &receipt.status {
        Eip658Value::Eip658(success) => {
            json.raw(",\"status\":");
            json.quantity(u64::from(*success));
        }
        Eip658Value::PostState(root) => {
            json.raw(",\"root\":");
            json.hex(root.as_slice());
        }
    }
    json.raw(",\"cumulativeGasUsed\":");
    json.quantity(receipt.cumulative_gas_used);
    json.raw(",\"logs\":");
    json.list(&receipt.logs, write_log);
}

fn write_log(json: &mut JsonWriter, log: &Log) {
    json.raw("{\"address\":");
    json.hex(log.address.as_slice());
    json.raw(",\"topics\":");
    json.list(log.topics(), |json, topic| json.hex(topic.as_slice()));
    json.raw(",\"data\":");
    json.hex(&log.data.data);
    json.raw("}");
}

/// Bytes a receipt takes at most, apart from its logs: the key and every field of a deposit's.
pub(crate) const RECEIPT_BYTES: usize = 256;

/// Bytes the logs of a receipt take, rounded up.
pub(crate) fn logs_bytes(receipt: &OpReceipt) -> usize {
    receipt
        .as_receipt()
        .logs
        .iter()
        .map(|log| 96 + 70 * log.topics().len() + 2 * log.data.data.len())
        .sum()
}
