use alloy_consensus::{SignableTransaction, TxEip1559, TxEip7702, TxLegacy};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use blockwright_types::OpFork;
use op_alloy_consensus::{OpTxEnvelope, OpTypedTransaction};

use super::{HALF_ORDER, check_bytes, check_tip, check_transaction};
use crate::testing::{
    CHAIN_ID, Chain, ETHER, ROLLUP_FEE, deposit, key, recovered, sender, signed, transfer,
};
use crate::{AccountCode, AccountFacts, PoolConfig, PoolError};

/// Checks `tx` on a chain at `fork`, without a sender.
fn check(tx: impl Into<OpTypedTransaction>, fork: OpFork) -> Result<(), PoolError> {
    check_with(tx, fork, |_| {})
}

fn check_with(
    tx: impl Into<OpTypedTransaction>,
    fork: OpFork,
    configure: impl FnOnce(&mut PoolConfig),
) -> Result<(), PoolError> {
    let chain = Chain::new(|_| {});
    let mut config = PoolConfig::new(CHAIN_ID);
    configure(&mut config);
    let mut head = chain.view();
    head.fork = fork;
    let envelope = &recovered(sender(0), tx).envelope;
    check_transaction(envelope, &config, &head)?;
    check_tip(envelope, config.min_tip_wei)
}

fn set_code(authorizations: usize) -> TxEip7702 {
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: Address::ZERO,
        nonce: 0,
    };
    TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit: 500_000,
        max_fee_per_gas: 1_000,
        authorization_list: vec![
            SignedAuthorization::new_unchecked(
                authorization,
                0,
                U256::ZERO,
                U256::ZERO
            );
            authorizations
        ],
        ..TxEip7702::default()
    }
}

#[test]
fn types_are_told_by_the_first_byte() {
    let config = PoolConfig::new(CHAIN_ID);
    for ty in [0x00, 0x03, 0x05, 0x7d, 0x7e] {
        assert_eq!(
            check_bytes(&[ty, 0xc0], &config),
            Err(PoolError::TypeNotSupported(ty))
        );
    }
    for ty in [0x01, 0x02, 0x04, 0xc0, 0xff] {
        assert_eq!(check_bytes(&[ty, 0xc0], &config), Ok(()));
    }
    assert!(matches!(
        check_bytes(&[], &config),
        Err(PoolError::Decode(_))
    ));
    assert!(matches!(
        check_bytes(&[0x80], &config),
        Err(PoolError::Decode(_))
    ));
    let text = PoolError::TypeNotSupported(0x7e).to_string();
    assert_eq!(text, "transaction type not supported: 0x7e");
}

#[test]
fn size_limit_is_inclusive() {
    let config = PoolConfig::new(CHAIN_ID);
    assert_eq!(check_bytes(&vec![2; 128 << 10], &config), Ok(()));
    let error = check_bytes(&vec![2; (128 << 10) + 1], &config).unwrap_err();
    assert_eq!(
        error.to_string(),
        "oversized data: transaction size 131073, limit 131072"
    );
}

#[test]
fn deposits_are_refused_even_when_decoded() {
    let chain = Chain::new(|_| {});
    let error = chain.add(&deposit(sender(0))).unwrap_err();
    assert_eq!(error, PoolError::TypeNotSupported(0x7e));
}

#[test]
fn set_code_transactions_come_with_isthmus() {
    assert_eq!(
        check(set_code(1), OpFork::Holocene),
        Err(PoolError::TypeNotSupported(4))
    );
    assert_eq!(check(set_code(1), OpFork::Isthmus), Ok(()));
    assert_eq!(
        check(set_code(0), OpFork::Isthmus),
        Err(PoolError::EmptyAuthorizationList)
    );
}

#[test]
fn authorizations_are_part_of_the_intrinsic_gas() {
    let tx = TxEip7702 {
        gas_limit: 45_999,
        ..set_code(1)
    };
    assert_eq!(
        check(tx, OpFork::Isthmus),
        Err(PoolError::IntrinsicGas {
            gas: 45_999,
            needed: 46_000
        })
    );
}

#[test]
fn chain_id_must_be_ours() {
    let tx = TxEip1559 {
        chain_id: 10,
        ..transfer(0)
    };
    let error = check(tx, OpFork::Karst).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid chain id for signer: have 10 want 901"
    );
}

