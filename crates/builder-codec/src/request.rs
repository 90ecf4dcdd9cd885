//! A proposer's request, read without trust.

use core::str::FromStr;

use alloy_primitives::{B256, FixedBytes, U64};
use alloy_rlp::RlpEncodable;
use serde_json::Value;

use crate::RequestError;

/// What a proposer signs. RLP is the list of its fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable)]
pub struct RequestMessage {
    /// Number of the block wanted.
    pub slot: u64,
    /// Its parent.
    pub parent_hash: B256,
}

/// The path that requests for payloads are posted to.
pub const PAYLOAD_PATH: &str = "/eth/v1/builder/payload";

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadRequest {
    /// What is signed.
    pub message: RequestMessage,
    /// The proposer's signature of it.
    pub signature: FixedBytes<65>,
}

impl PayloadRequest {
    /// Reads `{"message":{"slot":"0x…","parentHash":"0x…"},"signature":"0x…"}`. Fields that are not known
    /// are passed over.
    ///
    /// # Errors
    /// [`RequestError`], which names the field that is missing or malformed.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        let json: Value = serde_json::from_slice(body)
            .map_err(|error| RequestError::NotJson(error.to_string()))?;
        let object = |value: &Value, field| match value {
            Value::Object(_) => Ok(()),
            _ => Err(RequestError::NotAnObject(field)),
        };
        object(&json, "the body")?;
        let message = json
            .get("message")
            .ok_or(RequestError::Missing("message"))?;
        object(message, "message")?;
        Ok(Self {
            message: RequestMessage {
                slot: quantity(message.get("slot"), "message.slot")?,
                parent_hash: bytes(message.get("parentHash"), "message.parentHash", 32)?,
            },
            signature: bytes(json.get("signature"), "signature", 65)?,
        })
    }

    /// Writes what [`Self::from_json`] reads.
    pub fn to_json(&self) -> String {
        let RequestMessage { slot, parent_hash } = &self.message;
        let signature = &self.signature;
        format!(
            r#"{{"message":{{"slot":"{slot:#x}","parentHash":"{parent_hash}"}},"signature":"{signature}"}}"#
        )
    }
}

fn text<'a>(value: Option<&'a Value>, field: &'static str) -> Result<&'a str, RequestError> {
    match value {
        None | Some(Value::Null) => Err(RequestError::Missing(field)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(RequestError::NotText(field)),
    }
}

fn digits<'a>(value: Option<&'a Value>, field: &'static str) -> Result<&'a str, RequestError> {
    let text = text(value, field)?;
    let digits = text.strip_prefix("0x").ok_or(RequestError::NotHex(field))?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(RequestError::NotHex(field));
    }
    Ok(digits)
}

fn quantity(value: Option<&Value>, field: &'static str) -> Result<u64, RequestError> {
    let digits = digits(value, field)?;
    let number = U64::from_str_radix(digits, 16).map_err(|_| RequestError::TooBig(field))?;
    Ok(number.to())
}

fn bytes<T: FromStr>(
    value: Option<&Value>,
    field: &'static str,
    length: usize,
) -> Result<T, RequestError> {
    let wrong = RequestError::Length { field, length };
    digits(value, field)?.parse().map_err(|_| wrong)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use alloy_primitives::hex;
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "message": {"slot": "0xbf", "parentHash": B256::repeat_byte(0x11)},
            "signature": hex::encode_prefixed([7; 65]),
        })
    }

    fn read(json: &Value) -> Result<PayloadRequest, RequestError> {
        PayloadRequest::from_json(json.to_string().as_bytes())
    }

    #[test]
    fn what_is_signed_is_read_and_the_rest_passed_over() {
        let mut request = good();
        request["message"]["more"] = json!([1, 2]);
        request["version"] = json!(null);
        let read = read(&request).unwrap();
        let again = PayloadRequest::from_json(read.to_json().as_bytes());
        assert_eq!(again.unwrap(), read);
        assert_eq!(read.message.slot, 0xbf);
        assert_eq!(read.message.parent_hash, B256::repeat_byte(0x11));
        assert_eq!(read.signature, FixedBytes::repeat_byte(7));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("/message", None, "message is missing"),
            ("/message", Some(json!([])), "message must be an object"),
            ("/message/slot", None, "message.slot is missing"),
            (
                "/message/slot",
                Some(json!(null)),
                "message.slot is missing",
            ),
            (
                "/message/slot",
                Some(json!(191)),
                "message.slot must be text",
            ),
            (
                "/message/slot",
                Some(json!("191")),
                "message.slot must be hex",
            ),
            (
                "/message/slot",
                Some(json!("0x")),
                "message.slot must be hex",
            ),
            (
                "/message/slot",
                Some(json!("0x+1")),
                "message.slot must be hex",
            ),
            (
                "/message/slot",
                Some(json!("0x10000000000000000")),
                "message.slot does not fit",
            ),
            ("/message/parentHash", None, "message.parentHash is missing"),
            (
                "/message/parentHash",
                Some(json!("0x1111")),
                "message.parentHash must have 32 bytes",
            ),
            ("/signature", None, "signature is missing"),
            (
                "/signature",
                Some(json!(B256::ZERO)),
                "signature must have 65 bytes",
            ),
            ("/signature", Some(json!("0xzz")), "signature must be hex"),
        ];
        for (pointer, value, expected) in cases {
            let mut request = good();
            match value {
                Some(value) => *request.pointer_mut(pointer).unwrap() = value,
                None => {
                    let (holder, name) = pointer.rsplit_once('/').unwrap();
                    let holder = request.pointer_mut(holder).unwrap();
                    holder.as_object_mut().unwrap().remove(name).unwrap();
                }
            }
            let said = read(&request).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{pointer}: {said}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = "[".repeat(4_000);
        for body in [
            "",
            "{",
            "null",
            "[]",
            "\"x\"",
            "{}{}",
            "\u{0}",
            deep.as_str(),
        ] {
            PayloadRequest::from_json(body.as_bytes()).unwrap_err();
        }
        PayloadRequest::from_json(b"\xff\xfe{}").unwrap_err();
    }
}
