//! A payload made by hand, offered, lied about, and set beside another one.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bloom, Bytes, TxKind, U256};
use blockwright_builder_codec::{BidTrace, VersionNames, signing_digest};
use blockwright_payload::{ExecutionPayload, FieldError};
use blockwright_signer::{LocalSigner, SecretText, Signature, Signer};
use blockwright_types::OpFork;
use op_alloy_consensus::TxDeposit;

use crate::offer::Parties;
use crate::{
    Against, Answer, Choice, ClientError, Lie, Offer, Reason, TipsError, Wanted, choose, tips,
};

const CHAIN_ID: u64 = 901;
const BASE_FEE: u64 = 1_000;
const ROOT: B256 = B256::repeat_byte(0xbe);

fn key(byte: u8) -> LocalSigner {
    let text = format!("{byte:02x}").repeat(32);
    LocalSigner::from_hex(&SecretText::new(text)).unwrap()
}

fn parties() -> Parties {
    Parties {
        chain_id: CHAIN_ID,
        builder: Some(key(1).address()),
        proposer: Some(key(2).address()),
    }
}

fn deposit(mint: u128) -> Bytes {
    let deposit = TxDeposit {
        mint,
        ..TxDeposit::default()
    };
    deposit.encoded_2718().into()
}

/// Pays at most `max_fee` for a unit of gas, and `tip` of that to the block.
fn transaction(tip: u128, max_fee: u128) -> Bytes {
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(Address::ZERO),
        ..TxEip1559::default()
    };
    let signature = key(3).sign(tx.signature_hash()).unwrap();
    let signature = alloy_primitives::Signature::from_raw(signature.as_slice()).unwrap();
    tx.into_signed(signature).encoded_2718().into()
}

/// A block of `fork` whose hash is right.
fn payload(fork: OpFork) -> ExecutionPayload {
    sealed(
        ExecutionPayload {
            parent_hash: B256::repeat_byte(1),
            fee_recipient: Address::repeat_byte(2),
            state_root: B256::repeat_byte(3),
            receipts_root: B256::repeat_byte(4),
            logs_bloom: Bloom::ZERO,
            prev_randao: B256::repeat_byte(5),
            block_number: 7,
            gas_limit: 60_000_000,
            gas_used: 42_000,
            timestamp: 1_700_000_000,
            extra_data: Bytes::from_static(&[1, 0, 0, 0, 250, 0, 0, 0, 6]),
            base_fee_per_gas: U256::from(BASE_FEE),
            block_hash: B256::ZERO,
            transactions: vec![deposit(1), deposit(2), transaction(5, 2_000)],
            withdrawals: (fork >= OpFork::Canyon).then(Vec::new),
            blob_gas_used: (fork >= OpFork::Ecotone).then_some(0),
            excess_blob_gas: (fork >= OpFork::Ecotone).then_some(0),
            withdrawals_root: (fork >= OpFork::Isthmus).then_some(B256::repeat_byte(6)),
        },
        fork,
    )
}

fn root(fork: OpFork) -> Option<B256> {
    (fork >= OpFork::Ecotone).then_some(ROOT)
}

fn sealed(mut payload: ExecutionPayload, fork: OpFork) -> ExecutionPayload {
    payload.block_hash = payload.header(fork, root(fork)).hash_slow();
    payload
}

fn wanted(fork: OpFork) -> Wanted {
    Wanted {
        slot: 7,
        parent_hash: B256::repeat_byte(1),
        fork,
        parent_beacon_block_root: root(fork),
    }
}

/// A bid that fits.
fn bid(payload: &ExecutionPayload) -> BidTrace {
    BidTrace {
        slot: payload.block_number,
        parent_hash: payload.parent_hash,
        block_hash: payload.block_hash,
        builder_address: key(1).address(),
        proposer_address: key(2).address(),
        proposer_fee_recipient: payload.fee_recipient,
        gas_limit: payload.gas_limit,
        gas_used: payload.gas_used,
        value: U256::from(105_000),
    }
}

fn answer(payload: ExecutionPayload, bid: BidTrace) -> Answer {
    Answer {
        version: "bedrock".to_owned(),
        signature: key(1).sign(signing_digest(CHAIN_ID, &bid)).unwrap(),
        message: bid,
        execution_payload: payload,
    }
}

