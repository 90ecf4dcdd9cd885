//! What only shows from one flashblock to the next: lost tails, missing blocks, second contents.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use alloy_primitives::{Address, B256, U256};
use blockwright_flashblocks::Dialect;
use blockwright_watch::{
    FindingKind, FlashblockSeen, Heard, Monitor, MonitorRules, SealedBlock, SignerRule,
};
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = std::path::Path::new(&package).join("../flashblocks/tests/golden");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn hash(number: u64, index: u64) -> B256 {
    U256::from(number * 100 + index + 1).into()
}

/// A flashblock of block `number` that is built on flashblock `parent` of the block before; flashblock 2
/// brings nothing.
fn frame(number: u64, index: u64, parent: u64) -> Value {
    let mut value = golden(
        [
            "v1_0_opening.json",
            "v1_1_every_type.json",
            "v1_2_empty.json",
        ][usize::try_from(index.min(2)).unwrap()],
    );
    value["payload_id"] = format!("0x{number:016x}").into();
    value["index"] = index.into();
    value["metadata"]["block_number"] = number.into();
    value["diff"]["block_hash"] = hash(number, index).to_string().into();
    if index == 0 {
        value["base"]["block_number"] = format!("0x{number:x}").into();
        value["base"]["timestamp"] = "0x64".into();
        value["base"]["parent_hash"] = hash(number - 1, parent).to_string().into();
    }
    value
}

fn hear(monitor: &mut Monitor, frame: &Value) -> FlashblockSeen {
    monitor.hear(&Heard {
        at_us: 99_500_000,
        dialect: Dialect::V1,
        frame: frame.to_string().into(),
    })
}

fn kinds(seen: &FlashblockSeen) -> Vec<FindingKind> {
    seen.findings.iter().map(|finding| finding.kind).collect()
}

fn begun(indices: std::ops::Range<u64>) -> Monitor {
    let mut monitor = Monitor::new(MonitorRules::default());
    for index in indices {
        assert_eq!(kinds(&hear(&mut monitor, &frame(10, index, 0))), []);
    }
    monitor
}

fn sealed(number: u64, index: u64) -> SealedBlock {
    SealedBlock {
        hash: hash(number, index),
        receipts_root: B256::ZERO,
        gas_used: 0,
    }
}

#[test]
fn published_flashblocks_that_were_not_sealed_are_found() {
    let mut monitor = begun(0..3);
    let findings = monitor.sealed(10, &sealed(10, 0)).unwrap();
    assert_eq!(findings.len(), 1, "flashblock 2 is empty: {findings:?}");
    assert_eq!(findings[0].kind, FindingKind::Unsealed);
    assert!(findings[0].text.contains("flashblock 1 with"));
    assert_eq!(monitor.totals().findings, 1);
    assert_eq!(begun(0..3).sealed(10, &sealed(10, 2)), Some(vec![]));
    // An empty tail is no loss.
    assert_eq!(begun(0..3).sealed(10, &sealed(10, 1)), Some(vec![]));
    assert_eq!(begun(0..3).sealed(11, &sealed(10, 1)), None);
}

#[test]
fn a_payload_that_was_replaced_promised_nothing() {
    let mut monitor = begun(0..2);
    let mut again = frame(10, 0, 0);
    again["payload_id"] = "0x00000000000000ff".into();
    assert_eq!(kinds(&hear(&mut monitor, &again)), [FindingKind::Reorg]);
    assert_eq!(monitor.sealed(10, &sealed(10, 0)), Some(vec![]));
}

