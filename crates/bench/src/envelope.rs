//! What the consensus client needs of a payload envelope.

use alloy_primitives::B256;
use bytes::Bytes;

use crate::json_scan::{elements, member, members, quantity, string};

/// A sealed payload as getPayload answers it: raw, with what the next calls need found in it.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    /// The whole `result`.
    pub(crate) raw: Bytes,
    /// `executionPayload`, a part of `raw`.
    pub(crate) execution_payload: Bytes,
    /// `parentBeaconBlockRoot`, where there is one; JSON.
    pub(crate) beacon_root: Option<Bytes>,
    /// `executionRequests`, where there are any; JSON.
    pub(crate) requests: Option<Bytes>,
    /// Hash of the block.
    pub(crate) hash: B256,
    /// Its number.
    pub(crate) number: u64,
    /// Transactions that are no deposits.
    pub(crate) transactions: u64,
}

impl Envelope {
    /// Finds the parts of `raw`; none where one that is needed is missing.
    pub(crate) fn find(raw: Bytes) -> Option<Self> {
        let [mut payload, mut beacon_root, mut requests] = [None, None, None];
        for (name, value) in members(&raw) {
            match name {
                b"executionPayload" => payload = Some(raw.slice_ref(value)),
                b"parentBeaconBlockRoot" if value != b"null" => {
                    beacon_root = Some(raw.slice_ref(value));
                }
                b"executionRequests" if value != b"null" => requests = Some(raw.slice_ref(value)),
                _ => {}
            }
        }
        let payload = payload?;
        let [mut hash, mut number, mut transactions] = [None, None, None];
        for (name, value) in members(&payload) {
            match name {
                b"blockHash" => hash = Some(value),
                b"blockNumber" => number = Some(value),
                b"transactions" => transactions = Some(value),
                _ => {}
            }
        }
        let hash = string(hash?)?.parse().ok()?;
        let number = quantity(number?)?;
        let transactions = transactions.map(not_deposits)?;
        Some(Self {
            raw,
            execution_payload: payload,
            beacon_root,
            requests,
            hash,
            number,
            transactions,
        })
    }
}

/// Deposits stand in front, so counting stops to look at them after the first other one.
fn not_deposits(transactions: &[u8]) -> u64 {
    let deposit = |text: &&[u8]| text.starts_with(b"\"0x7e") || text.starts_with(b"\"0x7E");
    elements(transactions).skip_while(deposit).count() as u64
}

/// `status` and `validationError` of a payload status, in words: `VALID` or what came instead.
pub(crate) fn payload_status(status: &[u8]) -> Option<String> {
    let verdict = member(status, "status").and_then(string)?;
    let reason = member(status, "validationError").and_then(string);
    Some(match reason {
        Some(reason) => format!("{verdict}: {reason}"),
        None => verdict.to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_found_in_any_order() {
        let hash = B256::repeat_byte(7);
        let payload = format!(
            r#"{{"transactions":["0x7e00","0x7e01","0x02f0","0x02f1","0x01"],"blockHash":"{hash}","blockNumber":"0x10"}}"#
        );
        let text = format!(
            r#"{{"blockValue":"0x0","executionRequests":[],"executionPayload":{payload},"parentBeaconBlockRoot":null}}"#
        );
        let envelope = Envelope::find(Bytes::from(text)).unwrap();
        assert_eq!(envelope.execution_payload, payload.as_bytes());
        assert_eq!(envelope.hash, hash);
        assert_eq!(envelope.number, 16);
        assert_eq!(envelope.transactions, 3);
        assert_eq!(envelope.requests.unwrap(), "[]");
        assert!(envelope.beacon_root.is_none());
    }

    #[test]
    fn an_envelope_without_a_payload_is_none() {
        assert!(Envelope::find(Bytes::from_static(b"{}")).is_none());
        assert!(Envelope::find(Bytes::from_static(b"null")).is_none());
        assert!(Envelope::find(Bytes::from_static(br#"{"executionPayload":{}}"#)).is_none());
    }

    #[test]
    fn a_status_carries_its_reason() {
        assert_eq!(
            payload_status(br#"{"status":"VALID","validationError":null}"#).unwrap(),
            "VALID"
        );
        assert_eq!(
            payload_status(br#"{"status":"INVALID","validationError":"bad root"}"#).unwrap(),
            "INVALID: bad root"
        );
    }
}
