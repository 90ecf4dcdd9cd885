//! Rollup fees: what is charged, what the pool is told, what receipts say.

use std::sync::Arc;

use alloy_primitives::U256;
use blockwright_exec::{RollupFees, RollupParameters, execute_block};
use blockwright_seams::OpenBlock as _;
use blockwright_types::{OpFork, SharedTx};
use op_revm::constants::{L1_FEE_RECIPIENT, OPERATOR_FEE_RECIPIENT};
use revm::database::InMemoryDB;

use crate::world::{
    BASE_FEE, ETHER, context, deposit, deposit_call, include, l1_attributes, open, state, transfer,
    user,
};

fn balance(block: &blockwright_exec::Executed, address: alloy_primitives::Address) -> U256 {
    let changes = block.part.net_changes();
    let account = changes.accounts.get(&address);
    account.map_or(U256::ZERO, |change| change.post.unwrap().balance)
}

fn parameters() -> RollupParameters {
    RollupParameters {
        l1_base_fee: U256::from(1_000_000_000u64),
        l1_fee_overhead: U256::from(188),
        l1_fee_scalar: U256::from(684_000),
        l1_blob_base_fee: Some(U256::from(7)),
        l1_base_fee_scalar: 1_368,
        l1_blob_base_fee_scalar: 810_949,
        operator_fee_scalar: 5,
        operator_fee_constant: 9,
        da_footprint_gas_scalar: 400,
    }
}

/// The fees told are the fees charged, and reading them or knowing them is the same.
#[test]
fn fees_told_are_fees_charged_under_every_fork() {
    for fork in OpFork::ALL {
        let tx = transfer(user(0), 0, user(1), 5);
        let block = execute_block(context(fork), state(), std::slice::from_ref(&tx)).unwrap();
        let read = RollupFees::read(&state(), fork).unwrap();
        let known = RollupFees::new(fork, &parameters());
        assert!(read.l1_fee(&tx) > U256::ZERO);
        assert_eq!(
            balance(&block, L1_FEE_RECIPIENT),
            read.l1_fee(&tx),
            "{fork}"
        );
        let operator = read.operator_fee(21_000);
        assert_eq!(balance(&block, OPERATOR_FEE_RECIPIENT), operator, "{fork}");
        assert_eq!(read.cost(&tx), known.cost(&tx), "{fork}");
        assert_eq!(
            read.receipt_fields(&tx),
            known.receipt_fields(&tx),
            "{fork}"
        );
        let spent = U256::from(ETHER) - balance(&block, user(0)) - U256::from(5);
        let gas = U256::from(21_000 * (BASE_FEE + 10));
        assert_eq!(spent, gas + read.l1_fee(&tx) + operator, "{fork}");
        assert_eq!(block.value, U256::from(21_000 * 10), "{fork}");
    }
}

/// Hand-computed for a transaction whose size estimate is the minimum of 100 bytes.
#[test]
fn fee_formulas_by_hand() {
    let tx = transfer(user(0), 0, user(1), 5);
    let fees = |fork| RollupFees::new(fork, &parameters());
    // 100 bytes * (16 * 1,368 * 1 gwei + 810,949 * 7 wei) / 10^6
    let price = U256::from(16u64 * 1_368 * 1_000_000_000 + 810_949 * 7);
    let fjord = U256::from(100) * price / U256::from(1_000_000);
    assert_eq!(fees(OpFork::Fjord).l1_fee(&tx), fjord);
    assert_eq!(fees(OpFork::Karst).l1_fee(&tx), fjord);
    assert_eq!(fees(OpFork::Holocene).operator_fee(21_000), U256::ZERO);
    assert_eq!(
        fees(OpFork::Isthmus).operator_fee(1_000_000),
        U256::from(5 + 9)
    );
    assert_eq!(
        fees(OpFork::Jovian).operator_fee(1_000),
        U256::from(5 * 1_000 * 100 + 9)
    );
    let tokens: u64 = tx
        .encoded
        .iter()
        .map(|byte| if *byte == 0 { 4 } else { 16 })
        .sum();
    let ecotone = U256::from(tokens) * price / U256::from(16_000_000);
    assert_eq!(fees(OpFork::Ecotone).l1_fee(&tx), ecotone);
    let regolith = U256::from(tokens + 188) * U256::from(684_000u64 * 1_000);
    assert_eq!(fees(OpFork::Regolith).l1_fee(&tx), regolith);
}

#[test]
fn receipt_fields_follow_the_fork() {
    let tx = transfer(user(0), 0, user(1), 5);
    let fields = |fork| {
        RollupFees::new(fork, &parameters())
            .receipt_fields(&tx)
            .unwrap()
    };
    let bedrock = fields(OpFork::Regolith);
    assert_eq!(bedrock.l1_fee_scalar, Some(U256::from(684_000)));
    assert_eq!(bedrock.l1_blob_base_fee, None);
    let ecotone = fields(OpFork::Ecotone);
    assert_eq!(ecotone.l1_fee_scalar, None);
    assert_eq!(ecotone.l1_base_fee_scalar, Some(1_368));
    assert_eq!(ecotone.l1_blob_base_fee_scalar, Some(810_949));
    assert_eq!(fields(OpFork::Fjord).l1_gas_used, U256::from(1_600));
    assert_eq!(fields(OpFork::Holocene).operator_fee_scalar, None);
    let jovian = fields(OpFork::Jovian);
    assert_eq!(jovian.operator_fee_scalar, Some(5));
    assert_eq!(jovian.operator_fee_constant, Some(9));
    assert_eq!(jovian.da_footprint_gas_scalar, Some(400));
    assert_eq!(jovian.da_footprint, Some(40_000));
    let mint = deposit(deposit_call(user(0), user(1), 1, Default::default()));
    assert_eq!(
        RollupFees::new(OpFork::Karst, &parameters()).receipt_fields(&mint),
        None
    );
}

/// The L1-attributes deposit changes the fees of the very block it is in, also after a transaction
/// has already paid the old ones.
#[test]
fn l1_attributes_hold_from_their_deposit_on() {
    let l1_fee_paid = |txs: &[SharedTx]| {
        let block = execute_block(context(OpFork::Jovian), state(), txs).unwrap();
        balance(&block, L1_FEE_RECIPIENT)
    };
    let tx = |nonce| transfer(user(0), nonce, user(1), 5);
    let doubled = l1_attributes(1, U256::from(2_000_000_000u64));
    let old = l1_fee_paid(&[tx(0)]);
    let new = l1_fee_paid(&[doubled.clone(), tx(0)]);
    assert!(new > old);
    assert_eq!(l1_fee_paid(&[tx(0), doubled, tx(1)]), old + new);
}

#[test]
fn the_builder_sees_new_attributes_too() {
    let db: Arc<InMemoryDB> = Arc::new(state());
    let scalar = (U256::from(700u64) << 96) | U256::from(0u64);
    let mut block = open(context(OpFork::Jovian), &db, &[l1_attributes(8, scalar)]);
    assert_eq!(block.da_footprint_gas_scalar(), 700);
    include(&mut block, &transfer(user(0), 0, user(1), 5));
    assert_eq!(block.usage().da_footprint.0, 70_000);
    let before = open(context(OpFork::Isthmus), &db, &[]);
    assert_eq!(before.da_footprint_gas_scalar(), 0);
}
