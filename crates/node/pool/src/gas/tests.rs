use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use blockwright_types::OpFork;

use super::{floor_gas, intrinsic_gas};

fn call(input: &[u8]) -> TxEip1559 {
    TxEip1559 {
        to: TxKind::Call(Address::ZERO),
        input: Bytes::copy_from_slice(input),
        ..TxEip1559::default()
    }
}

#[test]
fn a_transfer_costs_the_base() {
    assert_eq!(intrinsic_gas(&call(&[]), OpFork::Karst), 21_000);
    assert_eq!(floor_gas(&call(&[])), 21_000);
}

#[test]
fn zero_bytes_are_cheaper() {
    let tx = call(&[0, 0, 0, 1]);
    assert_eq!(intrinsic_gas(&tx, OpFork::Karst), 21_000 + 3 * 4 + 16);
    assert_eq!(floor_gas(&tx), 21_000 + 3 * 10 + 40);
}

#[test]
fn init_code_is_paid_by_word_from_canyon() {
    let tx = TxEip1559 {
        to: TxKind::Create,
        input: Bytes::from(vec![1; 33]),
        ..TxEip1559::default()
    };
    let without = 21_000 + 32_000 + 33 * 16;
    assert_eq!(intrinsic_gas(&tx, OpFork::Regolith), without);
    assert_eq!(intrinsic_gas(&tx, OpFork::Canyon), without + 2 * 2);
}

#[test]
fn access_lists_and_authorizations_are_paid_by_item() {
    let item = AccessListItem {
        address: Address::ZERO,
        storage_keys: vec![B256::ZERO; 3],
    };
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: Address::ZERO,
        nonce: 0,
    };
    let tx = TxEip7702 {
        access_list: AccessList(vec![item.clone(), item]),
        authorization_list: vec![
            SignedAuthorization::new_unchecked(
                authorization,
                0,
                U256::ZERO,
                U256::ZERO
            );
            2
        ],
        ..TxEip7702::default()
    };
    let expected = 21_000 + 2 * 2_400 + 6 * 1_900 + 2 * 25_000;
    assert_eq!(intrinsic_gas(&tx, OpFork::Isthmus), expected);
}
