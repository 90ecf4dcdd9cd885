//! The JSON dialects with their metadata, pinned.

use alloy_primitives::B256;
use blockwright_flashblocks::{
    BuilderSignature, EncodeError, FlashblockId, Form, FrameEncoder, MetadataDetail,
    OpFlashblockPayload, SpecEncoder, decode_json, decode_v1,
};

use crate::v1::{self, Step};
use crate::{contracts, golden};

const V1_FULL: Form = Form::V1(MetadataDetail::Full);

const SIGNATURE: BuilderSignature = BuilderSignature::repeat_byte(0xab);

/// The script's frames in one form.
fn frames(encoder: &mut FrameEncoder, form: Form) -> Vec<String> {
    let steps = v1::steps().into_iter();
    steps
        .map(|Step { flashblock, .. }| {
            let mut frames = encoder.advance(&flashblock).unwrap();
            String::from_utf8(frames.encode(form, Vec::new()).unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn the_default_form_is_v1_to_the_byte() {
    let frames = frames(&mut FrameEncoder::new(false), Form::default());
    for (Step { name, .. }, frame) in v1::steps().into_iter().zip(frames) {
        assert_eq!(
            frame,
            golden::read(&format!("golden/v1_{name}.json")),
            "{name}"
        );
    }
}

/// One frame a line.
#[test]
fn every_other_json_form_is_its_golden_bytes() {
    let pinned = |file: &str, form, prev_id| {
        let lines = frames(&mut FrameEncoder::new(prev_id), form);
        let path = format!("golden/{file}.jsonl");
        golden::check(&path, &format!("{}\n", lines.join("\n")));
    };
    pinned("v1_full_prev_id", V1_FULL, true);
    pinned("v1_minimal", Form::V1(MetadataDetail::Minimal), false);
    pinned("v1_empty", Form::V1(MetadataDetail::Empty), false);
    pinned(
        "subblocks_full",
        Form::Subblocks(MetadataDetail::Full),
        false,
    );
    let minimal = Form::Subblocks(MetadataDetail::Minimal);
    pinned("subblocks_minimal", minimal, false);
    let empty = Form::Subblocks(MetadataDetail::Empty);
    pinned("subblocks_empty", empty, false);
}

#[test]
fn subblocks_differ_from_v1_in_the_three_zeros_alone() {
    let v1 = frames(&mut FrameEncoder::new(false), V1_FULL);
    let form = Form::Subblocks(MetadataDetail::Full);
    let subblocks = frames(&mut FrameEncoder::new(false), form);
    for (v1, subblocks) in v1.iter().zip(subblocks) {
        let mut expected = decode_v1(v1.as_bytes()).unwrap();
        let diff = &mut expected.diff;
        diff.state_root = B256::ZERO;
        diff.block_hash = B256::ZERO;
        diff.withdrawals_root = B256::ZERO;
        assert!(diff.withdrawals.is_empty());
        assert_eq!(decode_v1(subblocks.as_bytes()).unwrap(), expected);
        assert_eq!(serde_json::to_string(&expected).unwrap(), subblocks);
    }
}

/// op-alloy's type needs all three keys: full and empty metadata have them, minimal does not.
#[test]
fn empty_metadata_is_read_by_consumers_of_the_triple() {
    for form in [
        Form::V1(MetadataDetail::Empty),
        Form::Subblocks(MetadataDetail::Empty),
    ] {
        for frame in frames(&mut FrameEncoder::new(false), form) {
            let read: OpFlashblockPayload = serde_json::from_str(&frame).unwrap();
            assert_eq!(read.metadata.block_number, 100);
            assert!(read.metadata.new_account_balances.is_empty());
            assert!(read.metadata.receipts.is_empty());
            assert_eq!(serde_json::to_string(&read).unwrap(), frame);
        }
    }
}

#[test]
fn minimal_metadata_is_block_number_and_the_flashblock_before() {
    let form = Form::V1(MetadataDetail::Minimal);
    let minimal = frames(&mut FrameEncoder::new(false), form);
    let full = frames(&mut FrameEncoder::new(false), V1_FULL);
    let previous = [None, Some("100-0"), Some("100-1"), Some("100-2")];
    for ((minimal, full), previous) in minimal.iter().zip(full).zip(previous) {
        let tail = match previous {
            Some(previous) => format!(r#","prev_flashblock_id":"{previous}"}}}}"#),
            None => "}}".to_owned(),
        };
        let expected = format!(r#""metadata":{{"block_number":100{tail}"#);
        assert!(minimal.ends_with(&expected), "{minimal}");
        let read = decode_json(minimal.as_bytes()).unwrap();
        let id = read.prev_flashblock_id.map(|id| id.to_string());
        assert_eq!(id.as_deref(), previous);
        let mut expected = decode_v1(full.as_bytes()).unwrap();
        expected.metadata.new_account_balances.clear();
        expected.metadata.receipts.clear();
        assert_eq!(read.payload, expected);
    }
}

#[test]
fn the_id_before_stands_after_the_receipts_and_goes_across_blocks() {
    let first = FlashblockId {
        block_number: 99,
        index: 4,
    };
    let mut encoder = FrameEncoder::following(Some(first), true);
    let with = frames(&mut encoder, V1_FULL);
    let without = frames(&mut FrameEncoder::new(false), V1_FULL);
    let previous = ["99-4", "100-0", "100-1", "100-2"];
    for ((with, without), previous) in with.iter().zip(without).zip(previous) {
        let head = without.strip_suffix("}}").unwrap();
        let expected = format!(r#"{head},"prev_flashblock_id":"{previous}"}}}}"#);
        assert_eq!(*with, expected);
        // Consumers of the triple do not mind.
        assert_eq!(
            decode_v1(with.as_bytes()).unwrap(),
            decode_v1(without.as_bytes()).unwrap()
        );
    }
    let last = encoder.last().unwrap();
    assert_eq!((last.block_number, last.index), (100, 0));
}

#[test]
fn a_signature_stands_last_in_json_metadata_and_not_in_spec() {
    let step = &contracts::steps()[0];
    let mut encoder = FrameEncoder::new(false);
    let mut frames = encoder.advance(&step.flashblock).unwrap();
    let unsigned = Form::ALL.map(|form| frames.encode(form, Vec::new()).unwrap());
    let spec = SpecEncoder::new().encode(&step.flashblock).unwrap();
    assert_eq!(frames.flash_hash(), Ok(spec.flash_hash));
    frames.sign(SIGNATURE);
    let signature = "ab".repeat(65);
    for (form, unsigned) in Form::ALL.into_iter().zip(unsigned) {
        let signed = frames.encode(form, Vec::new()).unwrap();
        if form == Form::Spec {
            assert_eq!(signed, unsigned);
            assert_eq!(signed, spec.bytes);
            continue;
        }
        let unsigned = String::from_utf8(unsigned).unwrap();
        let head = unsigned.strip_suffix("}}").unwrap();
        let expected = format!(r#"{head},"builder_signature":"0x{signature}"}}}}"#);
        assert_eq!(String::from_utf8(signed).unwrap(), expected);
        let read = decode_json(expected.as_bytes()).unwrap();
        assert_eq!(read.builder_signature, Some(SIGNATURE));
        let without = decode_json(unsigned.as_bytes()).unwrap();
        assert_eq!(without.builder_signature, None);
        assert_eq!(read.payload, without.payload);
    }
}

#[test]
fn a_hole_is_refused_for_all_forms() {
    let steps = contracts::steps();
    let mut encoder = FrameEncoder::new(false);
    encoder.advance(&steps[0].flashblock).unwrap();
    let refused = encoder.advance(&steps[2].flashblock).map(|_| ());
    assert!(matches!(refused, Err(EncodeError::NotContiguous { .. })));
    let mut frames = encoder.advance(&steps[1].flashblock).unwrap();
    frames.encode(Form::Spec, Vec::new()).unwrap();
}

/// What `spec` cannot hold does not keep JSON from going on.
#[test]
fn without_a_spec_form_the_json_forms_remain() {
    let steps = contracts::steps();
    let mut too_long = (*steps[0].flashblock).clone();
    too_long.base.as_mut().unwrap().extra_data = vec![0; 33].into();
    let mut encoder = FrameEncoder::new(false);
    let mut frames = encoder.advance(&too_long).unwrap();
    let refused = frames.encode(Form::Spec, Vec::new());
    assert!(matches!(refused, Err(EncodeError::Limit { .. })));
    assert_eq!(frames.flash_hash(), Err(refused.unwrap_err()));
    frames.encode(V1_FULL, Vec::new()).unwrap();

    let mut frames = encoder.advance(&steps[1].flashblock).unwrap();
    let refused = frames.encode(Form::Spec, Vec::new());
    assert!(matches!(refused, Err(EncodeError::NotContiguous { .. })));
    frames.encode(V1_FULL, Vec::new()).unwrap();

    let mut frames = encoder.advance(&steps[0].flashblock).unwrap();
    frames.encode(Form::Spec, Vec::new()).unwrap();
}

#[test]
fn metadata_of_the_wrong_form_is_refused_by_name() {
    let form = Form::V1(MetadataDetail::Minimal);
    let frame = frames(&mut FrameEncoder::new(false), form).remove(1);
    for (from, to, named) in [
        (r#""block_number":100"#, r#""number":100"#, "block_number"),
        (r#""100-0""#, r#""100""#, "prev_flashblock_id"),
        (
            r#""100-0""#,
            r#""100-0","receipts":{}"#,
            "new_account_balances",
        ),
        (
            r#""100-0""#,
            r#""100-0","builder_signature":"0x00""#,
            "invalid string length",
        ),
    ] {
        assert!(frame.contains(from));
        let error = decode_json(frame.replace(from, to).as_bytes()).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}