/// What becomes of a payload with a bid that fits it.
fn offered(payload: ExecutionPayload) -> Result<Offer, Lie> {
    let bid = bid(&payload);
    Offer::of(answer(payload, bid), &wanted(OpFork::Karst), parties())
}

fn lie_of_bid(change: impl Fn(&mut BidTrace)) -> Lie {
    let payload = payload(OpFork::Karst);
    let mut bid = bid(&payload);
    change(&mut bid);
    Offer::of(answer(payload, bid), &wanted(OpFork::Karst), parties()).unwrap_err()
}

fn lie_of_payload(change: impl Fn(&mut ExecutionPayload)) -> Lie {
    let mut payload = payload(OpFork::Karst);
    change(&mut payload);
    offered(payload).unwrap_err()
}

#[test]
fn an_honest_answer_is_an_offer_under_every_fork_and_name() {
    for fork in OpFork::ALL {
        for names in [VersionNames::Legacy, VersionNames::Named] {
            let payload = payload(fork);
            let bid = bid(&payload);
            let mut answer = answer(payload.clone(), bid.clone());
            names.of(fork).clone_into(&mut answer.version);
            let offer = Offer::of(answer, &wanted(fork), parties()).unwrap();
            assert_eq!(offer.bid, bid, "{fork}");
            assert_eq!(offer.builder, key(1).address());
            assert_eq!(offer.header.hash_slow(), payload.block_hash);
            assert_eq!(offer.payload, payload);
        }
    }
}

#[test]
fn bids_are_held_against_request_and_payload() {
    let one = B256::repeat_byte(0x11);
    let cases: [(&str, Against, Lie); 8] = [
        ("slot", Against::Request, lie_of_bid(|bid| bid.slot += 1)),
        (
            "parentHash",
            Against::Request,
            lie_of_bid(|bid| bid.parent_hash = one),
        ),
        (
            "builderAddress",
            Against::Request,
            lie_of_bid(|bid| bid.builder_address = Address::ZERO),
        ),
        (
            "proposerAddress",
            Against::Request,
            lie_of_bid(|bid| bid.proposer_address = key(3).address()),
        ),
        (
            "blockHash",
            Against::Payload,
            lie_of_bid(|bid| bid.block_hash = one),
        ),
        (
            "gasLimit",
            Against::Payload,
            lie_of_bid(|bid| bid.gas_limit += 1),
        ),
        (
            "gasUsed",
            Against::Payload,
            lie_of_bid(|bid| bid.gas_used -= 1),
        ),
        (
            "proposerFeeRecipient",
            Against::Payload,
            lie_of_bid(|bid| bid.proposer_fee_recipient = Address::ZERO),
        ),
    ];
    for (name, with, lie) in cases {
        assert!(
            matches!(lie, Lie::Bid { field, against, .. } if field == name && against == with),
            "{name}: {lie:?}"
        );
        assert_eq!(lie.name(), format!("bid.{name}"));
    }
}

#[test]
fn payloads_are_hashed_and_have_the_fields_of_their_fork() {
    let one = B256::repeat_byte(0x11);
    for lie in [
        lie_of_payload(|payload| payload.state_root = one),
        lie_of_payload(|payload| payload.base_fee_per_gas = U256::MAX),
        lie_of_payload(|payload| payload.blob_gas_used = Some(1)),
        lie_of_payload(|payload| payload.transactions.swap(0, 1)),
    ] {
        let found = payload(OpFork::Karst).block_hash;
        assert!(
            matches!(lie, Lie::Hash { found: hash, computed } if hash == found && computed != found),
            "{lie:?}"
        );
    }
    let missing = lie_of_payload(|payload| payload.withdrawals_root = None);
    let (field, fork) = ("withdrawalsRoot", OpFork::Karst);
    assert_eq!(missing, Lie::Fields(FieldError::Missing { field, fork }));
    assert_eq!(missing.name(), "payload.withdrawalsRoot");
    // From Isthmus on no hash tells of them.
    let withdrawal = lie_of_payload(|payload| {
        payload.withdrawals = Some(vec![Withdrawal::default()]);
    });
    assert_eq!(withdrawal.name(), "payload.withdrawals");
}

