//! EIP-7702: delegations are code of the block's changes and run in the same block.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction as _, TxEip7702};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, Signature, U256, keccak256};
use blockwright_seams::{OpenBlock as _, SimError};
use blockwright_types::{OpFork, RecoveredTx, SharedTx, SkipReason};
use op_alloy_consensus::OpTxEnvelope;

use crate::world::{CHAIN_ID, Call, STORE, context, include, open, state, user, word, words};

/// A transaction that delegates the account any signature happens to belong to, and that account.
fn delegate(nonce: u64, to: Address, authority_nonce: u64) -> (SharedTx, Address) {
    let authorization = Authorization {
        chain_id: U256::from(CHAIN_ID),
        address: to,
        nonce: authority_nonce,
    }
    .into_signed(Signature::test_signature());
    let authority = authorization.recover_authority().unwrap();
    let unsigned = TxEip7702 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 3_000,
        max_priority_fee_per_gas: 10,
        to: user(1),
        authorization_list: vec![authorization],
        ..TxEip7702::default()
    };
    let envelope = OpTxEnvelope::Eip7702(unsigned.into_signed(Signature::test_signature()));
    let encoded = envelope.encoded_2718().into();
    (
        Arc::new(RecoveredTx::new(envelope, encoded, user(0))),
        authority,
    )
}

#[test]
fn a_delegation_is_code_and_runs_in_the_same_block() {
    let mut block = open(context(OpFork::Karst), &Arc::new(state()), &[]);
    let (tx, authority) = delegate(0, STORE, 0);
    include(&mut block, &tx);
    let changes = block.take_changes().unwrap();
    let post = changes.accounts[&authority].post.unwrap();
    assert_eq!(post.nonce, 1);
    let code = &changes.code[&post.code_hash];
    assert_eq!(code[..], [&[0xef, 0x01, 0x00], STORE.as_slice()].concat());
    assert_eq!(keccak256(code), post.code_hash);

    let call = Call::new(user(2), 0, authority, words(&[word(9), word(4)]));
    include(&mut block, &call.tx());
    let changes = block.take_changes().unwrap();
    let written = changes.accounts[&authority].storage[&U256::from(9)];
    assert_eq!(written, U256::from(4));
    assert!(changes.code.is_empty());
}

#[test]
fn delegations_begin_with_isthmus() {
    let (tx, _) = delegate(0, STORE, 0);
    let mut block = open(context(OpFork::Holocene), &Arc::new(state()), &[]);
    assert!(matches!(
        block.simulate(&tx),
        Err(SimError::Rejected(SkipReason::Invalid(_)))
    ));
}
