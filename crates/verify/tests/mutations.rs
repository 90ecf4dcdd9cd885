//! Any single change of any field is found, and by its name.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use blockwright_flashblocks::{OpFlashblockPayload, decode_v1};
use blockwright_types::OpFork;
use proptest::prelude::*;
use serde_json::Value;
use support::{complaints, stream, verify};

/// Paths of all leaves of a frame, as JSON pointers. Balances are left out: what an account has
/// after the block is committed to by the state root alone, and that takes the state to check.
fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    if path.ends_with("/new_account_balances") {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(value, format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                leaves(value, format!("{path}/{at}"), found);
            }
        }
        _ => found.push(path),
    }
}

/// How a leaf is changed.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// Another digit or number, this many from the end.
    Digit(usize),
    /// All digits zero.
    Zero,
}

fn change(value: &mut Value, how: Change) -> bool {
    let before = value.clone();
    match (&mut *value, how) {
        (Value::String(text), Change::Digit(from_end)) => {
            let digits = text.len().saturating_sub(2);
            if digits == 0 {
                text.push_str("11");
            } else {
                let at = text.len() - 1 - from_end % digits;
                let digit = if text.as_bytes()[at] == b'1' {
                    "2"
                } else {
                    "1"
                };
                text.replace_range(at..=at, digit);
            }
        }
        (Value::String(text), Change::Zero) => {
            *text = format!("0x{}", "0".repeat(text.len().saturating_sub(2)));
        }
        (Value::Number(number), Change::Digit(_)) => {
            *value = Value::from(number.as_u64().unwrap() + 1);
        }
        (Value::Number(_), Change::Zero) => *value = Value::from(0),
        (other, _) => panic!("{other} is no leaf of a frame"),
    }
    *value != before
}

/// What is said when the leaf at `path` of one frame is another; `None` where nothing changed.
fn said(
    fork: OpFork,
    frames: &[OpFlashblockPayload],
    (at, path): (usize, &str),
    how: Change,
) -> Option<Vec<String>> {
    let mut json = serde_json::to_value(&frames[at]).unwrap();
    if !change(json.pointer_mut(path).unwrap(), how) {
        return None;
    }
    let mut frames = frames.to_vec();
    match decode_v1(&serde_json::to_vec(&json).unwrap()) {
        Err(error) => return Some(vec![format!("Decode({error})")]),
        // A number with a leading zero is the number it was.
        Ok(read) if read == frames[at] => return None,
        Ok(read) => frames[at] = read,
    }
    Some(complaints(&verify(fork, &frames)))
}

#[test]
fn every_changed_leaf_is_found() {
    for fork in [OpFork::Ecotone, OpFork::Isthmus, OpFork::Karst] {
        let stream = stream(fork, 100, &[5, 0, 3]);
        let mut count = 0;
        for (at, flashblock) in stream.flashblocks.iter().enumerate() {
            let json = serde_json::to_value(flashblock).unwrap();
            let mut paths = Vec::new();
            leaves(&json, String::new(), &mut paths);
            for path in &paths {
                for how in [Change::Digit(0), Change::Digit(7), Change::Zero] {
                    let found = said(fork, &stream.flashblocks, (at, path), how);
                    assert_ne!(found, Some(Vec::new()), "{fork}, {at}{path}, {how:?}");
                    count += usize::from(found.is_some());
                }
            }
        }
        assert!(count > 300, "{count} changes");
    }
}