#[test]
fn whose_signature_it_is_decides() {
    let honest = payload(OpFork::Karst);
    let wanted = wanted(OpFork::Karst);
    let forged = |signature: Signature| Answer {
        signature,
        ..answer(honest.clone(), bid(&honest))
    };
    let lie = Offer::of(forged(Signature::ZERO), &wanted, parties()).unwrap_err();
    assert_eq!(lie, Lie::Signature);
    let digest = signing_digest(CHAIN_ID, &bid(&honest));
    let of_another = forged(key(9).sign(digest).unwrap());
    let (signer, builder) = (key(9).address(), key(1).address());
    let lie = Offer::of(of_another.clone(), &wanted, parties()).unwrap_err();
    assert_eq!(lie, Lie::Signer { signer, builder });
    // Also where nobody in particular is expected: the bid names somebody.
    let anybody = Parties {
        builder: None,
        ..parties()
    };
    let lie = Offer::of(of_another, &wanted, anybody).unwrap_err();
    assert_eq!(lie, Lie::Signer { signer, builder });
    let other_chain = key(1).sign(signing_digest(1, &bid(&honest))).unwrap();
    let lie = Offer::of(forged(other_chain), &wanted, parties()).unwrap_err();
    assert!(matches!(lie, Lie::Signer { .. }), "{lie:?}");
}

#[test]
fn a_builder_that_answers_everybody_names_no_proposer() {
    let honest = payload(OpFork::Karst);
    let mut open = bid(&honest);
    open.proposer_address = Address::ZERO;
    Offer::of(answer(honest, open), &wanted(OpFork::Karst), parties()).unwrap();
}

#[test]
fn a_version_of_another_fork_is_told_and_no_lie() {
    let offered = |version: &str, fork| {
        let payload = payload(fork);
        let mut answer = answer(payload.clone(), bid(&payload));
        version.clone_into(&mut answer.version);
        let offer = Offer::of(answer, &wanted(fork), parties()).unwrap();
        assert_eq!(offer.version, version);
        offer.has_version_of(fork)
    };
    for (version, fork, expected) in [
        ("bedrock", OpFork::Karst, true),
        ("karst", OpFork::Karst, true),
        ("jovian", OpFork::Karst, true),
        ("isthmus", OpFork::Karst, false),
        ("canyon", OpFork::Karst, false),
        // The first block of Ecotone has a parent of Canyon.
        ("canyon", OpFork::Ecotone, true),
        ("ecotone", OpFork::Bedrock, true),
        ("bedrock", OpFork::Canyon, false),
    ] {
        assert_eq!(offered(version, fork), expected, "{version} {fork}");
    }
}

#[test]
fn versions_that_name_no_fork_are_repeated_in_part() {
    let honest = payload(OpFork::Karst);
    let mut answer = answer(honest.clone(), bid(&honest));
    answer.version = "x".repeat(1_000);
    let lie = Offer::of(answer, &wanted(OpFork::Karst), parties()).unwrap_err();
    assert_eq!(lie, Lie::Version("x".repeat(32)));
}

#[test]
fn who_asks_for_what_cannot_be_blames_no_builder() {
    for (fork, parent_beacon_block_root) in [(OpFork::Karst, None), (OpFork::Canyon, Some(ROOT))] {
        let wanted = Wanted {
            parent_beacon_block_root,
            ..wanted(fork)
        };
        let error = wanted.check().unwrap_err();
        assert_eq!(error.name(), "beacon_root", "{error}");
    }
    wanted(OpFork::Karst).check().unwrap();
    wanted(OpFork::Canyon).check().unwrap();
}

/// A change to a payload.
type Change = fn(&mut ExecutionPayload);

#[test]
fn what_attributes_settle_is_equal_in_both_blocks() {
    let local = payload(OpFork::Karst);
    let cases: [(&str, Change); 6] = [
        ("timestamp", |payload| payload.timestamp += 1),
        ("prevRandao", |payload| payload.prev_randao = B256::ZERO),
        ("feeRecipient", |payload| {
            payload.fee_recipient = Address::ZERO
        }),
        ("gasLimit", |payload| payload.gas_limit -= 1),
        ("baseFeePerGas", |payload| {
            payload.base_fee_per_gas += U256::ONE
        }),
        ("extraData", |payload| payload.extra_data = Bytes::new()),
    ];
    for (name, change) in cases {
        let mut other = local.clone();
        change(&mut other);
        let offer = offered(sealed(other, OpFork::Karst)).unwrap();
        let lie = offer.check_against(&local).unwrap_err();
        assert_eq!(lie.name(), format!("payload.{name}"));
        let Choice::Local { payload, reason } = choose(local.clone(), Ok(offer)) else {
            panic!("{name} was passed over");
        };
        assert_eq!(*payload, local);
        assert!(
            matches!(&reason, Reason::Contradiction(found) if *found == lie),
            "{reason:?}"
        );
    }
}

