//! Signed transactions from the well-known accounts.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use blockwright_launch::dev_accounts;

/// One of the ten funded accounts.
pub fn account(index: usize) -> PrivateKeySigner {
    dev_accounts().swap_remove(index).signer
}

/// An EIP-1559 transaction of chain 901 with room for anything.
pub fn template(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(Address::repeat_byte(0x77)),
        value: U256::from(1),
        access_list: Default::default(),
        input: Bytes::new(),
    }
}

/// Signs; returns the wire bytes and the hash.
pub fn sign(signer: &PrivateKeySigner, mut tx: TxEip1559) -> (Bytes, B256) {
    let signature = signer.sign_transaction_sync(&mut tx).unwrap();
    let bytes = Bytes::from(tx.into_signed(signature).encoded_2718());
    let hash = keccak256(&bytes);
    (bytes, hash)
}

/// A transfer of one wei.
pub fn transfer(from: usize, nonce: u64) -> (Bytes, B256) {
    sign(&account(from), template(nonce))
}
