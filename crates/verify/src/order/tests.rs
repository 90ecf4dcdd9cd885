use std::sync::Arc;

use alloy_consensus::{Signed, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Bytes, Signature, TxKind, U256};
use op_alloy_consensus::TxDeposit;

use super::*;

fn tx(sender: u8, nonce: u64, tip: u128) -> OrderedTx {
    OrderedTx {
        hash: B256::from(U256::from(u64::from(sender) << 32 | nonce)),
        sender: Address::repeat_byte(sender),
        nonce,
        tip,
    }
}

fn outranked(before: OrderedTx, after: OrderedTx) -> Result<(), OrderViolation> {
    Err(OrderViolation::Outranked {
        before: Box::new(before),
        after: Box::new(after),
    })
}

#[test]
fn falling_tips_and_ties_pass() {
    assert_eq!(check_ranked(&[]), Ok(()));
    assert_eq!(
        check_ranked(&[tx(1, 0, 9), tx(2, 4, 5), tx(3, 0, 5), tx(4, 0, 0)]),
        Ok(())
    );
}

#[test]
fn a_child_may_have_any_tip_right_after_its_parent() {
    let one = [tx(1, 0, 5), tx(1, 1, 100), tx(2, 0, 3)];
    assert_eq!(check_ranked(&one), Ok(()));
    let two = [tx(1, 0, 5), tx(1, 1, 1), tx(1, 2, 100)];
    assert_eq!(check_ranked(&two), Ok(()));
}

#[test]
fn a_child_that_was_passed_over_is_found() {
    let (parent, stranger, child) = (tx(1, 0, 5), tx(2, 0, 3), tx(1, 1, 100));
    assert_eq!(
        check_ranked(&[parent, stranger, child]),
        outranked(stranger, child)
    );
}

#[test]
fn a_better_one_behind_a_worse_one_is_found() {
    assert_eq!(
        check_ranked(&[tx(1, 0, 5), tx(2, 0, 6)]),
        outranked(tx(1, 0, 5), tx(2, 0, 6))
    );
}

#[test]
fn nonces_must_rise_but_not_by_one() {
    assert_eq!(check_ranked(&[tx(1, 0, 5), tx(1, 2, 5)]), Ok(()));
    let wrong = check_ranked(&[tx(1, 2, 5), tx(2, 0, 5), tx(1, 2, 5)]);
    assert_eq!(
        wrong,
        Err(OrderViolation::Nonce {
            before: Box::new(tx(1, 2, 5)),
            after: Box::new(tx(1, 2, 5)),
        })
    );
    let falling = check_ranked(&[tx(1, 1, 5), tx(1, 0, 5)]);
    assert!(matches!(falling, Err(OrderViolation::Nonce { .. })));
}

/// The rule as it reads: every pair is looked at.
fn holds_by_definition(transactions: &[OrderedTx]) -> bool {
    transactions.iter().enumerate().all(|(at, tx)| {
        let before = &transactions[..at];
        let parent = before.iter().rposition(|other| other.sender == tx.sender);
        parent.is_none_or(|parent| before[parent].nonce < tx.nonce)
            && before[parent.map_or(0, |parent| parent + 1)..]
                .iter()
                .all(|other| other.tip >= tx.tip)
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 2_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        failure_persistence: None,
        ..Default::default()
    })]
    #[test]
    fn the_stack_finds_what_the_definition_finds(
        list in proptest::collection::vec((0_u8..4, 0_u64..4, 0_u128..5), 0..9)
    ) {
        let list: Vec<OrderedTx> = list
            .into_iter()
            .map(|(sender, nonce, tip)| tx(sender, nonce, tip))
            .collect();
        proptest::prop_assert_eq!(check_ranked(&list).is_ok(), holds_by_definition(&list));
    }
}

fn pooled(sender: u8, max_fee: u128, tip: u128) -> SharedTx {
    let tx = TxEip1559 {
        chain_id: 901,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(Address::ZERO),
        ..TxEip1559::default()
    };
    let signature = Signature::new(U256::from(u64::from(sender)), U256::from(1), false);
    let envelope = OpTxEnvelope::from(Signed::new_unhashed(tx, signature));
    let encoded = Bytes::from(envelope.encoded_2718());
    let sender = Address::repeat_byte(sender);
    Arc::new(RecoveredTx::new(envelope, encoded, sender))
}

fn deposit(number: u8) -> SharedTx {
    let deposit = TxDeposit {
        source_hash: B256::repeat_byte(number),
        ..TxDeposit::default()
    };
    let envelope = OpTxEnvelope::from(deposit);
    let encoded = Bytes::from(envelope.encoded_2718());
    Arc::new(RecoveredTx::new(envelope, encoded, Address::ZERO))
}

#[test]
fn the_effective_tip_ranks_not_the_stated_one() {
    let rank = |tx: &RecoveredTx| priority(tx, 100);
    // Caps of 103 and 110 leave 3 and 5, whatever tip is offered.
    let (capped, free) = (pooled(1, 103, 50), pooled(2, 110, 5));
    assert_eq!(
        check_order(1, &[free.clone(), capped.clone()], rank),
        Ok(())
    );
    let swapped = check_order(1, &[capped.clone(), free], rank);
    assert!(matches!(swapped, Err(OrderViolation::Outranked { .. })));
    let below = check_order(1, std::slice::from_ref(&capped), |tx| priority(tx, 104));
    assert_eq!(below, Err(OrderViolation::Unranked { hash: capped.hash }));
}

#[test]
fn deposits_stand_first_and_in_index_0_alone() {
    let rank = |tx: &RecoveredTx| priority(tx, 0);
    let (low, high) = (pooled(1, 1, 1), pooled(2, 9, 9));
    let forced = [deposit(1), deposit(2), low.clone(), high.clone()];
    assert_eq!(check_order(0, &forced, rank), Ok(()));
    let behind = [deposit(1), low.clone(), high, deposit(2)];
    assert_eq!(
        check_order(0, &behind, rank),
        Err(OrderViolation::DepositBehind {
            deposit: deposit(2).hash,
            other: low.hash,
        })
    );
    assert_eq!(
        check_order(3, &[deposit(1)], rank),
        Err(OrderViolation::DepositLate {
            index: 3,
            hash: deposit(1).hash,
        })
    );
}

#[test]
fn a_nonce_gap_is_found_where_it_is_asked_for() {
    let (first, third) = (tx(1, 4, 5), tx(1, 6, 5));
    assert_eq!(check_ranked(&[first, third]), Ok(()));
    assert_eq!(
        check_consecutive(&[first, tx(2, 9, 1), third]),
        Err(OrderViolation::NonceGap {
            before: Box::new(first),
            after: Box::new(third),
        })
    );
    assert_eq!(
        check_consecutive(&[first, first]),
        Err(OrderViolation::Nonce {
            before: Box::new(first),
            after: Box::new(first),
        })
    );
    assert_eq!(
        check_consecutive(&[first, tx(2, 9, 1), tx(1, 5, 5), third]),
        Ok(())
    );
}
