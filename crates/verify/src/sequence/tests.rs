use alloy_primitives::{Address, B256, U256};
use blockwright_flashblocks::{
    OpFlashblockPayloadBase, OpFlashblockPayloadDelta, OpFlashblockPayloadMetadata,
};
use proptest::prelude::*;

use super::*;

/// A flashblock of payload `payload` in block `payload + 100`; `content` tells contents apart.
fn flashblock(payload: u8, index: u64, content: u8) -> Arc<OpFlashblockPayload> {
    let block_number = 100 + u64::from(payload);
    Arc::new(OpFlashblockPayload {
        payload_id: PayloadId::new([payload; 8]),
        index,
        base: (index == 0).then(|| OpFlashblockPayloadBase {
            block_number,
            ..OpFlashblockPayloadBase::default()
        }),
        diff: OpFlashblockPayloadDelta {
            state_root: B256::repeat_byte(content),
            ..OpFlashblockPayloadDelta::default()
        },
        metadata: OpFlashblockPayloadMetadata {
            block_number,
            ..OpFlashblockPayloadMetadata::default()
        },
    })
}

fn labels(sequence: &mut Sequence, places: &[(u8, u64)]) -> Vec<&'static str> {
    let check = |(payload, index): &(u8, u64)| {
        let outcome = sequence.check(&flashblock(*payload, *index, 0));
        outcome.label()
    };
    places.iter().map(check).collect()
}

fn subblocks() -> Sequence {
    Sequence::new(SequenceRules {
        on_gap: OnGap::Discard,
        ..SequenceRules::default()
    })
}

#[test]
fn contiguous_indices_are_accepted_and_payloads_follow_each_other() {
    let mut sequence = Sequence::default();
    let all = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)];
    assert_eq!(labels(&mut sequence, &all), ["accepted"; 5]);
    let id = PayloadId::new([2; 8]);
    assert_eq!(sequence.expected(), Some((id, 2)));
    assert_eq!(sequence.counters().accepted, 5);
}

#[test]
fn duplicates_and_skips_are_ignored_until_the_right_one_comes() {
    let mut sequence = Sequence::default();
    let first = sequence.check(&flashblock(1, 3, 0));
    assert!(matches!(first, Outcome::NotBegun));
    assert_eq!(
        labels(
            &mut sequence,
            &[(1, 0), (1, 0), (1, 2), (1, 1), (1, 1), (1, 2), (1, 3)]
        ),
        [
            "accepted",
            "duplicate",
            "skipped",
            "accepted",
            "duplicate",
            "accepted",
            "accepted"
        ]
    );
    let ahead = sequence.check(&flashblock(1, 9, 0));
    assert!(matches!(ahead, Outcome::Skipped { expected: 4 }));
    let counters = sequence.counters();
    assert_eq!(
        (counters.duplicates, counters.skipped, counters.discarded),
        (2, 2, 0)
    );
}

/// Who joins in the middle of a block has missed nothing that it was promised.
#[test]
fn a_sequence_that_has_not_begun_waits_for_the_next_index_0() {
    for mut sequence in [Sequence::default(), subblocks()] {
        let joined = [(1, 4), (1, 5), (2, 0), (2, 1), (3, 1)];
        let expected = ["not_begun", "not_begun", "accepted", "accepted", "skipped"];
        assert_eq!(labels(&mut sequence, &joined), expected);
        let counters = sequence.counters();
        assert_eq!((counters.not_begun, counters.skipped), (2, 1));
    }
}

#[test]
fn in_subblocks_a_wrong_index_ends_the_sequence() {
    for wrong in [0, 1, 3] {
        let mut sequence = subblocks();
        let all = [(1, 0), (1, 1), (1, wrong), (1, 2), (2, 1), (2, 0), (2, 1)];
        let end = if wrong == 3 { "skipped" } else { "duplicate" };
        assert_eq!(
            labels(&mut sequence, &all),
            [
                "accepted", "accepted", end, "skipped", "skipped", "accepted", "accepted"
            ],
            "{wrong}"
        );
        assert_eq!(sequence.counters().discarded, 1);
    }
    let mut sequence = subblocks();
    let again = [(1, 0), (1, 2), (1, 0), (1, 1), (1, 2)];
    assert_eq!(
        labels(&mut sequence, &again),
        ["accepted", "skipped", "accepted", "accepted", "accepted"]
    );
}

