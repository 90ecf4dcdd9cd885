//! Whose signature it is.

use alloy_primitives::{Address, B256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};

use crate::{InvalidSignature, Signature};

/// The address whose key signed `digest`.
///
/// # Errors
/// [`InvalidSignature`] where no key did.
pub fn recover(digest: B256, signature: &Signature) -> Result<Address, InvalidSignature> {
    let recovery_id = match signature[64] {
        0 => RecoveryId::Zero,
        1 => RecoveryId::One,
        other => return Err(InvalidSignature::RecoveryId(other)),
    };
    let numbers = |_| InvalidSignature::Numbers;
    let signature =
        RecoverableSignature::from_compact(&signature[..64], recovery_id).map_err(numbers)?;
    let message = Message::from_digest(digest.0);
    let key = SECP256K1
        .recover_ecdsa(message, &signature)
        .map_err(numbers)?;
    Ok(Address::from_raw_public_key(
        &key.serialize_uncompressed()[1..],
    ))
}
