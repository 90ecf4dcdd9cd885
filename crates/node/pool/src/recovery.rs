//! Whose key signed a transaction.

use alloy_primitives::Address;
use op_alloy_consensus::OpTxEnvelope;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};

use crate::error::PoolError;

/// The address whose key signed `tx`: some 33 µs of elliptic-curve work, nearly all that intake costs.
pub(crate) fn recover_sender(tx: &OpTxEnvelope) -> Result<Address, PoolError> {
    const INVALID: PoolError = PoolError::InvalidSender("the signature recovers to no address");
    let (signature, digest) = match tx {
        OpTxEnvelope::Legacy(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Eip2930(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Eip1559(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Eip7702(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Deposit(_) | OpTxEnvelope::PostExec(_) => return Err(INVALID),
    };
    let parity = if signature.v() {
        RecoveryId::One
    } else {
        RecoveryId::Zero
    };
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    compact[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let signature = RecoverableSignature::from_compact(&compact, parity).map_err(|_| INVALID)?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(digest.0), &signature)
        .map_err(|_| INVALID)?;
    Ok(Address::from_raw_public_key(
        &key.serialize_uncompressed()[1..],
    ))
}