#[test]
fn a_replaced_payload_is_over() {
    let mut sequence = Sequence::default();
    labels(&mut sequence, &[(1, 0), (1, 1), (2, 0)]);
    let late = sequence.check(&flashblock(1, 2, 0));
    assert!(matches!(late, Outcome::Superseded { by } if by == PayloadId::new([2; 8])));
    assert_eq!(
        labels(&mut sequence, &[(1, 0), (1, 1), (2, 1)]),
        ["duplicate", "superseded", "accepted"]
    );
}

#[test]
fn a_second_content_is_shown_with_the_first() {
    let mut sequence = Sequence::default();
    labels(&mut sequence, &[(1, 0), (1, 1), (1, 3), (2, 0)]);
    for (payload, index) in [(1, 0), (1, 1), (1, 3), (2, 0)] {
        let second = flashblock(payload, index, 7);
        let Outcome::Equivocation(found) = sequence.check(&second) else {
            panic!("{payload} {index} is an equivocation");
        };
        assert_eq!((found.payload_id, found.index), (second.payload_id, index));
        let first = found.first.as_deref().unwrap();
        assert_eq!(*first, *flashblock(payload, index, 0));
        assert_eq!(*found.second, *second);
        assert_eq!(found.first_digest, content_digest(first));
        assert_eq!(found.second_digest, content_digest(&second));
    }
    assert_eq!(labels(&mut sequence, &[(2, 1)]), ["accepted"]);
    assert_eq!(sequence.counters().equivocations, 4);
}

#[test]
fn metadata_that_were_left_out_are_no_second_content_but_other_ones_are() {
    let balance = |value: u64| {
        let mut changed = (*flashblock(1, 0, 0)).clone();
        let balances = &mut changed.metadata.new_account_balances;
        balances.insert(Address::ZERO, U256::from(value));
        Arc::new(changed)
    };
    let mut sequence = Sequence::default();
    assert!(sequence.check(&balance(1)).is_accepted());
    assert_eq!(labels(&mut sequence, &[(1, 0)]), ["duplicate"]);
    assert_eq!(sequence.check(&balance(1)).label(), "duplicate");
    let Outcome::Equivocation(found) = sequence.check(&balance(2)) else {
        panic!("other balances are another content");
    };
    assert_eq!(found.first_digest, found.second_digest);
}

#[test]
fn contradictions_have_names() {
    let changed = |index, change: &dyn Fn(&mut OpFlashblockPayload)| {
        let mut flashblock = (*flashblock(1, index, 0)).clone();
        change(&mut flashblock);
        Arc::new(flashblock)
    };
    let mut sequence = Sequence::default();
    let mut invalid = |flashblock| match sequence.check(&flashblock) {
        Outcome::Invalid(error) => error,
        Outcome::Accepted => panic!("was accepted"),
        _ => panic!("is invalid"),
    };
    assert_eq!(
        invalid(changed(0, &|f| f.base = None)),
        SequenceError::BaseMissing
    );
    assert_eq!(
        invalid(changed(0, &|f| f.metadata.block_number = 5)),
        SequenceError::BaseBlockNumber {
            base: 101,
            metadata: 5
        }
    );
    assert_eq!(
        invalid(changed(2, &|f| f.base = Some(Default::default()))),
        SequenceError::BaseRepeated { index: 2 }
    );
    assert_eq!(labels(&mut sequence, &[(1, 0)]), ["accepted"]);
    let other = changed(1, &|f| f.metadata.block_number = 5);
    assert!(matches!(
        sequence.check(&other),
        Outcome::Invalid(SequenceError::BlockNumber {
            expected: 101,
            got: 5
        })
    ));
    // It did not take the place of the right one.
    assert_eq!(labels(&mut sequence, &[(1, 1)]), ["accepted"]);
}

/// A number that the payload does not have, seen before the payload was opened.
#[test]
fn what_came_too_early_is_checked_again() {
    let mut sequence = Sequence::default();
    let mut early = (*flashblock(1, 1, 0)).clone();
    early.metadata.block_number = 7;
    let early = Arc::new(early);
    assert_eq!(sequence.check(&early).label(), "not_begun");
    labels(&mut sequence, &[(1, 0)]);
    assert_eq!(sequence.check(&early).label(), "invalid");
}

