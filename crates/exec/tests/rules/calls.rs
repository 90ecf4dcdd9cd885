//! `eth_call` and `eth_estimateGas`.

use alloy_primitives::{Bytes, U256, bytes};
use blockwright_exec::{
    AccountOverride, CallRequest, CallStatus, Estimate, ExecError, call, estimate_gas,
};
use blockwright_types::{OpFork, SkipReason};

use crate::world::{
    BASE_FEE, BURNER, Call, ETHER, PAUPER, PROBE, REVERTER, STORE, child_init_code, context,
    include, open, state, user, word, words,
};

const CAP: u64 = 50_000_000;

fn to(address: alloy_primitives::Address, data: Bytes) -> CallRequest {
    CallRequest {
        from: user(0),
        to: address.into(),
        data,
        ..CallRequest::default()
    }
}

fn estimate(request: &CallRequest) -> Estimate {
    estimate_gas(&context(OpFork::Karst), state(), request, CAP).unwrap()
}

#[test]
fn a_call_without_a_price_is_free_for_anybody() {
    let request = CallRequest {
        from: PAUPER,
        ..to(PROBE, Bytes::new())
    };
    let outcome = call(&context(OpFork::Karst), state(), &request, CAP).unwrap();
    assert_eq!(outcome.status, CallStatus::Success(Bytes::new()));
}

#[test]
fn a_price_is_checked_against_base_fee_and_balance() {
    let priced = |from, gas_price| CallRequest {
        from,
        gas: Some(100_000),
        gas_price: Some(gas_price),
        ..to(PROBE, Bytes::new())
    };
    let run = |request: &CallRequest| call(&context(OpFork::Karst), state(), request, CAP);
    let price = u128::from(BASE_FEE);
    assert!(run(&priced(user(0), price)).is_ok());
    assert!(matches!(
        run(&priced(user(0), price - 1)),
        Err(ExecError::InvalidCall(SkipReason::FeeCapBelowBaseFee))
    ));
    assert!(matches!(
        run(&priced(PAUPER, price)),
        Err(ExecError::InvalidCall(SkipReason::InsufficientFunds))
    ));
    let gift = CallRequest {
        from: PAUPER,
        value: U256::from(1),
        ..to(PROBE, Bytes::new())
    };
    assert!(matches!(
        run(&gift),
        Err(ExecError::InvalidCall(SkipReason::InsufficientFunds))
    ));
}

