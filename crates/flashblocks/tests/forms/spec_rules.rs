//! The rules of dialect `spec`: chain, contiguity, metadata.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use blockwright_flashblocks::{
    AccountMetadata, EncodeError, FlashblocksPayloadV1, SpecDecodeError, SpecEncoder, decode_spec,
};
use blockwright_types::{BlockPart, Flashblock};
use ssz::Encode;

use crate::spec_golden::encoded;
use crate::v1::{self, Step};
use crate::{contracts, golden};

fn decoded() -> Vec<FlashblocksPayloadV1> {
    let frames = encoded().into_iter();
    frames
        .map(|(_, bytes, _)| decode_spec(&bytes).unwrap())
        .collect()
}

fn account(flashblock: &FlashblocksPayloadV1, address: Address) -> &AccountMetadata {
    let mut accounts = flashblock.metadata.accounts.iter();
    accounts.find(|found| found.address == address).unwrap()
}

#[test]
fn each_flashblock_names_the_hash_of_the_one_before() {
    let mut before: Option<B256> = None;
    for (name, bytes, hash) in encoded() {
        let flashblock = decode_spec(&bytes).unwrap();
        let expected = before.filter(|_| flashblock.index != 0);
        assert_eq!(flashblock.parent_flash_hash.0, expected, "{name}");
        assert_eq!(flashblock.flash_hash(), hash, "{name}");
        before = Some(hash);
    }
}

#[test]
fn the_first_bytes_are_the_version() {
    for (name, bytes, _) in encoded() {
        assert_eq!(bytes[..4], [0, 0, 0, 1], "{name}");
    }
}

#[test]
fn balances_that_a_flashblock_left_as_they_were_are_absent() {
    let flashblocks = decoded();
    let balance = |index: usize, address| account(&flashblocks[index], address).balance.0;
    let vault = Address::repeat_byte(0x42);
    assert_eq!(balance(0, vault), Some(U256::from(6)));
    assert_eq!(balance(3, vault), None);
    assert_eq!(balance(3, Address::repeat_byte(0x10)), Some(U256::from(78)));
    // Gone at its first mention: the balance before is not known.
    let gone = Address::repeat_byte(0xaa);
    assert_eq!(balance(3, gone), Some(U256::ZERO));
    assert_eq!(balance(4, gone), None);
    // A payload's first flashblock knows nothing of the payload before.
    assert_eq!(balance(5, contracts::SENDER), Some(U256::from(9)));
}

#[test]
fn code_is_told_once_where_it_was_created() {
    let flashblocks = decoded();
    let created = contracts::created();
    let code = account(&flashblocks[3], created).code.clone().0;
    assert_eq!(code.unwrap().into_bytes()[..], hex!("600160005500"));
    assert_eq!(account(&flashblocks[4], created).code.0, None);
    let twin = created.create(1);
    assert!(account(&flashblocks[4], twin).code.is_some());
}

#[test]
fn accounts_and_slots_are_sorted_and_each_stands_once() {
    for flashblock in decoded() {
        let accounts = &flashblock.metadata.accounts;
        assert!(accounts.is_sorted_by(|a, b| a.address < b.address));
        for account in accounts {
            let slots = &account.storage_slots;
            assert!(slots.is_sorted_by(|a, b| a.key < b.key));
        }
    }
    let flashblocks = decoded();
    let slots = &account(&flashblocks[3], contracts::created()).storage_slots;
    let slots: Vec<(U256, U256)> = slots
        .iter()
        .map(|slot| (slot.key.into(), slot.value.into()))
        .collect();
    let expected = [(0, 9), (3, 0), (4, 8), (256, 1), (u64::MAX, 2)];
    assert_eq!(
        slots,
        expected.map(|(key, value)| (U256::from(key), U256::from(value)))
    );
}

