//! Boundary vectors of Karst, each with the fork before it.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256, address, bytes};
use blockwright_exec::{
    AccountOverride, CallOutcome, CallRequest, CallStatus, KARST_BN254_PAIRING_INPUT_BYTES_MAX,
    call,
};
use blockwright_seams::{OpenBlock as _, SimError};
use blockwright_types::{OpFork, SkipReason};
use op_alloy_consensus::TxDeposit;

use crate::world::{
    BURNER, Call, context, deposit, deposit_call, include, open, state, transfer, user,
};

const MODEXP: Address = Address::with_last_byte(5);
const PAIRING: Address = Address::with_last_byte(8);
const P256: Address = address!("0000000000000000000000000000000000000100");

fn run(fork: OpFork, to: Address, data: Bytes) -> CallOutcome {
    let request = CallRequest {
        to: to.into(),
        data,
        ..CallRequest::default()
    };
    call(&context(fork), state(), &request, 50_000_000).unwrap()
}

/// Gas between two `GAS` instructions around a STATICCALL; the same fixed part under every fork.
fn precompile_gas(fork: OpFork, to: Address, data: Bytes) -> U256 {
    let meter = Address::repeat_byte(0x76);
    let mut code = alloy_primitives::hex!("366000600037 5a6000600036600061").to_vec();
    code.extend(&to[18..]);
    code.extend(alloy_primitives::hex!("5afa505a900360005260206000f3"));
    let account = AccountOverride {
        code: Some(code.into()),
        ..AccountOverride::default()
    };
    let request = CallRequest {
        to: meter.into(),
        data,
        overrides: [(meter, account)].into_iter().collect(),
        ..CallRequest::default()
    };
    match call(&context(fork), state(), &request, 50_000_000)
        .unwrap()
        .status
    {
        CallStatus::Success(output) => U256::from_be_slice(&output),
        other => panic!("{other:?}"),
    }
}

fn succeeds(fork: OpFork, to: Address, data: Bytes) -> bool {
    matches!(run(fork, to, data).status, CallStatus::Success(_))
}

/// Pairs of points at infinity are valid and cheap to check.
#[test]
fn bn254_pairing_takes_300_pairs_and_not_one_more() {
    let pairs = |count: usize| Bytes::from(vec![0u8; count * 192]);
    assert_eq!(pairs(300).len(), KARST_BN254_PAIRING_INPUT_BYTES_MAX);
    assert!(succeeds(OpFork::Karst, PAIRING, pairs(300)));
    assert!(!succeeds(OpFork::Karst, PAIRING, pairs(301)));
    assert!(succeeds(OpFork::Jovian, PAIRING, pairs(301)));
    assert!(succeeds(OpFork::Jovian, PAIRING, pairs(427)));
    assert!(!succeeds(OpFork::Jovian, PAIRING, pairs(428)));
    assert!(succeeds(OpFork::Isthmus, PAIRING, pairs(428)));
}

fn modexp(base: usize, exponent: usize, modulus: usize) -> Bytes {
    let mut input = Vec::new();
    for length in [base, exponent, modulus] {
        input.extend(U256::from(length).to_be_bytes::<32>());
    }
    input.extend(std::iter::repeat_n(1u8, base + exponent + modulus));
    input.into()
}

#[test]
fn modexp_takes_1024_bytes_and_costs_500_at_least() {
    for (base, exponent, modulus) in [(1, 1, 1024), (1024, 1, 1), (1, 1024, 1)] {
        assert!(succeeds(
            OpFork::Karst,
            MODEXP,
            modexp(base, exponent, modulus)
        ));
    }
    for (base, exponent, modulus) in [(1, 1, 1025), (1025, 1, 1), (1, 1025, 1)] {
        let input = modexp(base, exponent, modulus);
        assert!(!succeeds(OpFork::Karst, MODEXP, input.clone()), "EIP-7823");
        assert!(succeeds(OpFork::Jovian, MODEXP, input));
    }
    // EIP-7883: minimum 200 -> 500 gas.
    let gas = |fork| precompile_gas(fork, MODEXP, modexp(1, 1, 1));
    assert_eq!(gas(OpFork::Karst) - gas(OpFork::Jovian), U256::from(300));
}