/// The first thing said of a change names the field, or the hash that commits to it.
#[test]
fn each_field_has_its_error() {
    let expected = [
        (0, "/payload_id", "Skipped { expected: 0 }"),
        (1, "/index", "Skipped { expected: 1 }"),
        (0, "/base/parent_hash", "BlockHash"),
        (0, "/base/parent_beacon_block_root", "BlockHash"),
        (0, "/base/fee_recipient", "BlockHash"),
        (0, "/base/prev_randao", "BlockHash"),
        (0, "/base/block_number", "Invalid(BaseBlockNumber"),
        (0, "/base/gas_limit", "BlockHash"),
        (0, "/base/timestamp", "BlockHash"),
        (0, "/base/extra_data", "BlockHash"),
        (0, "/base/base_fee_per_gas", "BlockHash"),
        (1, "/diff/state_root", "BlockHash"),
        (1, "/diff/receipts_root", "ReceiptsRoot"),
        (1, "/diff/logs_bloom", "LogsBloom"),
        (1, "/diff/gas_used", "GasUsed"),
        (1, "/diff/block_hash", "BlockHash"),
        (1, "/diff/withdrawals_root", "BlockHash"),
        (1, "/diff/blob_gas_used", "BlobGasUsed"),
        (1, "/metadata/block_number", "Invalid(BlockNumber"),
    ];
    let stream = stream(OpFork::Karst, 100, &[5, 2]);
    for (at, path, name) in expected {
        let found = said(
            OpFork::Karst,
            &stream.flashblocks,
            (at, path),
            Change::Digit(0),
        );
        let found = found.unwrap();
        assert!(found[0].starts_with(name), "{path}: {found:?}");
    }
}

#[test]
fn receipts_are_those_of_the_transactions() {
    let honest = stream(OpFork::Karst, 100, &[5, 2]);
    let first = |change: &dyn Fn(&mut OpFlashblockPayload)| {
        let mut frames = honest.flashblocks.clone();
        change(&mut frames[1]);
        complaints(&verify(OpFork::Karst, &frames)).remove(0)
    };
    let missing = first(&|f| {
        f.metadata.receipts.pop_first();
    });
    assert!(missing.starts_with("ReceiptMissing"), "{missing}");
    let unknown = first(&|f| {
        let (_, receipt) = f.metadata.receipts.first_key_value().unwrap();
        let receipt = receipt.clone();
        f.metadata.receipts.insert(Default::default(), receipt);
    });
    assert!(unknown.starts_with("ReceiptUnknown"), "{unknown}");
    let absent = first(&|f| f.metadata.receipts.clear());
    assert!(absent.starts_with("ReceiptsAbsent"), "{absent}");
    let swapped = first(&|f| f.diff.transactions.swap(0, 1));
    assert!(swapped.starts_with("ReceiptGas"), "{swapped}");
    let dropped = first(&|f| {
        f.diff.transactions.pop();
    });
    assert!(dropped.contains("Receipt"), "{dropped}");
    let cut = first(&|f| {
        let bytes = f.diff.transactions[0].clone();
        f.diff.transactions[0] = bytes.slice(..bytes.len() - 1);
    });
    assert!(cut.starts_with("Transaction { position: 0"), "{cut}");
}

/// An order that is not the policy's is found although block and hashes are honest.
#[test]
fn a_block_out_of_order_is_valid_but_found() {
    let frames = support::reversed(OpFork::Karst, 100, 4).flashblocks;
    let reports = verify(OpFork::Karst, &frames);
    assert!(matches!(reports[1].block, Some(Ok(_))));
    let found = complaints(&reports);
    assert!(found[0].starts_with("Outranked"), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 160,
        rng_seed: proptest::test_runner::RngSeed::Fixed(5),
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_digit_of_any_leaf(
        at in 0_usize..4, leaf in any::<prop::sample::Index>(), digit in 0_usize..600,
        jovian in any::<bool>(),
    ) {
        let fork = if jovian { OpFork::Jovian } else { OpFork::Isthmus };
        let stream = stream(fork, 100, &[6, 1, 2]);
        let json = serde_json::to_value(&stream.flashblocks[at]).unwrap();
        let mut paths = Vec::new();
        leaves(&json, String::new(), &mut paths);
        let path = leaf.get(&paths);
        let found = said(fork, &stream.flashblocks, (at, path), Change::Digit(digit));
        prop_assert_ne!(found, Some(Vec::new()), "{}{}", at, path);
    }
}
