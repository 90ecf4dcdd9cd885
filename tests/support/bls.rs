//! Proposers of the `builder_` namespace: their keys and what they sign.

use alloy_primitives::{Address, B256, hex};
use blockwright_builder_codec::{
    ChainDomain, DOMAIN_APPLICATION_BUILDER, DomainType, compute_signing_root, fee_recipient_root,
};
use blockwright_signer::{BlsLocalSigner, BlsSignature, BlsSigner, SecretText};
use serde_json::{Value, json};

/// The key whose bytes are all the same.
pub fn key(byte: u8) -> BlsLocalSigner {
    BlsLocalSigner::from_hex(&SecretText::new(hex::encode([byte; 32]))).unwrap()
}

pub fn sign(key: &BlsLocalSigner, root: B256, domain: DomainType) -> BlsSignature {
    let domain = ChainDomain::default().domain(domain);
    key.sign_root(compute_signing_root(root, domain)).unwrap()
}

/// The parameters of `builder_setFeeRecipientV1`.
pub fn registration(key: &BlsLocalSigner, fee_recipient: Address) -> Value {
    let root = fee_recipient_root(fee_recipient);
    json!([fee_recipient, sign(key, root, DOMAIN_APPLICATION_BUILDER)])
}
