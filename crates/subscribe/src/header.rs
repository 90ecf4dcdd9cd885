//! Which flashblock a frame is, without reading what is in it.

use blockwright_flashblocks::{Dialect, Form};
use blockwright_types::PayloadId;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Unreadable;

/// Where a flashblock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The payload that it belongs to.
    pub payload_id: PayloadId,
    /// Its place in the payload, from 0.
    pub index: u64,
    /// Number of its block, where the frame says it (`spec`: index 0 alone).
    pub block_number: Option<u64>,
}

/// Reads the header of an unpacked frame; everything else in it is skipped.
///
/// # Errors
/// [`Unreadable`] where it has none.
pub fn peek(form: Form, frame: &[u8]) -> Result<FrameHeader, Unreadable> {
    match form.dialect() {
        Dialect::V1 | Dialect::Subblocks => json(frame),
        Dialect::Spec => ssz(frame),
    }
}

#[derive(Deserialize)]
struct JsonFrame {
    payload_id: PayloadId,
    index: Number,
    base: Option<Numbered>,
    metadata: Option<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    block_number: Option<Number>,
}

/// A number, or a hex quantity in a string.
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.write_str("a number or a hex quantity")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                let digits = text.strip_prefix("0x");
                let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
                let wrong = || E::invalid_value(Unexpected::Str(text), &self);
                number.map(Number).ok_or_else(wrong)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn json(frame: &[u8]) -> Result<FrameHeader, Unreadable> {
    let read: JsonFrame =
        serde_json::from_slice(frame).map_err(|error| Unreadable::Json(error.to_string()))?;
    let number = |part: Option<Numbered>| part.and_then(|part| part.block_number);
    Ok(FrameHeader {
        payload_id: read.payload_id,
        index: read.index.0,
        block_number: number(read.metadata)
            .or_else(|| number(read.base))
            .map(|number| number.0),
    })
}

/// The one version of the container there is.
const VERSION: u32 = 1;

// Places in the container's fixed part: version 4, payload id 8, offset of the parent's hash 4, index 8,
// offset of `static` 4, of `diff` 4, of `metadata` 4.
const PAYLOAD_ID_AT: usize = 4;
const INDEX_AT: usize = 16;
const STATIC_OFFSET_AT: usize = 24;
const DIFF_OFFSET_AT: usize = 28;
const FIXED_BYTES: usize = 36;
/// `static` is a list of at most one item of variable size: an offset of 4 bytes, then the item, in which two
/// hashes, an address and another hash stand before the number.
const NUMBER_IN_STATIC: usize = 4 + 32 + 32 + 20 + 32;

fn ssz(frame: &[u8]) -> Result<FrameHeader, Unreadable> {
    let short = Unreadable::Ssz("shorter than its fixed part");
    let version = u32::from_be_bytes(array(frame, 0).ok_or_else(|| short.clone())?);
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    if frame.len() < FIXED_BYTES {
        return Err(short);
    }
    let offset = |at| array(frame, at).map_or(0, |bytes| u32::from_le_bytes(bytes) as usize);
    let (static_at, diff_at) = (offset(STATIC_OFFSET_AT), offset(DIFF_OFFSET_AT));
    if static_at < FIXED_BYTES || diff_at < static_at || frame.len() < diff_at {
        return Err(Unreadable::Ssz("an offset points outside"));
    }
    let number = array(&frame[static_at..diff_at], NUMBER_IN_STATIC).map(u64::from_le_bytes);
    let (payload_id, index) = (array(frame, PAYLOAD_ID_AT), array(frame, INDEX_AT));
    Ok(FrameHeader {
        payload_id: PayloadId::new(payload_id.ok_or_else(|| short.clone())?),
        index: index.map(u64::from_le_bytes).ok_or(short)?,
        block_number: number,
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
