//! From messages to frames.

use std::io::{self, Read as _};

use blockwright_flashblocks::Form;
use bytes::Bytes;

use crate::Unreadable;

/// First bytes of every zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Memory that brotli reads through.
const BROTLI_BUFFER_BYTES: usize = 64 * 1024;

/// Whether `bytes` are a frame as they stand. Text always is; a binary message may be a JSON text all the
/// same, which begins with a brace.
pub(crate) fn is_plain(form: Form, bytes: &[u8]) -> bool {
    !form.is_text() || first_visible(bytes) == Some(b'{')
}

fn first_visible(bytes: &[u8]) -> Option<u8> {
    let mut visible = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    visible.next().copied()
}

/// Unpacks a compressed JSON frame of at most `max_bytes`: zstd says so in its first bytes, everything else can
/// only be brotli. It takes as long as its size demands, so it does not belong on a runtime's thread.
///
/// # Errors
/// [`Unreadable::TooLarge`], [`Unreadable::Packed`].
pub(crate) fn unpack(packed: &[u8], max_bytes: usize) -> Result<Bytes, Unreadable> {
    let mut plain = Vec::new();
    // One byte more tells that there would be more.
    let limit = max_bytes as u64 + 1;
    let read = if packed.starts_with(&ZSTD_MAGIC) {
        zstd::Decoder::new(packed).and_then(|decoder| decoder.take(limit).read_to_end(&mut plain))
    } else {
        brotli::Decompressor::new(packed, BROTLI_BUFFER_BYTES)
            .take(limit)
            .read_to_end(&mut plain)
    };
    read.map_err(|error: io::Error| Unreadable::Packed(error.to_string()))?;
    if plain.len() > max_bytes {
        return Err(Unreadable::TooLarge { max_bytes });
    }
    if first_visible(&plain) != Some(b'{') {
        return Err(Unreadable::Packed("it holds no JSON object".to_owned()));
    }
    Ok(plain.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brotli(plain: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams::default();
        brotli::BrotliCompress(&mut &*plain, &mut packed, &parameters).unwrap();
        packed
    }

    #[test]
    fn both_compressions_are_told_apart_and_bounded() {
        let plain = format!("{{\"a\":\"{}\"}}", "0".repeat(10_000));
        let zstd = zstd::encode_all(plain.as_bytes(), 3).unwrap();
        for packed in [brotli(plain.as_bytes()), zstd] {
            assert!(packed.len() < 1_000);
            assert!(!is_plain(Form::default(), &packed));
            assert_eq!(unpack(&packed, 20_000).unwrap(), plain.as_bytes());
            let small = Unreadable::TooLarge { max_bytes: 9_999 };
            assert_eq!(unpack(&packed, 9_999), Err(small));
            let cut = unpack(&packed[..packed.len() / 2], 20_000);
            assert!(matches!(cut, Err(Unreadable::Packed(_))), "{cut:?}");
        }
        let other = unpack(&brotli(b"no object"), 100);
        assert!(matches!(other, Err(Unreadable::Packed(_))));
    }

    #[test]
    fn json_in_binary_messages_is_plain_and_ssz_always() {
        assert!(is_plain(Form::default(), b" \n{}"));
        assert!(is_plain(Form::Spec, &[0, 0, 0, 1]));
        assert!(!is_plain(Form::default(), b""));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300), zstd: bool) {
            let packed = if zstd { [&ZSTD_MAGIC[..], &bytes].concat() } else { bytes };
            let _ = unpack(&packed, 1_000);
        }
    }
}
