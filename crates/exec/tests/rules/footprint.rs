//! Jovian's DA footprint as a limit of the block.

use std::sync::Arc;

use alloy_primitives::U256;
use blockwright_exec::{ExecError, execute_block};
use blockwright_seams::{OpenBlock as _, SimError};
use blockwright_types::{BlockContext, Dimension, OpFork, SharedTx, SkipReason};

use crate::world::{NO_ROOTS, context, include, l1_attributes, open, state, transfer, user};

/// A scalar under which each transfer (100 estimated bytes) takes `6.5` million gas: nine fit into
/// sixty million.
fn attributes() -> SharedTx {
    l1_attributes(8, U256::from(65_000u64) << 96)
}

fn transfers(count: u64) -> impl Iterator<Item = SharedTx> {
    (0..count).map(|nonce| transfer(user(0), nonce, user(1), 5))
}

#[test]
fn a_full_footprint_rejects_the_next_transaction() {
    let mut block = open(context(OpFork::Jovian), &Arc::new(state()), &[attributes()]);
    for tx in transfers(9) {
        include(&mut block, &tx);
    }
    let tenth = transfer(user(0), 9, user(1), 5);
    assert!(matches!(
        block.simulate(&tenth),
        Err(SimError::Rejected(SkipReason::OverBudget(
            Dimension::DaFootprint
        )))
    ));
    block.take_changes();
    block.cut(0);
    let header = block.seal(0, &NO_ROOTS).block.header.clone();
    assert_eq!(header.blob_gas_used, Some(9 * 6_500_000));
    assert_eq!(header.excess_blob_gas, Some(0));
}

#[test]
fn a_block_over_its_footprint_is_invalid() {
    let run = |context: BlockContext, count| {
        let txs: Vec<_> = [attributes()].into_iter().chain(transfers(count)).collect();
        execute_block(context, state(), &txs)
    };
    assert_eq!(
        run(context(OpFork::Jovian), 9).unwrap().totals.da_footprint,
        58_500_000
    );
    assert!(matches!(
        run(context(OpFork::Jovian), 10),
        Err(ExecError::InvalidTransaction {
            index: 10,
            reason: SkipReason::OverBudget(Dimension::DaFootprint)
        })
    ));
    assert_eq!(
        run(context(OpFork::Isthmus), 10)
            .unwrap()
            .totals
            .da_footprint,
        0
    );
}