#[test]
fn outcomes_tell_own_gas_and_what_was_created() {
    let outcomes = |flashblock: &FlashblocksPayloadV1| -> Vec<(u8, u64, Option<Address>)> {
        let transactions = flashblock.metadata.transactions.iter();
        transactions
            .map(|tx| (tx.status, tx.gas_used, tx.contract_address.0))
            .collect()
    };
    let flashblocks = decoded();
    let at = |nonce| Some(contracts::SENDER.create(nonce));
    assert_eq!(outcomes(&flashblocks[0]), [(1, 46_000, at(7))]);
    assert_eq!(
        outcomes(&flashblocks[1]),
        [
            (1, 21_000, at(1)),
            (0, 30_000, None),
            (1, 40_000, at(3)),
            (1, 50_000, None)
        ]
    );
    assert_eq!(outcomes(&flashblocks[2]), []);
    assert_eq!(
        outcomes(&flashblocks[3]),
        [
            (1, 100_000, at(5)),
            (0, 53_000, None),
            (1, 21_000, None),
            (1, 100_000, at(9))
        ]
    );
    assert_eq!(outcomes(&flashblocks[4]), [(1, 21_000, None)]);
    // Before Regolith the receipt does not say which nonce the deposit took.
    assert_eq!(outcomes(&flashblocks[5]), [(1, 46_000, None)]);
}

#[test]
fn a_hole_is_refused_and_leaves_the_encoder_as_it_was() {
    let steps = contracts::steps();
    let mut encoder = SpecEncoder::new();
    assert!(matches!(
        encoder.encode(&steps[1].flashblock),
        Err(EncodeError::NotContiguous {
            index: 1,
            expected: None,
            ..
        })
    ));
    let mut frames = Vec::new();
    for Step { flashblock, .. } in &steps {
        if flashblock.index == 3 {
            let refused = encoder.encode(&steps[4].flashblock).unwrap_err();
            assert!(refused.to_string().contains("expected index 3"));
            let repeated = encoder.encode(&steps[2].flashblock).unwrap_err();
            assert!(matches!(repeated, EncodeError::NotContiguous { .. }));
        }
        frames.push(encoder.encode(flashblock).unwrap().bytes);
    }
    let undisturbed: Vec<_> = encoded().into_iter().map(|(_, bytes, _)| bytes).collect();
    assert_eq!(frames, undisturbed);
}

#[test]
fn what_the_container_cannot_hold_is_refused_by_name_and_changes_nothing() {
    let steps = contracts::steps();
    let mut encoder = SpecEncoder::new();
    encoder.encode(&steps[0].flashblock).unwrap();

    let mut too_long = (*steps[0].flashblock).clone();
    too_long.base.as_mut().unwrap().extra_data = Bytes::from(vec![0; 33]);
    let error = encoder.encode(&too_long).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("`extra_data` of 33 exceeds the limit of 32"),
        "{error}"
    );

    let receipts = vec![v1::deposit_receipt(45_999, Some(8), Some(1))];
    let part = BlockPart::new(vec![v1::shared(v1::deposit(), None)], receipts, Vec::new());
    let shrinking = Flashblock {
        part: Arc::new(part),
        ..(*steps[1].flashblock).clone()
    };
    let error = encoder.encode(&shrinking).unwrap_err();
    assert!(matches!(error, EncodeError::Gas { position: 0, .. }));

    let after = encoder.encode(&steps[1].flashblock).unwrap();
    assert_eq!(after.bytes, encoded()[1].1);
}

#[test]
fn another_version_is_refused_by_name() {
    let mut bytes = encoded().remove(0).1;
    bytes[3] = 2;
    let error = decode_spec(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`version` 0x00000002 is unknown: 0x00000001 is read"
    );
    assert_eq!(
        decode_spec(&bytes[..3]),
        Err(SpecDecodeError::NoVersion { size_bytes: 3 })
    );
}

#[test]
fn what_the_types_leave_open_is_checked() {
    let text = golden::read("golden/spec_0_opening.ssz.hex");
    let opening = decode_spec(&hex::decode(text.trim()).unwrap()).unwrap();

    let mut flashblock = opening.clone();
    flashblock.parent_flash_hash.0 = Some(B256::ZERO);
    let error = decode_spec(&flashblock.as_ssz_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "`parent_flash_hash` is set at index 0");

    let mut flashblock = opening.clone();
    flashblock.base.0 = None;
    let error = decode_spec(&flashblock.as_ssz_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "`static` is missing at index 0");

    let mut flashblock = opening;
    flashblock.metadata.transactions[0].status = 2;
    let error = decode_spec(&flashblock.as_ssz_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`status` of metadata transaction 0 is 2, neither 0 nor 1"
    );
}
