//! A simulation is committed later than it ran exactly where that changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::U256;
use blockwright_seams::{OpenBlock as _, SimError};
use blockwright_types::{BlockContext, Dimension, OpFork, SealedBlock, SharedTx, SkipReason};

use crate::differential::fork;
use crate::script::{Step, Target, Writer, step, target};
use crate::world::{
    BURNER, Block, Call, ETHER, GAS_LIMIT, NO_ROOTS, PROBE, STORE, WITNESS, context, include,
    l1_attributes, open, state, transfer, user, word, words,
};

fn sealed(mut block: Block) -> Arc<SealedBlock> {
    block.take_changes();
    block.cut(0);
    block.seal(0, &NO_ROOTS).block
}

/// One after the other, each on the state that the others left.
fn in_order(context: &BlockContext, txs: &[SharedTx]) -> Arc<SealedBlock> {
    let mut block = open(context.clone(), &Arc::new(state()), &[]);
    for tx in txs {
        include(&mut block, tx);
    }
    sealed(block)
}

/// What became of simulations that were not committed at once.
#[derive(Default)]
struct Tally {
    kept: AtomicUsize,
    stale: AtomicUsize,
}

/// `ahead` transactions at a time are simulated on the same state and then committed in order.
fn run_ahead(
    context: &BlockContext,
    txs: &[SharedTx],
    ahead: usize,
    tally: &Tally,
) -> Arc<SealedBlock> {
    let mut block = open(context.clone(), &Arc::new(state()), &[]);
    for batch in txs.chunks(ahead) {
        let sims: Vec<_> = batch.iter().map(|tx| block.simulate(tx).ok()).collect();
        for (position, (tx, sim)) in batch.iter().zip(sims).enumerate() {
            let committed = sim.is_some_and(|sim| block.commit(sim).is_ok());
            if !committed {
                include(&mut block, tx);
            }
            if position > 0 {
                let counter = if committed { &tally.kept } else { &tally.stale };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    sealed(block)
}

fn assert_same(one: &SealedBlock, other: &SealedBlock) {
    assert!(one.receipts().eq(other.receipts()));
    assert_eq!(one.changes(), other.changes());
    assert_eq!(one.hash, other.hash);
    assert_eq!(one.value, other.value);
}

#[test]
fn running_ahead_changes_nothing() {
    let tally = Tally::default();
    let script = (
        fork(),
        target(),
        proptest::collection::vec(step(), 2..24),
        2..12usize,
    );
    let mut runner = proptest::test_runner::TestRunner::new(crate::script::cases(256));
    runner
        .run(&script, |(fork, fee_recipient, steps, ahead)| {
            let mut writer = Writer::default();
            let txs: Vec<_> = steps.iter().map(|step| writer.write(step)).collect();
            let context = BlockContext {
                fee_recipient: fee_recipient.address(),
                ..context(fork)
            };
            let ordered = in_order(&context, &txs);
            assert_same(&ordered, &run_ahead(&context, &txs, ahead, &tally));
            Ok(())
        })
        .unwrap();
    let kept = tally.kept.into_inner();
    let stale = tally.stale.into_inner();
    assert!(kept > 200 && stale > 200, "{kept} kept, {stale} stale");
}

/// Whether a simulation of `later` survives the commit of `earlier`.
fn survives(earlier: &SharedTx, later: &SharedTx) -> bool {
    let mut block = open(context(OpFork::Karst), &Arc::new(state()), &[]);
    let sim = block.simulate(later).unwrap();
    include(&mut block, earlier);
    block.commit(sim).is_ok()
}

fn store(from: u64, slot: u64, value: u64) -> SharedTx {
    Call::new(user(from), 0, STORE, words(&[word(slot), word(value)])).tx()
}

#[test]
fn a_simulation_survives_what_it_did_not_read() {
    assert!(survives(
        &transfer(user(0), 0, user(1), 5),
        &transfer(user(2), 0, user(3), 5)
    ));
    // Other slots of the same contract, and the same slot with the value it had.
    assert!(survives(&store(0, 1, 5), &store(1, 2, 5)));
    assert!(survives(&store(0, 1, 77), &store(1, 1, 5)));
}

#[test]
fn a_simulation_does_not_survive_what_it_read() {
    assert!(!survives(
        &transfer(user(0), 0, user(1), 5),
        &transfer(user(2), 0, user(1), 5)
    ));
    assert!(!survives(
        &transfer(user(0), 0, user(1), 5),
        &transfer(user(1), 0, user(3), 5)
    ));
    assert!(!survives(&store(0, 1, 5), &store(1, 1, 6)));
    // It reads the balance of a fee vault, which the other pays.
    let witness = words(&[Target::Vault(2).address().into_word(), word(1)]);
    assert!(!survives(
        &transfer(user(0), 0, user(1), 5),
        &Call::new(user(2), 0, WITNESS, witness).tx()
    ));
    // It pays by other L1 attributes.
    let attributes = l1_attributes(1, U256::from(7));
    assert!(!survives(&attributes, &transfer(user(2), 0, user(3), 5)));
}

/// What a reverted call read decided that it reverted.
#[test]
fn a_read_within_a_reverted_transaction_counts() {
    let too_much = Call {
        value: ETHER * 2,
        ..Call::new(user(2), 0, PROBE, words(&[user(1).into_word(), word(1)]))
    };
    let block = || open(context(OpFork::Karst), &Arc::new(state()), &[]);
    assert!(block().simulate(&too_much.tx()).is_err());
    // It runs out of gas after it looked at user 1.
    let probe = Call {
        gas: 26_000,
        ..Call::new(user(2), 0, PROBE, words(&[user(1).into_word(), word(1)]))
    };
    assert!(!survives(
        &transfer(user(0), 0, user(1), 5),
        &probe.clone().tx()
    ));
    assert!(survives(&transfer(user(0), 0, user(3), 5), &probe.tx()));
}

#[test]
fn a_simulation_does_not_survive_the_end_of_the_gas() {
    let mut block = open(context(OpFork::Karst), &Arc::new(state()), &[]);
    let burn = |from, nonce| {
        Call {
            gas: 1 << 24,
            ..Call::new(user(from), nonce, BURNER, Default::default())
        }
        .tx()
    };
    let last = Call {
        gas: GAS_LIMIT - 3 * (1 << 24),
        ..Call::new(user(1), 0, PROBE, Default::default())
    }
    .tx();
    let also = transfer(user(3), 0, user(4), 1);
    for nonce in 0..3 {
        include(&mut block, &burn(0, nonce));
    }
    let sim = block.simulate(&last).unwrap();
    let small = block.simulate(&also).unwrap();
    // Leaves less than the gas limit of the first and more than that of the second.
    include(&mut block, &transfer(user(2), 0, user(5), 1));
    assert!(block.commit(sim).is_err());
    match block.simulate(&last) {
        Err(SimError::Rejected(SkipReason::OverBudget(Dimension::Gas))) => {}
        other => panic!("{other:?}"),
    }
    block.commit(small).unwrap();
}

/// Steps whose order matters, one ahead of all others.
#[test]
fn a_destroyed_account_is_not_what_a_simulation_saw() {
    let steps = [
        Step::Deploy {
            from: 0,
            salt: 1,
            value: 1,
        },
        Step::ChildStore {
            from: 1,
            salt: 1,
            slot: 2,
            value: 2,
        },
        Step::Destroy { from: 2, salt: 1 },
        Step::ChildStore {
            from: 3,
            salt: 1,
            slot: 2,
            value: 2,
        },
    ];
    let mut writer = Writer::default();
    let txs: Vec<_> = steps.iter().map(|step| writer.write(step)).collect();
    for fork in [OpFork::Canyon, OpFork::Karst] {
        let context = context(fork);
        let ordered = in_order(&context, &txs);
        for ahead in 1..=txs.len() {
            let block = run_ahead(&context, &txs, ahead, &Tally::default());
            assert_same(&ordered, &block);
        }
    }
}