/// A free call sees a base fee of zero, a priced one the block's. No rollup fee is charged: a sender
/// that holds exactly gas and value can pay.
#[test]
fn base_fee_and_rollup_fees_in_calls() {
    // BASEFEE, returned.
    let account = alloy_primitives::Address::repeat_byte(0x79);
    let base_fee = |gas_price: Option<u128>| {
        let funds = U256::from(100_000 * gas_price.unwrap_or(0));
        let code = AccountOverride {
            code: Some(bytes!("4860005260206000f3")),
            ..AccountOverride::default()
        };
        let exact = AccountOverride {
            balance: Some(funds),
            ..AccountOverride::default()
        };
        let request = CallRequest {
            from: PAUPER,
            gas: Some(100_000),
            gas_price,
            overrides: [(account, code), (PAUPER, exact)].into_iter().collect(),
            ..to(account, Bytes::new())
        };
        match call(&context(OpFork::Karst), state(), &request, CAP)
            .unwrap()
            .status
        {
            CallStatus::Success(output) => U256::from_be_slice(&output),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(base_fee(None), U256::ZERO);
    assert_eq!(base_fee(Some(2_000)), U256::from(BASE_FEE));
}

#[test]
fn revert_data_comes_back() {
    let outcome = call(
        &context(OpFork::Karst),
        state(),
        &to(REVERTER, bytes!("deadbeef")),
        CAP,
    )
    .unwrap();
    assert_eq!(outcome.status, CallStatus::Revert(bytes!("deadbeef")));
    assert!(matches!(
        estimate(&to(REVERTER, bytes!("deadbeef"))),
        Estimate::Fails(outcome) if outcome.status == CallStatus::Revert(bytes!("deadbeef"))
    ));
}

#[test]
fn the_gas_cap_binds() {
    let outcome = call(
        &context(OpFork::Karst),
        state(),
        &to(BURNER, Bytes::new()),
        90_000,
    );
    let outcome = outcome.unwrap();
    assert_eq!(outcome.gas_used, 90_000);
    assert!(matches!(
        outcome.status,
        CallStatus::Halt {
            out_of_gas: true,
            ..
        }
    ));
}

#[test]
fn storage_overrides_replace_or_patch() {
    let read = |account: AccountOverride| {
        let request = CallRequest {
            overrides: [(
                STORE,
                AccountOverride {
                    // SLOAD(calldata[0]), returned.
                    code: Some(bytes!("6000355460005260206000f3")),
                    ..account
                },
            )]
            .into_iter()
            .collect(),
            ..to(STORE, word(2).into())
        };
        match call(&context(OpFork::Karst), state(), &request, CAP)
            .unwrap()
            .status
        {
            CallStatus::Success(output) => U256::from_be_slice(&output),
            other => panic!("{other:?}"),
        }
    };
    let one = [(U256::from(1), U256::from(5))].into_iter().collect();
    let two = [(U256::from(2), U256::from(5))].into_iter().collect();
    assert_eq!(read(AccountOverride::default()), U256::from(77));
    let patched = AccountOverride {
        state_diff: two,
        ..Default::default()
    };
    assert_eq!(read(patched), U256::from(5));
    let replaced = AccountOverride {
        state: Some(one),
        ..Default::default()
    };
    assert_eq!(read(replaced), U256::ZERO);
}

/// With the estimate the transaction succeeds; it is within 1.5 % (and the 64ths) of what it needs.
#[test]
fn estimates_suffice_and_are_tight() {
    let create = CallRequest {
        to: alloy_primitives::TxKind::Create,
        ..to(STORE, child_init_code().into())
    };
    let cases = [
        to(user(1), Bytes::new()),
        to(STORE, words(&[word(9), word(1)])),
        to(STORE, words(&[word(1), word(0)])),
        create,
        to(PROBE, words(&[word(0), word(0)])),
    ];
    for request in cases {
        let Estimate::Gas(gas) = estimate(&request) else {
            panic!("no estimate for {request:?}");
        };
        let run = |gas| {
            let request = CallRequest {
                gas: Some(gas),
                ..request.clone()
            };
            call(&context(OpFork::Karst), state(), &request, CAP)
        };
        let succeeds = |gas| matches!(run(gas), Ok(outcome) if matches!(outcome.status, CallStatus::Success(_)));
        assert!(succeeds(gas), "{gas}: {request:?}");
        assert!(!succeeds(gas - gas / 50), "{gas} is not tight: {request:?}");
        let tx = Call {
            gas,
            to: request.to,
            ..Call::new(user(0), 0, STORE, request.data.clone())
        };
        let mut block = open(context(OpFork::Karst), &std::sync::Arc::new(state()), &[]);
        include(&mut block, &tx.tx());
    }
    assert_eq!(estimate(&to(user(1), Bytes::new())), Estimate::Gas(21_000));
}

#[test]
fn estimates_end_at_what_the_sender_may_have() {
    // Karst's cap.
    let endless = to(BURNER, Bytes::new());
    assert_eq!(
        estimate(&endless),
        Estimate::ExceedsAllowance { gas: 1 << 24 }
    );
    // What it can pay for.
    let poor = CallRequest {
        gas_price: Some(ETHER / 30_000),
        ..to(STORE, words(&[word(9), word(1)]))
    };
    assert_eq!(estimate(&poor), Estimate::ExceedsAllowance { gas: 30_000 });
    let broke = CallRequest {
        gas_price: Some(2_000),
        value: U256::from(ETHER) + U256::from(1),
        ..to(user(1), Bytes::new())
    };
    assert!(matches!(
        estimate_gas(&context(OpFork::Karst), state(), &broke, CAP),
        Err(ExecError::InvalidCall(SkipReason::InsufficientFunds))
    ));
}
