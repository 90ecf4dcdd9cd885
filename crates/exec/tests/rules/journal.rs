//! The journal rule: a rejected transaction leaves no trace.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use blockwright_seams::{OpenBlock as _, SimError};
use blockwright_types::{OpFork, SealedBlock, SharedTx, SkipReason};
use op_revm::OpBuilder as _;
use proptest::prelude::*;
use revm::ExecuteEvm as _;

use crate::reference::{op_context, tx_env};
use crate::script::{Step, Target, Writer, step};
use crate::world::{
    CODED, Call, GAS_LIMIT, NO_ROOTS, PAUPER, PROBE, context, include, open, state, user, word,
    words,
};

/// Ways to be invalid.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    NonceTooHigh,
    NonceTooLow,
    NoFunds,
    FeeCapTooLow,
    OverGasCap,
    OverBlockGas,
    SenderHasCode,
    TooLittleGas,
    TipAboveCap,
}

const FLAWS: [Flaw; 9] = [
    Flaw::NonceTooHigh,
    Flaw::NonceTooLow,
    Flaw::NoFunds,
    Flaw::FeeCapTooLow,
    Flaw::OverGasCap,
    Flaw::OverBlockGas,
    Flaw::SenderHasCode,
    Flaw::TooLittleGas,
    Flaw::TipAboveCap,
];

/// A transaction with this flaw from a user that has sent `nonce` transactions. `None` where the
/// state does not allow it.
fn flawed(flaw: Flaw, from: Address, nonce: u64) -> Option<SharedTx> {
    let call = Call::new(from, nonce, PROBE, words(&[user(5).into_word(), word(3)]));
    let call = match flaw {
        Flaw::NonceTooHigh => Call {
            nonce: nonce + 1,
            ..call
        },
        Flaw::NonceTooLow => Call {
            nonce: nonce.checked_sub(1)?,
            ..call
        },
        Flaw::NoFunds => Call {
            from: PAUPER,
            nonce: 0,
            ..call
        },
        Flaw::FeeCapTooLow => Call {
            max_fee: 999,
            ..call
        },
        Flaw::OverGasCap => Call {
            gas: (1 << 24) + 1,
            ..call
        },
        Flaw::OverBlockGas => Call {
            gas: GAS_LIMIT + 1,
            ..call
        },
        Flaw::SenderHasCode => Call {
            from: CODED,
            nonce: 1,
            ..call
        },
        Flaw::TooLittleGas => Call {
            gas: 21_000,
            ..call
        },
        Flaw::TipAboveCap => Call { tip: 4_000, ..call },
    };
    Some(call.tx())
}

fn is_expected(flaw: Flaw, reason: &SkipReason) -> bool {
    matches!(
        (flaw, reason),
        (Flaw::NonceTooHigh, SkipReason::NonceTooHigh { .. })
            | (Flaw::NonceTooLow, SkipReason::NonceTooLow { .. })
            | (Flaw::NoFunds, SkipReason::InsufficientFunds)
            | (Flaw::FeeCapTooLow, SkipReason::FeeCapBelowBaseFee)
            | (Flaw::OverBlockGas, SkipReason::OverBudget(_))
            | (
                Flaw::OverGasCap | Flaw::SenderHasCode | Flaw::TooLittleGas | Flaw::TipAboveCap,
                SkipReason::Invalid(_)
            )
    )
}

fn build(steps: &[Step], flaws: &[Option<Flaw>]) -> (Arc<SealedBlock>, usize) {
    let mut block = open(context(OpFork::Karst), &Arc::new(state()), &[]);
    let mut writer = Writer::default();
    let mut rejections = 0;
    for (position, step) in steps.iter().enumerate() {
        if let Some(Some(flaw)) = flaws.get(position) {
            let from = position as u64 % 4;
            if let Some(tx) = flawed(*flaw, user(from), writer.nonce(from)) {
                match block.simulate(&tx) {
                    Err(SimError::Rejected(reason)) => assert!(is_expected(*flaw, &reason)),
                    other => panic!("{flaw:?} gave {other:?}"),
                }
                rejections += 1;
            }
        }
        include(&mut block, &writer.write(step));
    }
    block.take_changes();
    block.cut(0);
    (block.seal(0, &NO_ROOTS).block, rejections)
}

fn leaves_no_trace(steps: &[Step], flaws: &[Option<Flaw>]) {
    let (clean, _) = build(steps, &[]);
    let (tried, _) = build(steps, flaws);
    assert_eq!(clean.hash, tried.hash);
    assert!(clean.receipts().eq(tried.receipts()));
    assert_eq!(clean.changes(), tried.changes());
}

proptest! {
    #![proptest_config(crate::script::cases(96))]
    #[test]
    fn rejected_transactions_leave_no_trace(
        steps in proptest::collection::vec(step(), 1..16),
        flaws in proptest::collection::vec(proptest::option::of(proptest::sample::select(&FLAWS[..])), 16),
    ) {
        leaves_no_trace(&steps, &flaws);
    }
}

/// Every flaw once, each followed by a probe of what it touched.
#[test]
fn every_flaw_is_rejected_for_its_own_reason() {
    let steps: Vec<_> = (0..FLAWS.len() as u64 * 2)
        .map(|position| Step::Probe {
            from: position % 4,
            at: Target::User(position % 6),
            slot: 3,
        })
        .collect();
    let flaws: Vec<_> = FLAWS.iter().chain(&FLAWS).map(|flaw| Some(*flaw)).collect();
    let (block, rejections) = build(&steps, &flaws);
    assert_eq!(block.transaction_count(), steps.len());
    assert!(rejections >= 2 * FLAWS.len() - 1);
    leaves_no_trace(&steps, &flaws);
}

/// What the rule guards against: op-revm's `transact_one` leaves the sender of a rejected
/// transaction warm, and the next transaction pays 2,500 gas less for looking at it.
#[test]
fn the_naive_path_leaks_warm_accounts() {
    let bad = flawed(Flaw::NonceTooHigh, user(1), 0).unwrap();
    let probe = Call::new(user(0), 0, PROBE, words(&[user(1).into_word(), word(0)])).tx();
    let context = context(OpFork::Karst);
    let gas = |candidates: &[&SharedTx]| {
        let mut db = state();
        let mut evm = op_context(&context, &mut db).build_op();
        let mut last = None;
        for tx in candidates {
            last = evm.transact_one(tx_env(tx)).ok();
        }
        last.unwrap().tx_gas_used()
    };
    let honest = gas(&[&probe]);
    assert_eq!(
        gas(&[&bad, &probe]),
        honest - 2_500,
        "the leak is gone: drop the rule's reason"
    );

    let mut block = open(context.clone(), &Arc::new(state()), &[]);
    assert!(block.simulate(&bad).is_err());
    assert_eq!(include(&mut block, &probe), honest);
}

#[test]
fn a_simulation_leaves_no_trace_and_goes_stale() {
    let mut block = open(context(OpFork::Jovian), &Arc::new(state()), &[]);
    let tx = Call::new(user(0), 0, PROBE, Bytes::new()).tx();
    let other = Call {
        max_fee: 4_000,
        ..Call::new(user(0), 0, PROBE, Bytes::new())
    };
    let first = block.simulate(&tx).unwrap();
    let second = block.simulate(&tx).unwrap();
    assert_eq!(block.usage(), Default::default());
    include(&mut block, &other.tx());
    assert!(block.commit(first).is_err());
    assert!(block.commit(second).is_err());
    let next = Call::new(user(0), 1, PROBE, Bytes::new()).tx();
    let fresh = block.simulate(&next).unwrap();
    block.commit(fresh).unwrap();
}