#[test]
fn unprotected_transactions_need_leave() {
    let tx = TxLegacy {
        chain_id: None,
        gas_limit: 21_000,
        gas_price: 1_000,
        to: TxKind::Call(Address::ZERO),
        ..TxLegacy::default()
    };
    assert_eq!(
        check(tx.clone(), OpFork::Karst),
        Err(PoolError::Unprotected)
    );
    let allowed = check_with(tx, OpFork::Karst, |config| config.allow_unprotected = true);
    assert_eq!(allowed, Ok(()));
}

#[test]
fn init_code_is_limited_from_canyon() {
    let create = |bytes: usize| TxEip1559 {
        gas_limit: 10_000_000,
        to: TxKind::Create,
        input: Bytes::from(vec![1; bytes]),
        ..transfer(0)
    };
    assert_eq!(check(create(49_152), OpFork::Canyon), Ok(()));
    assert_eq!(check(create(49_153), OpFork::Regolith), Ok(()));
    let error = check(create(49_153), OpFork::Canyon).unwrap_err();
    assert_eq!(
        error.to_string(),
        "max initcode size exceeded: code size 49153, limit 49152"
    );
}

#[test]
fn gas_limit_is_bounded_by_the_block_and_from_karst_by_the_cap() {
    let with_gas = |gas_limit: u64| TxEip1559 {
        gas_limit,
        ..transfer(0)
    };
    assert_eq!(check(with_gas(30_000_000), OpFork::Jovian), Ok(()));
    let error = check(with_gas(30_000_001), OpFork::Jovian).unwrap_err();
    assert!(error.to_string().starts_with("exceeds block gas limit"));
    assert_eq!(check(with_gas(1 << 24), OpFork::Karst), Ok(()));
    let error = check(with_gas((1 << 24) + 1), OpFork::Karst).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("gas limit above cap of 16777216"),
        "{error}"
    );
}

#[test]
fn intrinsic_gas_and_call_data_floor_are_owed() {
    let tx = TxEip1559 {
        gas_limit: 20_999,
        ..transfer(0)
    };
    let error = check(tx, OpFork::Karst).unwrap_err();
    assert_eq!(
        error.to_string(),
        "intrinsic gas too low: gas 20999, minimum needed 21000"
    );
    // 100 bytes cost 1,600 by the byte and 4,000 by the floor.
    let data = TxEip1559 {
        gas_limit: 24_999,
        input: Bytes::from(vec![1; 100]),
        ..transfer(0)
    };
    assert_eq!(check(data.clone(), OpFork::Holocene), Ok(()));
    let error = check(data, OpFork::Isthmus).unwrap_err();
    assert_eq!(
        error.to_string(),
        "insufficient gas for floor data gas cost: gas 24999, minimum needed 25000"
    );
}

#[test]
fn tip_is_within_the_fee_cap_and_not_below_the_minimum() {
    let tx = TxEip1559 {
        max_priority_fee_per_gas: 1_001,
        ..transfer(0)
    };
    let error = check(tx, OpFork::Karst).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("max priority fee per gas higher than max fee per gas")
    );
    let minimum = |wei: u128| move |config: &mut PoolConfig| config.min_tip_wei = wei;
    assert_eq!(check_with(transfer(0), OpFork::Karst, minimum(10)), Ok(()));
    let error = check_with(transfer(0), OpFork::Karst, minimum(11)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "transaction underpriced: gas tip cap 10, minimum needed 11"
    );
}

#[test]
fn the_last_nonce_is_never_usable() {
    assert_eq!(
        check(transfer(u64::MAX), OpFork::Karst),
        Err(PoolError::NonceMax(u64::MAX))
    );
}

#[test]
fn high_s_is_refused() {
    let chain = Chain::new(|_| {});
    let config = PoolConfig::new(CHAIN_ID);
    let with_s = |s: U256| -> OpTxEnvelope {
        let signature = Signature::new(U256::from(1), s, false);
        OpTxEnvelope::Eip1559(transfer(0).into_signed(signature))
    };
    let check = |s| check_transaction(&with_s(s), &config, &chain.view());
    assert_eq!(check(HALF_ORDER), Ok(()));
    assert!(matches!(
        check(HALF_ORDER + U256::from(1)),
        Err(PoolError::InvalidSender(_))
    ));
}

