//! Reading dialect `v1`.

use op_alloy_rpc_types_engine::OpFlashblockPayload;

use crate::DecodeError;

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
    if frame.len() > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLarge {
            size_bytes: frame.len(),
            max_bytes: FRAME_BYTES_MAX,
        });
    }
    Ok(serde_json::from_slice(frame)?)
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
