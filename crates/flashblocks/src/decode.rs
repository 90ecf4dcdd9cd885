//! Reading the JSON dialects.

use op_alloy_rpc_types_engine::{
    OpFlashblockPayload, OpFlashblockPayloadBase, OpFlashblockPayloadDelta,
    OpFlashblockPayloadMetadata,
};
use serde::Deserialize;
use serde::de::{Error, IgnoredAny};
use serde_json::value::RawValue;

use crate::DecodeError;
use crate::json_frame::BuilderSignature;
use crate::sequence::FlashblockId;
use blockwright_types::PayloadId;

/// Largest frame that is read, in bytes: a 120 MB block of transactions written as hex, with room
/// for receipts and balances.
pub const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Decodes one JSON frame.
///
/// Unknown keys are ignored, because producers add them. Receipts are read with the internal tag
/// (`"type":"0x2"`) and with the older external one (`{"Eip1559":{…}}`). Whether the frame
/// continues a sequence is for the consumer to check.
///
/// # Errors
/// [`DecodeError::TooLarge`] above [`FRAME_BYTES_MAX`], [`DecodeError::Json`] for everything that is
/// not the dialect, naming the field and its position.
pub fn decode_v1(frame: &[u8]) -> Result<OpFlashblockPayload, DecodeError> {
    check_size(frame)?;
    Ok(serde_json::from_slice(frame)?)
}

/// A JSON frame with what its metadata may say beyond the `v1` triple.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFlashblock {
    /// What all JSON dialects have. Maps that the frame leaves out are empty.
    pub payload: OpFlashblockPayload,
    /// The flashblock before, also in the block before, where the frame names it.
    pub prev_flashblock_id: Option<FlashblockId>,
    /// The builder's signature over the flashblock's hash, where the frame has one.
    pub builder_signature: Option<BuilderSignature>,
}

/// Decodes one frame of a JSON dialect with whatever metadata it has; `block_number` is the one key
/// it must have. Otherwise as [`decode_v1`].
///
/// # Errors
/// As [`decode_v1`].
pub fn decode_json(frame: &[u8]) -> Result<JsonFlashblock, DecodeError> {
    check_size(frame)?;
    let frame: Frame<'_> = serde_json::from_slice(frame)?;
    let keys: MetadataKeys = serde_json::from_str(frame.metadata.get())?;
    let has_maps = keys.new_account_balances.is_some() || keys.receipts.is_some();
    let metadata = if has_maps {
        serde_json::from_str(frame.metadata.get())?
    } else {
        OpFlashblockPayloadMetadata {
            block_number: keys.block_number,
            ..OpFlashblockPayloadMetadata::default()
        }
    };
    let prev_flashblock_id = keys.prev_flashblock_id.map(|text| text.parse());
    Ok(JsonFlashblock {
        payload: OpFlashblockPayload {
            payload_id: frame.payload_id,
            index: frame.index,
            base: frame.base,
            diff: frame.diff,
            metadata,
        },
        prev_flashblock_id: prev_flashblock_id
            .transpose()
            .map_err(|error| serde_json::Error::custom(format!("prev_flashblock_id: {error}")))?,
        builder_signature: keys.builder_signature,
    })
}

const fn check_size(frame: &[u8]) -> Result<(), DecodeError> {
    if frame.len() > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLarge {
            size_bytes: frame.len(),
            max_bytes: FRAME_BYTES_MAX,
        });
    }
    Ok(())
}

#[derive(Deserialize)]
struct Frame<'a> {
    payload_id: PayloadId,
    index: u64,
    base: Option<OpFlashblockPayloadBase>,
    diff: OpFlashblockPayloadDelta,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

#[derive(Deserialize)]
struct MetadataKeys {
    block_number: u64,
    new_account_balances: Option<IgnoredAny>,
    receipts: Option<IgnoredAny>,
    prev_flashblock_id: Option<String>,
    builder_signature: Option<BuilderSignature>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn truncated_frame_is_refused_with_its_cause() {
        let error = decode_v1(b"{\"payload_id\":\"0x0a0a0a0a0a0a0a0a\",\"index\":0").unwrap_err();
        assert!(error.to_string().contains("EOF"), "{error}");
    }

    #[test]
    fn missing_field_is_named() {
        let error = decode_v1(b"{\"payload_id\":\"0x0a0a0a0a0a0a0a0a\",\"index\":0}").unwrap_err();
        assert!(error.to_string().contains("diff"), "{error}");
    }
}