#[test]
fn memory_is_bounded_and_digests_outlive_contents() {
    let memory = MemoryLimits {
        payloads_max: 3,
        flashblocks_max: 4,
        bytes_max: 2_500,
    };
    let mut sequence = Sequence::new(SequenceRules {
        memory,
        ..SequenceRules::default()
    });
    for payload in 1..=9 {
        for index in 0..6 {
            assert!(sequence.check(&flashblock(payload, index, 0)).is_accepted());
            assert!(sequence.contents.size_bytes() <= memory.bytes_max);
        }
    }
    let Outcome::Equivocation(found) = sequence.check(&flashblock(8, 1, 1)) else {
        panic!("the digest is remembered");
    };
    assert!(found.first.is_none(), "its content was let go");
    assert_eq!(found.first_digest, content_digest(&flashblock(8, 1, 0)));
    // Beyond the bounds nothing is known, and nothing is claimed.
    assert_eq!(sequence.check(&flashblock(9, 5, 1)).label(), "duplicate");
    assert_eq!(sequence.check(&flashblock(1, 1, 1)).label(), "skipped");
    // Strangers push out what is old, never the running payload.
    for stranger in 20..40 {
        sequence.check(&flashblock(stranger, 1, 0));
    }
    assert_eq!(sequence.check(&flashblock(9, 1, 1)).label(), "equivocation");
}

#[test]
fn every_field_is_in_the_digest() {
    let original = flashblock(1, 0, 0);
    let wanted = content_digest(&original);
    let changes: [&dyn Fn(&mut OpFlashblockPayload); 22] = [
        &|f| f.payload_id = PayloadId::new([9; 8]),
        &|f| f.index = 1,
        &|f| f.metadata.block_number = 1,
        &|f| f.base = None,
        &|f| f.base.as_mut().unwrap().parent_beacon_block_root = B256::repeat_byte(1),
        &|f| f.base.as_mut().unwrap().parent_hash = B256::repeat_byte(1),
        &|f| f.base.as_mut().unwrap().fee_recipient = Address::repeat_byte(1),
        &|f| f.base.as_mut().unwrap().prev_randao = B256::repeat_byte(1),
        &|f| f.base.as_mut().unwrap().block_number = 1,
        &|f| f.base.as_mut().unwrap().gas_limit = 1,
        &|f| f.base.as_mut().unwrap().timestamp = 1,
        &|f| f.base.as_mut().unwrap().extra_data = vec![0].into(),
        &|f| f.base.as_mut().unwrap().base_fee_per_gas = U256::ONE,
        &|f| f.diff.state_root = B256::repeat_byte(1),
        &|f| f.diff.receipts_root = B256::repeat_byte(1),
        &|f| f.diff.logs_bloom.0[0] = 1,
        &|f| f.diff.gas_used = 1,
        &|f| f.diff.block_hash = B256::repeat_byte(1),
        &|f| f.diff.transactions = vec![vec![].into()],
        &|f| f.diff.withdrawals = vec![Default::default()],
        &|f| f.diff.withdrawals_root = B256::repeat_byte(1),
        &|f| f.diff.blob_gas_used = Some(0),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut changed = (*original).clone();
        change(&mut changed);
        assert_ne!(content_digest(&changed), wanted, "change {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        rng_seed: proptest::test_runner::RngSeed::Fixed(3),
        failure_persistence: None,
        ..Default::default()
    })]

    /// However frames are reordered, repeated, dropped and forged: what was accepted is, payload by
    /// payload, index by index from 0, and each place's first content.
    #[test]
    fn what_is_accepted_is_a_sequence(
        frames in prop::collection::vec((0_u8..3, 0_u64..4, prop::bool::weighted(0.1)), 0..60),
        discard in any::<bool>(),
    ) {
        let mut sequence = if discard { subblocks() } else { Sequence::default() };
        let mut next: Option<(u8, u64)> = None;
        for (payload, index, forged) in frames {
            let outcome = sequence.check(&flashblock(payload, index, u8::from(forged)));
            if outcome.is_accepted() {
                prop_assert!(index == 0 || next == Some((payload, index)));
                next = Some((payload, index + 1));
            } else if !discard && next == Some((payload, index)) {
                prop_assert_eq!(outcome.label(), "equivocation");
            }
        }
    }
}
