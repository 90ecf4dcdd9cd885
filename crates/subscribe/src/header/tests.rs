use blockwright_flashblocks::MetadataDetail;
use proptest::prelude::*;

use super::*;

const V1: Form = Form::V1(MetadataDetail::Full);

const OPENING: &str = include_str!("../../../flashblocks/tests/golden/v1_0_opening.json");
const NEXT: &str = include_str!("../../../flashblocks/tests/golden/v1_1_every_type.json");
const MINIMAL: &str = include_str!("../../../flashblocks/tests/golden/v1_minimal.jsonl");
const SPEC_OPENING: &str = include_str!("../../../flashblocks/tests/golden/spec_0_opening.ssz.hex");
const SPEC_NEXT: &str = include_str!("../../../flashblocks/tests/golden/spec_1_every_type.ssz.hex");

const OPENING_SAID: &str = include_str!("../../../flashblocks/tests/golden/spec_0_opening.json");
const NEXT_SAID: &str = include_str!("../../../flashblocks/tests/golden/spec_1_every_type.json");

#[test]
fn golden_json_frames_say_where_they_stand() {
    for frame in [OPENING, NEXT].into_iter().chain(MINIMAL.lines().take(1)) {
        let read: serde_json::Value = serde_json::from_str(frame).unwrap();
        let header = peek(V1, frame.as_bytes()).unwrap();
        assert_eq!(header.payload_id.to_string(), read["payload_id"]);
        assert_eq!(Some(header.index), read["index"].as_u64());
        assert_eq!(
            header.block_number,
            read["metadata"]["block_number"].as_u64()
        );
        assert!(header.block_number.is_some());
    }
}

#[test]
fn a_frame_without_metadata_is_known_by_its_base() {
    let frame = br#" {"metadata":{},"x":[1,{"a":"b"}],"payload_id":"0x0101010101010101","index":0,
        "base":{"block_number":"0x64","other":null}}"#;
    let header = peek(V1, frame).unwrap();
    assert_eq!(header.block_number, Some(100));
    let bare = br#"{"payload_id":"0x0101010101010101","index":7}"#;
    let header = peek(V1, bare).unwrap();
    assert_eq!((header.index, header.block_number), (7, None));
}

#[test]
fn golden_spec_frames_say_where_they_stand() {
    for (text, said) in [(SPEC_OPENING, OPENING_SAID), (SPEC_NEXT, NEXT_SAID)] {
        let frame = hex::decode(text.trim()).unwrap();
        let said: serde_json::Value = serde_json::from_str(said).unwrap();
        let said = &said["flashblock"];
        let header = peek(Form::Spec, &frame).unwrap();
        assert_eq!(header.payload_id.to_string(), said["payload_id"]);
        assert_eq!(Some(header.index), said["index"].as_u64());
        assert_eq!(header.block_number, said["static"]["block_number"].as_u64());
        assert_eq!(header.block_number.is_some(), header.index == 0);
    }
}

#[test]
fn what_is_no_flashblock_is_named() {
    for frame in ["", "{}", "[]", r#"{"payload_id":"0x01","index":1}"#] {
        let error = peek(V1, frame.as_bytes()).unwrap_err();
        assert!(matches!(error, Unreadable::Json(_)), "{frame}");
    }
    assert!(matches!(peek(Form::Spec, &[0; 3]), Err(Unreadable::Ssz(_))));
    assert_eq!(
        peek(Form::Spec, &[0, 0, 0, 2, 5]),
        Err(Unreadable::Version(2))
    );
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(mut bytes in prop::collection::vec(any::<u8>(), 0..200), versioned: bool) {
        if versioned && bytes.len() > 4 {
            bytes[..4].copy_from_slice(&[0, 0, 0, 1]);
        }
        let _ = peek(Form::Spec, &bytes);
        let _ = peek(V1, &bytes);
    }

    #[test]
    fn a_cut_or_changed_spec_frame_is_refused_or_read(cut in 0usize..700, at in 0usize..36, byte: u8) {
        let mut frame = hex::decode(SPEC_OPENING.trim()).unwrap();
        frame[at] = byte;
        frame.truncate(cut);
        let _ = peek(Form::Spec, &frame);
    }
}
