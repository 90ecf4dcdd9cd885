//! Keys and signatures, by libsecp256k1.

use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use crate::workload::draw::derive;

/// An account that sends.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    key: SecretKey,
    pub(crate) address: Address,
}

/// A transaction as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedTransaction {
    pub(crate) hash: B256,
    /// EIP-2718 envelope.
    pub(crate) bytes: Vec<u8>,
}

impl Signer {
    /// Sender number `index` of a chain with `seed`.
    pub(crate) fn derive(seed: u64, index: u64) -> Self {
        let mut secret = derive(seed, b"sender", index);
        // All but about 2^-128 of all words are keys.
        let key = loop {
            match SecretKey::from_byte_array(secret.0) {
                Ok(key) => break key,
                Err(_) => secret = keccak256(secret),
            }
        };
        let public = PublicKey::from_secret_key(SECP256K1, &key).serialize_uncompressed();
        let address = Address::from_raw_public_key(&public[1..]);
        Self { key, address }
    }

    pub(crate) fn sign(&self, transaction: TxEip1559) -> SignedTransaction {
        let message = Message::from_digest(transaction.signature_hash().0);
        let signature = SECP256K1.sign_ecdsa_recoverable(message, &self.key);
        let (parity, compact) = signature.serialize_compact();
        let (r, s) = compact.split_at(32);
        let signature = Signature::new(
            U256::from_be_slice(r),
            U256::from_be_slice(s),
            i32::from(parity) == 1,
        );
        let bytes = transaction.into_signed(signature).encoded_2718();
        SignedTransaction {
            hash: keccak256(&bytes),
            bytes,
        }
    }
}
