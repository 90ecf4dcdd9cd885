//! The pinned flashblocks in every dialect, and signatures over them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use alloy_primitives::{Address, address, hex};
use blockwright_flashblocks::{Dialect, decode_spec};
use blockwright_signer::{LocalSigner, SecretText, Signer as _};
use blockwright_watch::{
    Access, FindingKind, FlashblockSeen, Heard, Monitor, MonitorRules, Pair, Recording,
    RecordingWriter, SignerRule, WatchError, listen,
};
use serde_json::Value;

const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const SIGNER: Address = address!("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
/// The flashblocks that are pinned in every dialect: one payload.
const NAMES: [&str; 3] = ["0_opening", "1_every_type", "2_empty"];

fn read(name: &str) -> String {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = std::path::Path::new(&package).join("../flashblocks/tests/golden");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn heard(dialect: Dialect, at: usize, frame: Vec<u8>) -> Heard {
    Heard {
        at_us: 1_000_000 + 200_000 * at as u64,
        dialect,
        frame: frame.into(),
    }
}

fn frames(dialect: Dialect) -> Vec<Heard> {
    let subblocks = read("subblocks_full.jsonl");
    let frame = |(at, name): (usize, &str)| match dialect {
        Dialect::V1 => read(&format!("v1_{name}.json")).into_bytes(),
        Dialect::Subblocks => subblocks.lines().nth(at).unwrap().as_bytes().to_vec(),
        Dialect::Spec => hex::decode(read(&format!("spec_{name}.ssz.hex")).trim()).unwrap(),
    };
    let all = NAMES.into_iter().enumerate();
    all.map(|(at, name)| heard(dialect, at, frame((at, name))))
        .collect()
}

fn monitor(dialect: Dialect, signers: &[Address]) -> Monitor {
    Monitor::new(MonitorRules {
        dialect,
        verify: false,
        signers: if signers.is_empty() {
            SignerRule::Unchecked
        } else {
            SignerRule::OneOf(signers.to_vec())
        },
    })
}

fn kinds(seen: &FlashblockSeen) -> Vec<FindingKind> {
    seen.findings.iter().map(|finding| finding.kind).collect()
}

/// The JSON frame with the signature of the one beside it.
fn signed(json: &Heard, spec: &Heard) -> Heard {
    let signer = LocalSigner::from_hex(&SecretText::new(KEY.to_owned())).unwrap();
    let hash = decode_spec(&spec.frame).unwrap().flash_hash();
    let signature = signer.sign(hash).unwrap();
    let mut value: Value = serde_json::from_slice(&json.frame).unwrap();
    value["metadata"]["builder_signature"] = signature.to_string().into();
    Heard {
        frame: value.to_string().into(),
        ..json.clone()
    }
}

fn pairs(dialect: Dialect) -> Vec<Pair> {
    let both = frames(dialect).into_iter().zip(frames(Dialect::Spec));
    both.map(|(json, spec)| Pair {
        heard: signed(&json, &spec),
        beside: Some(spec),
    })
    .collect()
}

#[test]
fn every_dialect_shows_the_same_blocks() {
    let mut first: Option<Vec<_>> = None;
    for dialect in Dialect::ALL {
        let mut monitor = monitor(dialect, &[]);
        let seen: Vec<_> = frames(dialect)
            .iter()
            .map(|frame| monitor.hear(frame))
            .collect();
        let figures: Vec<_> = seen
            .iter()
            .map(|seen| {
                assert_eq!(seen.findings, [], "{dialect}");
                assert!(seen.is_accepted && seen.signer.is_none());
                assert_eq!(seen.has_root, dialect != Dialect::Subblocks);
                (
                    seen.block_number,
                    seen.index,
                    seen.transactions,
                    seen.gas_used,
                )
            })
            .collect();
        let block = monitor.blocks().back().unwrap();
        assert_eq!(block.flashblocks.len(), NAMES.len());
        assert!(block.gas_limit.is_some() && block.timestamp_s.is_some());
        assert_eq!(first.get_or_insert(figures.clone()), &figures, "{dialect}");
    }
}

#[test]
fn gaps_and_repetitions_are_found_in_spec() {
    let frames = frames(Dialect::Spec);
    let mut monitor = monitor(Dialect::Spec, &[]);
    let headless = monitor.hear(&frames[2]);
    // Who joins in the middle of a block has missed nothing.
    assert_eq!(kinds(&headless), []);
    assert_eq!((headless.index, headless.block_number), (2, 0));
    assert!(!headless.payload_id.is_empty());
    assert_eq!(kinds(&monitor.hear(&frames[0])), []);
    assert_eq!(kinds(&monitor.hear(&frames[2])), [FindingKind::Gap]);
    assert_eq!(kinds(&monitor.hear(&frames[0])), [FindingKind::Duplicate]);
    assert_eq!(kinds(&monitor.hear(&frames[1])), []);
    assert_eq!(kinds(&monitor.hear(&frames[2])), []);
}

#[test]
fn a_changed_byte_of_spec_breaks_its_chain() {
    let mut frames = frames(Dialect::Spec);
    // The last byte belongs to the metadata of a transaction or an account.
    let mut changed = frames[1].frame.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    frames[1].frame = changed.into();
    let mut monitor = monitor(Dialect::Spec, &[]);
    let seen: Vec<_> = frames.iter().map(|frame| monitor.hear(frame)).collect();
    assert_eq!(kinds(&seen[0]), []);
    let found: Vec<_> = seen[1..].iter().flat_map(kinds).collect();
    assert!(found.contains(&FindingKind::Chain) || found.contains(&FindingKind::Undecodable));
}

#[test]
fn what_is_no_frame_is_a_finding_by_its_name() {
    let mut monitor = monitor(Dialect::Spec, &[]);
    let mut other = frames(Dialect::Spec).swap_remove(0);
    let mut bytes = other.frame.to_vec();
    bytes[3] = 2;
    other.frame = bytes.into();
    let seen = monitor.hear(&other);
    assert_eq!(kinds(&seen), [FindingKind::Undecodable]);
    assert!(seen.findings[0].text.contains("0x00000002"), "{seen:?}");
    let seen = monitor.unreadable(1_400_000, 9, "flashblock version 0x00000003 is unknown");
    assert_eq!(kinds(&seen), [FindingKind::Undecodable]);
    assert_eq!(seen.since_previous_ms, Some(400.0));
    assert_eq!(monitor.totals().findings, 2);
}

#[test]
fn signed_frames_of_both_json_dialects_have_their_signer() {
    for dialect in [Dialect::V1, Dialect::Subblocks] {
        let other = Address::repeat_byte(1);
        let mut monitor = monitor(dialect, &[other, SIGNER]);
        for pair in pairs(dialect) {
            let seen = monitor.hear_pair(&pair);
            assert_eq!(seen.findings, [], "{dialect}");
            assert_eq!(seen.signer, Some(SIGNER));
        }
    }
}

#[test]
fn what_is_wrong_with_a_signature_is_named() {
    let pairs = pairs(Dialect::V1);
    let stranger = Address::repeat_byte(1);
    let seen = monitor(Dialect::V1, &[stranger]).hear_pair(&pairs[0]);
    assert_eq!(kinds(&seen), [FindingKind::Signer]);
    assert!(seen.findings[0].text.contains(&SIGNER.to_string()));
    assert!(seen.is_accepted && seen.signer == Some(SIGNER));

    let unsigned = Pair {
        heard: frames(Dialect::V1).swap_remove(0),
        ..pairs[0].clone()
    };
    let seen = monitor(Dialect::V1, &[SIGNER]).hear_pair(&unsigned);
    assert_eq!(
        (kinds(&seen), seen.signer),
        (vec![FindingKind::Unsigned], None)
    );

    let alone = Pair {
        beside: None,
        ..pairs[0].clone()
    };
    let seen = monitor(Dialect::V1, &[SIGNER]).hear_pair(&alone);
    assert_eq!(kinds(&seen), [FindingKind::Unpaired]);

    // Signature and content of another flashblock.
    let mut crossed = monitor(Dialect::V1, &[SIGNER]);
    let other = Pair {
        beside: pairs[1].beside.clone(),
        ..pairs[0].clone()
    };
    let seen = crossed.hear_pair(&other);
    assert_eq!(kinds(&seen), [FindingKind::Pair, FindingKind::Signer]);

    let noise = Pair {
        beside: Some(heard(Dialect::Spec, 0, vec![0, 0, 0, 1, 7])),
        ..pairs[0].clone()
    };
    let seen = monitor(Dialect::V1, &[SIGNER]).hear_pair(&noise);
    assert_eq!(kinds(&seen), [FindingKind::Pair]);
    assert!(seen.findings[0].text.contains("SSZ"), "{seen:?}");
}

#[test]
fn what_a_verifying_watch_finds_with_signatures_is_not_proved() {
    let pairs = pairs(Dialect::V1);
    let mut monitor = Monitor::new(MonitorRules {
        dialect: Dialect::V1,
        verify: true,
        signers: SignerRule::OneOf(vec![Address::repeat_byte(1)]),
    });
    let seen = monitor.hear_pair(&pairs[0]);
    assert_eq!(seen.verified, Some(false));
    assert!(kinds(&seen).contains(&FindingKind::Signer));
}

#[test]
fn a_recording_names_its_dialect_and_keeps_what_came_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    for dialect in Dialect::ALL {
        let path = folder.path().join(dialect.name());
        let mut writer = RecordingWriter::create(&path, dialect).unwrap();
        let mut all = frames(dialect);
        if dialect != Dialect::Spec {
            all.extend(frames(Dialect::Spec));
        }
        all.iter().for_each(|heard| writer.write(heard).unwrap());
        let recording = Recording::open(&path).unwrap();
        assert_eq!(recording.dialect(), dialect);
        let back: Vec<_> = recording.map(Result::unwrap).collect();
        assert_eq!(back, all, "{dialect}");
    }
}

#[test]
fn recordings_of_old_and_broken_ones_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let frame = String::from_utf8(frames(Dialect::V1)[0].frame.to_vec()).unwrap();
    write(&format!("7 {frame}\n"));
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording.dialect(), Dialect::V1);
    let back: Vec<_> = recording.map(Result::unwrap).collect();
    assert_eq!((back.len(), back[0].at_us), (1, 7));
    write("dialect v7\n");
    let error = Recording::open(&path).unwrap_err().to_string();
    assert!(error.contains("line 1: `v7`"), "{error}");
    write("dialect spec\n1 0x00\n2 {}\n");
    let error = Recording::open(&path).unwrap().nth(1).unwrap().unwrap_err();
    assert!(error.to_string().contains("line 3: not hex"), "{error}");
    write("");
    assert!(Recording::open(&path).unwrap().next().is_none());
}

#[test]
fn a_url_that_asks_for_a_dialect_is_refused() {
    let url = "ws://127.0.0.1:1/?api_key=secret&dialect=spec";
    let error = listen(url, Dialect::V1, &Access::default()).err().unwrap();
    assert!(matches!(error, WatchError::Url { .. }));
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(
        listen(
            "ws://127.0.0.1:1/?api_key=secret",
            Dialect::Spec,
            &Access::default()
        )
        .is_ok()
    );
}

#[test]
fn any_signer_is_taken_as_long_as_it_stays_the_same() {
    let pairs = pairs(Dialect::V1);
    let mut monitor = Monitor::new(MonitorRules {
        signers: SignerRule::Constant,
        ..MonitorRules::default()
    });
    for pair in &pairs[..2] {
        let seen = monitor.hear_pair(pair);
        assert_eq!((kinds(&seen), seen.signer), (vec![], Some(SIGNER)));
    }
    // The signature of another flashblock leads to another address.
    let mut changed = pairs[2].clone();
    changed.heard = signed(&frames(Dialect::V1)[2], &frames(Dialect::Spec)[0]);
    assert_eq!(kinds(&monitor.hear_pair(&changed)), [FindingKind::Signer]);
}
