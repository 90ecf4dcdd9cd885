//! The fuzz targets' code over blocks and requests that were changed.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use alloy_primitives::Bytes;
use serde_json::Value;

#[path = "../../../fuzz/src/feed_block.rs"]
mod feed_block;

#[path = "../../../fuzz/src/feed_request.rs"]
mod feed_request;

#[test]
fn changed_blocks_are_decoded_or_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/vectors.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut decoded, mut refused) = (0, 0);
    for vector in vectors["blocks"].as_array().unwrap() {
        for form in ["blinded", "full"] {
            let bytes: Bytes = vector[form].as_str().unwrap().parse().unwrap();
            assert_eq!(feed_block::feed(&bytes), 1);
            for at in (0..bytes.len()).step_by(5) {
                let mut changed = bytes.to_vec();
                changed[at] ^= 1 << (at % 7);
                match feed_block::feed(&changed) {
                    0 => refused += 1,
                    _ => decoded += 1,
                }
                feed_block::feed(&bytes[..at]);
            }
        }
    }
    // Most bytes are fields, some are offsets.
    assert!(decoded > refused && refused > 100, "{decoded} {refused}");
}

#[test]
fn changed_requests_are_decoded_or_refused() {
    let request = include_bytes!("requests/living.json");
    assert!(feed_request::feed(request));
    let (mut decoded, mut refused) = (0, 0);
    for at in 0..request.len() {
        for byte in *b"0aX\"{}[]:,\\ \xff" {
            let mut changed = request.to_vec();
            changed[at] = byte;
            match feed_request::feed(&changed) {
                true => decoded += 1,
                false => refused += 1,
            }
            changed.insert(at, byte);
            feed_request::feed(&changed);
        }
        // The line's end is no part of it.
        assert!(at + 1 == request.len() || !feed_request::feed(&request[..at]));
    }
    // Most bytes are hex digits.
    assert!(decoded > 300 && refused > 1_000, "{decoded} {refused}");
}
