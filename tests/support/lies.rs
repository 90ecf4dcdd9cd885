//! Answers of a builder made into lies.

use alloy_primitives::{Address, B256};
use blockwright_builder_codec::{BidTrace, signing_digest};
use blockwright_payload::ExecutionPayload;
use blockwright_signer::{LocalSigner, Signer};
use serde_json::{Value, json};

use super::sequencer::FORK;

/// The development chain.
const CHAIN_ID: u64 = 901;

/// Every field of a payload, and how it is named that it is another.
pub const PAYLOAD_FIELDS: [(&str, &str); 18] = [
    ("parentHash", "bid.parentHash"),
    ("feeRecipient", "bid.proposerFeeRecipient"),
    ("stateRoot", "payload.hash"),
    ("receiptsRoot", "payload.hash"),
    ("logsBloom", "payload.hash"),
    ("prevRandao", "payload.hash"),
    ("blockNumber", "bid.slot"),
    ("gasLimit", "bid.gasLimit"),
    ("gasUsed", "bid.gasUsed"),
    ("timestamp", "payload.hash"),
    ("extraData", "payload.hash"),
    ("baseFeePerGas", "payload.hash"),
    ("blockHash", "bid.blockHash"),
    ("blobGasUsed", "payload.hash"),
    ("excessBlobGas", "payload.hash"),
    ("withdrawalsRoot", "payload.hash"),
    ("transactions", "payload.hash"),
    ("withdrawals", "payload.withdrawals"),
];

pub fn field<T: serde::de::DeserializeOwned>(json: &Value, name: &str) -> T {
    serde_json::from_value(json[name].clone()).unwrap_or_else(|_| panic!("{name} of {json}"))
}

/// Signs what the bid has become.
pub fn sign(answer: &mut Value, key: &LocalSigner) {
    let bid: BidTrace = field(answer, "message");
    answer["signature"] = json!(key.sign(signing_digest(CHAIN_ID, &bid)).unwrap());
}

/// Makes the payload's hash, the bid and the signature fit the payload's fields: only another block
/// shows that it lies, or an execution.
pub fn made_to_fit(answer: &mut Value, beacon_root: B256, key: &LocalSigner) {
    let mut payload: ExecutionPayload = field(answer, "executionPayload");
    payload.block_hash = payload.header(FORK, Some(beacon_root)).hash_slow();
    answer["message"]["blockHash"] = json!(payload.block_hash);
    answer["message"]["gasLimit"] = json!(format!("{:#x}", payload.gas_limit));
    answer["message"]["gasUsed"] = json!(format!("{:#x}", payload.gas_used));
    answer["message"]["proposerFeeRecipient"] = json!(payload.fee_recipient);
    answer["executionPayload"] = json!(payload);
    sign(answer, key);
}

/// Another value of the same form.
pub fn other(value: &Value) -> Value {
    let text = value.as_str().unwrap();
    // Quantities have no leading zeros, so their last digit is what changes.
    let last = text.chars().last().unwrap();
    let changed = if last == '1' { '2' } else { '1' };
    json!(format!("{}{changed}", &text[..text.len() - 1]))
}

/// Makes one of [`PAYLOAD_FIELDS`] another.
pub fn change_payload(answer: &mut Value, field: &str) {
    let value = &mut answer["executionPayload"][field];
    match field {
        "transactions" => drop(value.as_array_mut().unwrap().pop()),
        "withdrawals" => {
            let of = Address::ZERO;
            *value =
                json!([{"index": "0x0", "validatorIndex": "0x0", "address": of, "amount": "0x1"}]);
        }
        _ => *value = other(value),
    }
}