#[test]
fn forced_transactions_come_first_and_whole() {
    let local = payload(OpFork::Karst);
    let check = |transactions: Vec<Bytes>| {
        let other = ExecutionPayload {
            transactions,
            ..local.clone()
        };
        let offer = offered(sealed(other, OpFork::Karst)).unwrap();
        offer.check_against(&local)
    };
    let [first, second, user] = [deposit(1), deposit(2), transaction(5, 2_000)];
    let more = transaction(9, 3_000);
    check(vec![first.clone(), second.clone()]).unwrap();
    check(vec![first.clone(), second.clone(), more, user.clone()]).unwrap();
    for (transactions, index) in [
        (vec![], 0),
        (vec![second.clone(), first.clone()], 0),
        (vec![first.clone()], 1),
        (vec![first, user, second], 1),
    ] {
        assert_eq!(check(transactions), Err(Lie::Forced { index }));
    }
}

#[test]
fn the_fuller_block_is_taken_and_the_builders_of_two_equal_ones() {
    let local = payload(OpFork::Karst);
    for (gas_used, of_the_builder) in [(42_000, true), (63_000, true), (41_999, false)] {
        let other = ExecutionPayload {
            gas_used,
            ..local.clone()
        };
        let other = sealed(other, OpFork::Karst);
        let offer = offered(other.clone()).unwrap();
        match choose(local.clone(), Ok(offer)) {
            Choice::Builder(offer) => {
                assert!(of_the_builder);
                assert_eq!(offer.payload, other);
            }
            Choice::Local { payload, reason } => {
                assert!(!of_the_builder);
                assert_eq!(*payload, local);
                assert_eq!(reason.name(), "less_gas");
                assert!(
                    reason
                        .to_string()
                        .contains("41999 gas, less than the 42000")
                );
            }
        }
    }
    match choose(local.clone(), Err(ClientError::TooLate(500))) {
        Choice::Local { payload, reason } => {
            assert_eq!(*payload, local);
            assert_eq!(reason.name(), "too_late");
        }
        Choice::Builder(_) => panic!("there was no offer"),
    }
}

#[test]
fn tips_are_what_users_paid_beyond_the_base_fee() {
    // The second one has less left than it would give.
    let transactions = [
        deposit(1),
        transaction(5, 2_000),
        transaction(5, 1_003),
        transaction(0, 1_000),
    ];
    let gas = [50_000, 71_000, 92_000, 113_000];
    let paid = tips(&transactions, BASE_FEE, &gas).unwrap();
    assert_eq!(paid, U256::from(21_000 * 5 + 21_000 * 3));
    assert_eq!(tips(&[], BASE_FEE, &[]).unwrap(), U256::ZERO);

    let offer = offered(payload(OpFork::Karst)).unwrap();
    offer.check_value(U256::from(105_000)).unwrap();
    let lie = offer.check_value(paid).unwrap_err();
    let (bid, paid) = ("105000".to_owned(), "168000".to_owned());
    assert_eq!(lie, Lie::Value { bid, paid });
}

#[test]
fn receipts_of_another_block_give_no_tips() {
    let transactions = [deposit(1), transaction(5, 2_000)];
    for gas in [&[50_000][..], &[50_000, 49_999], &[1, 2, 3]] {
        let error = tips(&transactions, BASE_FEE, gas).unwrap_err();
        assert!(
            matches!(
                error,
                TipsError::Receipts {
                    transactions: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
    let garbage = [deposit(1), Bytes::from_static(&[2, 0xff])];
    let error = tips(&garbage, BASE_FEE, &[1, 2]).unwrap_err();
    assert!(
        matches!(error, TipsError::Transaction { index: 1, .. }),
        "{error}"
    );
}