#[test]
fn blocks_hang_on_each_other() {
    let next = |monitor: &mut Monitor, number, parent| {
        let seen = hear(monitor, &frame(number, 0, parent));
        assert!(seen.is_accepted);
        kinds(&seen)
    };
    assert_eq!(next(&mut begun(0..3), 11, 2), []);
    assert_eq!(next(&mut begun(0..3), 11, 1), [], "the tail is empty");
    assert_eq!(next(&mut begun(0..3), 11, 0), [FindingKind::Unsealed]);
    assert_eq!(next(&mut begun(0..3), 11, 7), [FindingKind::Parent]);
    assert_eq!(next(&mut begun(0..3), 13, 2), [FindingKind::Gap]);
    // What is known to be missing is said once.
    let mut monitor = begun(0..2);
    assert_eq!(monitor.missed("not held").kind, FindingKind::Gap);
    assert_eq!(next(&mut monitor, 11, 2), []);
    assert_eq!(monitor.totals().findings, 1);
    assert!(monitor.notes()[0].contains("not held"));
}

#[test]
fn the_flashblock_named_as_the_one_before_is_the_one_before() {
    for (named, expected) in [("10-1", vec![]), ("10-2", vec![FindingKind::Gap])] {
        let mut monitor = begun(0..2);
        let mut next = frame(11, 0, 1);
        next["metadata"]["prev_flashblock_id"] = named.into();
        assert_eq!(kinds(&hear(&mut monitor, &next)), expected);
    }
}

#[test]
fn who_joins_in_the_middle_of_a_block_waits_without_a_finding() {
    for verify in [false, true] {
        let mut monitor = Monitor::new(MonitorRules {
            verify,
            ..MonitorRules::default()
        });
        for index in 1..3 {
            let seen = hear(&mut monitor, &frame(10, index, 0));
            assert_eq!((kinds(&seen), seen.verified), (vec![], None));
            assert!(!seen.is_accepted);
        }
        assert!(hear(&mut monitor, &frame(11, 0, 2)).is_accepted);
        let skipped = hear(&mut monitor, &frame(11, 2, 2));
        assert_eq!(kinds(&skipped), [FindingKind::Gap]);
    }
}

#[test]
fn an_equivocation_shows_both_contents() {
    let mut monitor = begun(0..2);
    let first = frame(10, 1, 0);
    let mut second = first.clone();
    second["diff"]["gas_used"] = "0x7".into();
    let seen = hear(&mut monitor, &second);
    assert_eq!(kinds(&seen), [FindingKind::Equivocation]);
    let shown = serde_json::to_value(&seen).unwrap();
    let finding = &shown["findings"][0];
    assert_eq!(finding["first"]["diff"], first["diff"]);
    assert_eq!(finding["second"]["diff"], second["diff"]);
    assert_ne!(finding["first_digest"], finding["second_digest"]);
    let gas = first["diff"]["gas_used"].as_str().unwrap();
    assert_eq!(
        finding["differs"],
        json!([format!("diff.gas_used {gas} / 0x7")])
    );
    let text = finding["text"].as_str().unwrap();
    assert!(text.contains(finding["first_digest"].as_str().unwrap()));
    assert!(text.contains("diff.gas_used"), "{text}");
}

#[test]
fn arrival_is_told_from_the_timestamp_of_the_block() {
    let monitor = begun(0..2);
    let block = &monitor.blocks()[0];
    assert_eq!(block.arrival_ms(), Some((-500.0, -500.0)));
    assert_eq!(block.flashblocks[1].after_timestamp_ms, Some(-500.0));
}

#[test]
fn a_signature_that_cannot_be_one_is_found_without_a_signer() {
    let wrong_id = format!("0x{}02", "11".repeat(64));
    let too_short = "0x1111".to_owned();
    let numbers = format!("0x{}00", "ff".repeat(64));
    for (signature, kind) in [
        (wrong_id, FindingKind::Signer),
        (numbers, FindingKind::Signer),
        (too_short, FindingKind::Undecodable),
    ] {
        let mut monitor = Monitor::new(MonitorRules {
            verify: true,
            signers: SignerRule::Unchecked,
            ..MonitorRules::default()
        });
        let mut opening = frame(10, 0, 0);
        opening["metadata"]["builder_signature"] = signature.clone().into();
        let seen = hear(&mut monitor, &opening);
        assert!(kinds(&seen).contains(&kind), "{signature}: {seen:?}");
        assert_ne!(Some(Address::ZERO), seen.signer);
    }
}