#[test]
fn p256_costs_twice_as_much() {
    let valid = bytes!(
        "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
        "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
        "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
        "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
        "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
    );
    let gas = |fork| precompile_gas(fork, P256, valid.clone());
    let difference = gas(OpFork::Karst) - gas(OpFork::Jovian);
    assert_eq!(difference, U256::from(6_900 - 3_450));
    for fork in [OpFork::Fjord, OpFork::Jovian, OpFork::Karst] {
        let one = U256::from(1).to_be_bytes::<32>().into();
        assert_eq!(
            run(fork, P256, valid.clone()).status,
            CallStatus::Success(one)
        );
    }
}

#[test]
fn clz_counts_from_karst_on() {
    let account = Address::repeat_byte(0x77);
    let request = CallRequest {
        to: account.into(),
        overrides: [(
            account,
            AccountOverride {
                // CLZ(1), returned.
                code: Some(bytes!("60011e60005260206000f3")),
                ..AccountOverride::default()
            },
        )]
        .into_iter()
        .collect(),
        ..CallRequest::default()
    };
    let run = |fork| {
        call(&context(fork), state(), &request, 100_000)
            .unwrap()
            .status
    };
    let count = U256::from(255).to_be_bytes::<32>().into();
    assert_eq!(run(OpFork::Karst), CallStatus::Success(count));
    assert!(matches!(run(OpFork::Jovian), CallStatus::Halt { .. }));
}

#[test]
fn the_gas_cap_binds_transactions_but_not_deposits() {
    let cap = 1 << 24;
    let with_gas = |gas| {
        let call = Call::new(user(0), 0, user(1), Bytes::new());
        Call { gas, ..call }.tx()
    };
    let db = Arc::new(state());
    let mut karst = open(context(OpFork::Karst), &db, &[]);
    assert!(matches!(
        karst.simulate(&with_gas(cap + 1)),
        Err(SimError::Rejected(SkipReason::Invalid(_)))
    ));
    assert_eq!(include(&mut karst, &with_gas(cap)), 21_000);
    let mut jovian = open(context(OpFork::Jovian), &db, &[]);
    assert_eq!(include(&mut jovian, &with_gas(cap + 1)), 21_000);

    // A deposit may even spend more than the cap: it gets all its gas to run with.
    let spend = deposit(TxDeposit {
        gas_limit: 30_000_000,
        ..deposit_call(user(2), GAS_READER, 0, Bytes::new())
    });
    let mut db = state();
    let code = revm::state::Bytecode::new_raw(GAS_READER_CODE);
    let info = revm::state::AccountInfo::new(U256::ZERO, 1, code.hash_slow(), code);
    db.insert_account_info(GAS_READER, info);
    let mut block = open(context(OpFork::Karst), &Arc::new(db), &[spend]);
    let changes = block.take_changes().unwrap();
    let seen = changes.accounts[&GAS_READER].storage[&U256::ZERO];
    assert_eq!(seen, U256::from(30_000_000 - 21_000 - 2));

    let burn = deposit(TxDeposit {
        gas_limit: 20_000_000,
        ..deposit_call(user(2), BURNER, 0, Bytes::new())
    });
    let block = open(context(OpFork::Karst), &Arc::new(state()), &[burn]);
    assert_eq!(block.usage().gas.0, 20_000_000);
}

/// `SSTORE(0, GAS)`.
const GAS_READER_CODE: Bytes = bytes!("5a60005500");
const GAS_READER: Address = Address::repeat_byte(0x78);

#[test]
fn transfers_cost_the_same_under_every_fork() {
    for fork in OpFork::ALL {
        let mut block = open(context(fork), &Arc::new(state()), &[]);
        assert_eq!(
            include(&mut block, &transfer(user(0), 0, user(1), 5)),
            21_000
        );
    }
}
