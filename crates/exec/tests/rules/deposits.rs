//! Deposits: mint, nonce and gas under Bedrock's and Regolith's rules.

use std::sync::Arc;

use alloy_consensus::TxReceipt as _;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, bytes};
use blockwright_exec::{Executed, execute_block};
use blockwright_seams::HostError;
use blockwright_types::{AccountPost, BlockContext, OpFork, SharedTx};
use op_alloy_consensus::{OpReceipt, TxDeposit};

use crate::world::{
    Block, Call, GAS_LIMIT, REVERTER, STORE, context, deposit, deposit_call, state, user, word,
    words,
};

fn execute(fork: OpFork, txs: &[SharedTx]) -> Executed {
    execute_block(context(fork), state(), txs).unwrap()
}

fn post(executed: &Executed, address: Address) -> AccountPost {
    executed.part.net_changes().accounts[&address].post.unwrap()
}

fn deposit_receipt(executed: &Executed, index: usize) -> (bool, u64, Option<u64>, Option<u64>) {
    let OpReceipt::Deposit(receipt) = &executed.part.receipts[index] else {
        panic!("not a deposit's receipt");
    };
    (
        receipt.inner.status.coerce_status(),
        receipt.inner.cumulative_gas_used,
        receipt.deposit_nonce,
        receipt.deposit_receipt_version,
    )
}

const FRESH: Address = Address::repeat_byte(0x51);

#[test]
fn a_failed_deposit_keeps_its_mint_and_its_nonce() {
    let reverts = deposit_call(FRESH, REVERTER, 1_000, Bytes::new());
    let unaffordable = TxDeposit {
        value: U256::from(5_000),
        ..deposit_call(FRESH, STORE, 1_000, Bytes::new())
    };
    let no_gas = TxDeposit {
        gas_limit: 20_000,
        ..reverts.clone()
    };
    let bad_code = TxDeposit {
        to: TxKind::Create,
        input: bytes!("fe"),
        ..reverts
    };
    for failing in [reverts, unaffordable, no_gas, bad_code] {
        for fork in [OpFork::Bedrock, OpFork::Regolith, OpFork::Karst] {
            let executed = execute(fork, &[deposit(failing.clone())]);
            assert!(!executed.part.receipts[0].status(), "{fork}: {failing:?}");
            let post = post(&executed, FRESH);
            assert_eq!(post.balance, U256::from(1_000), "{fork}: {failing:?}");
            assert_eq!(post.nonce, 1, "{fork}: {failing:?}");
        }
    }
}

#[test]
fn gas_of_deposits_by_fork() {
    let write = |is_system_transaction| TxDeposit {
        is_system_transaction,
        ..deposit_call(FRESH, STORE, 0, words(&[word(9), word(1)]))
    };
    let ordinary = deposit(write(false));
    let system = deposit(write(true));
    let limit = 1_000_000;
    // Bedrock: the limit, or nothing for a system transaction; no nonce in the receipt.
    let bedrock = execute(OpFork::Bedrock, &[ordinary.clone(), system.clone()]);
    assert_eq!(deposit_receipt(&bedrock, 0), (true, limit, None, None));
    assert_eq!(deposit_receipt(&bedrock, 1), (true, limit, None, None));
    // Regolith: what was used; Canyon: the receipt says so by its version.
    let regolith = execute(OpFork::Regolith, &[ordinary.clone(), ordinary.clone()]);
    let used = regolith.part.receipts[0].cumulative_gas_used();
    assert!((43_000..50_000).contains(&used), "{used}");
    assert_eq!(deposit_receipt(&regolith, 1).2, Some(1));
    let canyon = execute(OpFork::Canyon, &[ordinary]);
    assert_eq!(deposit_receipt(&canyon, 0), (true, used, Some(0), Some(1)));
    // A system transaction from Regolith on fails, with all its gas.
    let failed = execute(OpFork::Regolith, &[system]);
    assert_eq!(deposit_receipt(&failed, 0), (false, limit, Some(0), None));
}

#[test]
fn a_deposit_with_a_zero_source_hash_is_a_deposit() {
    let call = TxDeposit {
        source_hash: B256::ZERO,
        ..deposit_call(FRESH, STORE, 7, words(&[word(9), word(1)]))
    };
    let executed = execute(OpFork::Jovian, &[deposit(call)]);
    assert!(executed.part.receipts[0].status());
    assert_eq!(post(&executed, FRESH).balance, U256::from(7));
}

#[test]
fn deposits_over_the_block_gas_make_the_block_invalid() {
    let open = |fork, gas_limit| {
        let large = deposit(TxDeposit {
            gas_limit,
            ..deposit_call(FRESH, STORE, 0, Bytes::new())
        });
        Block::open(
            context(fork),
            Arc::new(state()),
            &[large],
            Default::default(),
        )
        .map(|_| ())
    };
    assert!(open(OpFork::Jovian, GAS_LIMIT).is_ok());
    assert!(matches!(
        open(OpFork::Jovian, GAS_LIMIT + 1),
        Err(HostError::InvalidTransaction { index: 0, .. })
    ));
}

#[test]
fn an_invalid_sequencer_transaction_names_its_place() {
    let good = Call::new(user(0), 0, STORE, Bytes::new()).tx();
    let bad = Call::new(user(0), 7, STORE, Bytes::new()).tx();
    let opened = Block::open(
        context(OpFork::Karst),
        Arc::new(state()),
        &[good, bad],
        Default::default(),
    );
    match opened.map(|_| ()) {
        Err(HostError::InvalidTransaction { index: 1, reason }) => {
            assert_eq!(reason, "nonce 7 is above the account's 1");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn canyon_deploys_the_create2_deployer_in_its_activation_block_only() {
    let deployer = alloy_primitives::address!("13b0D85CcB8bf860b6b79AF3029fCA081AE9beF2");
    let changes = |activates| {
        let context = BlockContext {
            activates,
            ..context(OpFork::Canyon)
        };
        let executed = execute_block(context, state(), &[]).unwrap();
        executed.part.net_changes()
    };
    assert!(changes(None).accounts.is_empty());
    let deployed = changes(Some(OpFork::Canyon));
    let hash = deployed.accounts[&deployer].post.unwrap().code_hash;
    assert_eq!(alloy_primitives::keccak256(&deployed.code[&hash]), hash);
    assert!(changes(Some(OpFork::Ecotone)).accounts.is_empty());
}