#[test]
fn the_malleable_twin_of_a_signature_is_above_half_the_order() {
    let encoded = signed(&key(0), transfer(0));
    let mut raw = encoded.as_ref();
    let envelope = <OpTxEnvelope as alloy_eips::eip2718::Decodable2718>::decode_2718(&mut raw);
    let signature = *envelope.unwrap().signature().unwrap();
    // n - s, written as (n >> 1) * 2 + 1 - s.
    let twin = HALF_ORDER * U256::from(2) + U256::from(1) - signature.s();
    assert!(signature.s() <= HALF_ORDER && twin > HALF_ORDER);
    assert_eq!(
        Signature::new(signature.r(), twin, !signature.v()).normalized_s(),
        signature
    );
}

#[test]
fn cost_includes_gas_at_the_fee_cap_value_and_rollup_fees() {
    let cost = 21_000 * 1_000 + 500 + u128::from(ROLLUP_FEE);
    let tx = recovered(
        sender(0),
        TxEip1559 {
            value: U256::from(500),
            ..transfer(0)
        },
    );
    let mut chain = Chain::new(|_| {});
    chain.fund(sender(0), 0, cost - 1);
    let error = chain.add(&tx).unwrap_err();
    assert_eq!(
        error,
        PoolError::InsufficientFunds {
            balance: U256::from(cost - 1),
            cost: U256::from(cost)
        }
    );
    assert!(
        error
            .to_string()
            .starts_with("insufficient funds for gas * price + value: balance 21001499")
    );
    assert!(error.to_string().ends_with("overshot 1"));
    chain.fund(sender(0), 0, cost);
    assert_eq!(chain.add(&tx), Ok(tx.hash));
}

#[test]
fn absurd_prices_do_not_overflow() {
    let tx = TxEip1559 {
        max_fee_per_gas: u128::MAX,
        max_priority_fee_per_gas: u128::MAX,
        value: U256::MAX,
        ..transfer(0)
    };
    let mut chain = Chain::new(|_| {});
    chain.fund(sender(0), 0, u128::MAX);
    let error = chain.add(&recovered(sender(0), tx)).unwrap_err();
    assert_eq!(error.label(), "insufficient_funds");
}

#[test]
fn a_used_nonce_is_refused_and_a_later_one_parked() {
    let mut chain = Chain::new(|_| {});
    chain.fund(sender(0), 5, ETHER);
    let error = chain.add(&recovered(sender(0), transfer(4))).unwrap_err();
    assert_eq!(error.to_string(), "nonce too low: next nonce 5, tx nonce 4");
    chain.add(&recovered(sender(0), transfer(7))).unwrap();
    let status = chain.pool.status();
    assert_eq!((status.executable, status.parked), (0, 1));
}

#[test]
fn contracts_cannot_send_but_delegated_accounts_can() {
    let mut chain = Chain::new(|_| {});
    let mut facts = AccountFacts {
        nonce: 0,
        balance: U256::from(ETHER),
        code: AccountCode::Contract,
    };
    chain.accounts.known.insert(sender(0), facts);
    chain.jump();
    let tx = recovered(sender(0), transfer(0));
    assert_eq!(chain.add(&tx), Err(PoolError::SenderNotEoa(sender(0))));
    facts.code = AccountCode::Delegation;
    chain.accounts.known.insert(sender(0), facts);
    chain.jump();
    assert_eq!(chain.add(&tx), Ok(tx.hash));
}

#[test]
fn unreadable_state_is_said_and_retryable() {
    let mut chain = Chain::new(|_| {});
    chain.accounts.broken = true;
    chain.jump();
    let error = chain.add(&recovered(sender(0), transfer(0))).unwrap_err();
    assert_eq!(error, PoolError::State("disk on fire".into()));
    assert!(error.is_transient());
}

#[test]
fn nothing_is_taken_before_the_first_head() {
    let pool = crate::Pool::new(PoolConfig::new(CHAIN_ID));
    let result = pool.add_recovered(recovered(sender(0), transfer(0)));
    assert_eq!(result, Err(PoolError::NotReady));
}
