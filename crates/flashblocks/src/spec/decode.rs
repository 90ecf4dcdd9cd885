//! Reading dialect `spec`.

use alloy_primitives::FixedBytes;
use ssz::Decode;

use super::containers::{FlashblocksPayloadV1, SPEC_VERSION};
use crate::decode::FRAME_BYTES_MAX;
use crate::error::SpecDecodeError;

/// Decodes one frame. What it accepts encodes to the same bytes again.
///
/// Whether the frame continues a sequence, and whether `parent_flash_hash` is the hash of the one
/// before, is for the consumer to check, who has that one.
///
/// # Errors
/// [`SpecDecodeError`] for whatever is not the dialect; bytes of any content and length are safe to
/// pass, and take memory in proportion to their own size.
pub fn decode_spec(frame: &[u8]) -> Result<FlashblocksPayloadV1, SpecDecodeError> {
    let size_bytes = frame.len();
    if size_bytes > FRAME_BYTES_MAX {
        return Err(SpecDecodeError::TooLarge {
            size_bytes,
            max_bytes: FRAME_BYTES_MAX,
        });
    }
    let version = frame
        .first_chunk()
        .map(|bytes: &[u8; 4]| FixedBytes::new(*bytes))
        .ok_or(SpecDecodeError::NoVersion { size_bytes })?;
    if version != SPEC_VERSION {
        return Err(SpecDecodeError::UnknownVersion { version });
    }
    let flashblock = FlashblocksPayloadV1::from_ssz_bytes(frame)
        .map_err(|cause| SpecDecodeError::Malformed { cause })?;
    check(&flashblock)?;
    Ok(flashblock)
}

/// What the container's types leave open.
fn check(flashblock: &FlashblocksPayloadV1) -> Result<(), SpecDecodeError> {
    let index = flashblock.index;
    let present = flashblock.parent_flash_hash.is_some();
    if present != (index != 0) {
        return Err(SpecDecodeError::ParentFlashHash { index, present });
    }
    let present = flashblock.base.is_some();
    if present != (index == 0) {
        return Err(SpecDecodeError::Static { index, present });
    }
    let mut transactions = flashblock.metadata.transactions.iter().enumerate();
    match transactions.find(|(_, transaction)| transaction.status > 1) {
        Some((position, transaction)) => Err(SpecDecodeError::Status {
            position,
            status: transaction.status,
        }),
        None => Ok(()),
    }
}
