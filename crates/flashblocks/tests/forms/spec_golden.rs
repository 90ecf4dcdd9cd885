//! The bytes and hashes of dialect `spec`, pinned and judged by another implementation.

use alloy_primitives::{B256, hex};
use blockwright_flashblocks::{FlashblocksPayloadV1, SpecEncoder, decode_spec};
use serde_json::{Value, json};

use crate::v1::Step;
use crate::{contracts, describe, golden};

/// Names, containers, bytes and hashes of the script.
pub(crate) fn encoded() -> Vec<(&'static str, Vec<u8>, B256)> {
    let mut encoder = SpecEncoder::new();
    let frames = contracts::steps().into_iter();
    frames
        .map(|Step { name, flashblock }| {
            let frame = encoder.encode(&flashblock).unwrap();
            (name, frame.bytes, frame.flash_hash)
        })
        .collect()
}

fn containers() -> Vec<(&'static str, FlashblocksPayloadV1, B256)> {
    let mut encoder = SpecEncoder::new();
    let steps = contracts::steps().into_iter();
    steps
        .map(|Step { name, flashblock }| {
            let (container, hash) = encoder.container(&flashblock).unwrap();
            (name, container, hash)
        })
        .collect()
}

#[test]
fn bytes_descriptions_and_hashes_are_the_golden_ones() {
    for ((name, bytes, hash), (_, container, _)) in encoded().into_iter().zip(containers()) {
        let description = json!({
            "name": name,
            "hash_tree_root": hash,
            "flashblock": describe::flashblock(&container),
        });
        let text = format!("{}\n", serde_json::to_string_pretty(&description).unwrap());
        golden::check(&format!("golden/spec_{name}.json"), &text);
        let text = format!("{}\n", hex::encode(bytes));
        golden::check(&format!("golden/spec_{name}.ssz.hex"), &text);
    }
}

#[test]
fn golden_bytes_decode_to_what_was_encoded() {
    for (name, container, hash) in containers() {
        let text = golden::read(&format!("golden/spec_{name}.ssz.hex"));
        let read = decode_spec(&hex::decode(text.trim()).unwrap()).unwrap();
        assert_eq!(read, container, "{name}");
        assert_eq!(read.flash_hash(), hash, "{name}");
    }
}

/// `vectors/spec_vectors.py` builds the containers from the descriptions alone.
#[test]
fn another_implementation_gives_the_same_bytes_and_hashes() {
    let judged: Value = serde_json::from_str(&golden::read("vectors/spec_vectors.json")).unwrap();
    let vectors = encoded();
    assert_eq!(judged.as_object().unwrap().len(), vectors.len());
    for (name, bytes, hash) in vectors {
        assert_eq!(judged[name]["ssz"], json!(hex::encode(bytes)), "{name}");
        assert_eq!(judged[name]["hash_tree_root"], json!(hash), "{name}");
    }
}
