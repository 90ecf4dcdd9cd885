//! The bytes of dialect `v1`, pinned.
//!
//! `BLOCKWRIGHT_BLESS=1 cargo test -p blockwright-flashblocks --test golden_v1` rewrites the files;
//! do that on purpose only, in its own commit, with the reason.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod v1 {
    pub(crate) mod script;
}

use std::path::PathBuf;

use blockwright_flashblocks::{EncodeError, OpFlashblockPayload, V1Encoder, decode_v1};
use v1::script::{self, Step};

fn golden_path(name: &str) -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("tests/golden")
        .join(format!("v1_{name}.json"))
}

fn encoded() -> Vec<(&'static str, Vec<u8>)> {
    let mut encoder = V1Encoder::new();
    script::steps()
        .into_iter()
        .map(|Step { name, flashblock }| (name, encoder.encode(&flashblock).unwrap()))
        .collect()
}

#[test]
fn frames_are_the_golden_bytes() {
    for (name, frame) in encoded() {
        let path = golden_path(name);
        if std::env::var_os("BLOCKWRIGHT_BLESS").is_some() {
            std::fs::write(&path, &frame).unwrap();
        }
        let golden = std::fs::read(&path).unwrap();
        assert_eq!(
            String::from_utf8(frame).unwrap(),
            String::from_utf8(golden).unwrap(),
            "{name}"
        );
    }
}

/// A judge that is not ours: op-alloy's type must read every frame and write the same bytes.
#[test]
fn op_alloy_reads_and_rewrites_every_golden_frame() {
    for (name, _) in encoded() {
        let golden = std::fs::read(golden_path(name)).unwrap();
        let read: OpFlashblockPayload = serde_json::from_slice(&golden).unwrap();
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            String::from_utf8(golden).unwrap(),
            "{name}"
        );
    }
}

/// The example of the protocol text, character for character.
#[test]
fn the_documented_example_is_what_we_write() {
    let frame = V1Encoder::new()
        .encode(&script::documented_example())
        .unwrap();
    let text = String::from_utf8(frame).unwrap();
    let zeros = "00".repeat(256);
    assert!(
        text.starts_with(r#"{"payload_id":"0x0a0a0a0a0a0a0a0a","index":0,"base":{"parent_beacon_block_root":"0x01"#),
        "{text}"
    );
    assert!(text.contains(
        r#""block_number":"0x64","gas_limit":"0x1c9c380","timestamp":"0x686d6600","extra_data":"0x000102","base_fee_per_gas":"0x3b9aca00"},"diff":{"state_root":"#
    ), "{text}");
    assert!(
        text.contains(&format!(
            r#""logs_bloom":"0x{zeros}","gas_used":"0xc350","block_hash":"#
        )),
        "{text}"
    );
    assert!(
        text.contains(r#""transactions":["0x7e010203"],"withdrawals":[],"withdrawals_root":"#),
        "{text}"
    );
    assert!(
        text.contains(
            r#","blob_gas_used":"0x0"},"metadata":{"block_number":100,"new_account_balances":{"0x"#
        ),
        "{text}"
    );
    assert!(text.ends_with(
        r#":{"type":"0x7e","status":"0x1","cumulativeGasUsed":"0xc350","logs":[],"depositNonce":"0x7","depositReceiptVersion":"0x1"}}}}"#
    ), "{text}");
}

#[test]
fn what_was_encoded_is_decoded() {
    for Step { name, flashblock } in script::steps() {
        let golden = std::fs::read(golden_path(name)).unwrap();
        let read = decode_v1(&golden).unwrap();
        assert_eq!(read.payload_id, flashblock.payload_id, "{name}");
        assert_eq!(read.index, flashblock.index, "{name}");
        assert_eq!(read.base.is_some(), flashblock.base.is_some(), "{name}");
        assert_eq!(read.diff.blob_gas_used, flashblock.blob_gas_used, "{name}");
        let part = &flashblock.part;
        assert_eq!(
            read.diff.transactions.len(),
            part.transactions.len(),
            "{name}"
        );
        for (tx, receipt) in part.transactions.iter().zip(&part.receipts) {
            assert!(read.diff.transactions.contains(&tx.encoded), "{name}");
            assert_eq!(
                read.metadata.receipts.get(&tx.hash),
                Some(receipt),
                "{name}"
            );
        }
    }
}

#[test]
fn balances_are_cumulative_within_a_payload_and_start_anew_with_the_next() {
    let balances: Vec<usize> = encoded()
        .iter()
        .map(|(_, frame)| {
            decode_v1(frame)
                .unwrap()
                .metadata
                .new_account_balances
                .len()
        })
        .collect();
    assert_eq!(balances, [3, 5, 5, 1]);
}

#[test]
fn externally_tagged_receipts_are_read() {
    let frame = String::from_utf8(encoded().remove(0).1).unwrap();
    let (head, receipts) = frame.split_once(r#""receipts":{"#).unwrap();
    let (key, _) = receipts.split_once(':').unwrap();
    let old = format!(
        r#"{head}"receipts":{{{key}:{{"Deposit":{{"status":"0x1","cumulativeGasUsed":"0xb3b0","logs":[],"depositNonce":"0x7","depositReceiptVersion":"0x1"}}}}}}}}}}"#
    );
    assert_eq!(
        decode_v1(old.as_bytes()).unwrap(),
        decode_v1(frame.as_bytes()).unwrap()
    );
}

#[test]
fn a_hole_in_the_sequence_is_refused_and_leaves_the_encoder_as_it_was() {
    let steps = script::steps();
    let mut encoder = V1Encoder::new();
    assert!(matches!(
        encoder.encode(&steps[1].flashblock),
        Err(EncodeError::NotContiguous {
            index: 1,
            expected: None,
            ..
        })
    ));
    encoder.encode(&steps[0].flashblock).unwrap();
    let error = encoder.encode(&steps[2].flashblock).unwrap_err();
    assert!(error.to_string().contains("expected index 1"), "{error}");
    let after_refusal = encoder.encode(&steps[1].flashblock).unwrap();
    assert_eq!(after_refusal, encoded()[1].1);
}

#[test]
fn a_base_elsewhere_than_at_index_0_is_refused() {
    let steps = script::steps();
    let mut encoder = V1Encoder::new();
    let mut first = (*steps[0].flashblock).clone();
    first.base = None;
    assert!(matches!(
        encoder.encode(&first),
        Err(EncodeError::Base {
            index: 0,
            present: false,
            ..
        })
    ));
    encoder.encode(&steps[0].flashblock).unwrap();
    let mut second = (*steps[1].flashblock).clone();
    second.base.clone_from(&steps[0].flashblock.base);
    assert!(matches!(
        encoder.encode(&second),
        Err(EncodeError::Base {
            index: 1,
            present: true,
            ..
        })
    ));
}
