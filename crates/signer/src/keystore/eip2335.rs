//! EIP-2335, the keystores of the consensus layer.

use alloy_primitives::{FixedBytes, hex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::kdf::{Kdf, Paths};
use super::{CIPHER, Keystore, KeystoreError, Owner, checksum_input, field};
use crate::KeyType;

const PATHS: Paths = Paths {
    function: "crypto.kdf.function",
    derived: "crypto.kdf.params.dklen",
    salt: "crypto.kdf.params.salt",
    n: "crypto.kdf.params.n",
    r: "crypto.kdf.params.r",
    p: "crypto.kdf.params.p",
    c: "crypto.kdf.params.c",
    prf: "crypto.kdf.params.prf",
};

pub(super) fn parse(json: &Value) -> Result<Keystore, KeystoreError> {
    field::function(json, "crypto.checksum.function", "sha256")?;
    field::function(json, "crypto.cipher.function", CIPHER)?;
    Ok(Keystore {
        key_type: KeyType::Bls,
        owner: field::optional(json, "pubkey")?
            .map(|bytes| Owner::PublicKey(FixedBytes::new(bytes))),
        kdf: Kdf::parse(json, &PATHS)?,
        iv: field::array(json, "crypto.cipher.params.iv")?,
        ciphertext: field::array(json, "crypto.cipher.message")?,
        checksum: field::array(json, "crypto.checksum.message")?,
    })
}

pub(super) fn to_json(keystore: &Keystore, uuid: &str) -> Value {
    let public_key = keystore.bls_public_key();
    json!({
        "crypto": {
            "kdf": {
                "function": keystore.kdf.name(),
                "params": keystore.kdf.params(),
                "message": "",
            },
            "checksum": {
                "function": "sha256",
                "params": {},
                "message": hex::encode(keystore.checksum),
            },
            "cipher": {
                "function": CIPHER,
                "params": {"iv": hex::encode(keystore.iv)},
                "message": hex::encode(keystore.ciphertext),
            },
        },
        "description": "",
        "pubkey": public_key.map(hex::encode).unwrap_or_default(),
        // Not derived from a seed.
        "path": "",
        "uuid": uuid,
        "version": 4,
    })
}

pub(super) fn checksum(derived: &[u8; 32], ciphertext: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(&checksum_input(derived, ciphertext)[..]).into()
}

/// The password in compatibility decomposition (NFKD), without control characters, as UTF-8.
pub(super) fn password_bytes(password: &str) -> Zeroizing<Vec<u8>> {
    // A character becomes 18 at the most; a buffer that does not grow leaves no copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(18 * 4 * password.len()));
    let mut encoded = Zeroizing::new([0; 4]);
    for character in password.nfkd().filter(|character| !character.is_control()) {
        bytes.extend_from_slice(character.encode_utf8(&mut encoded[..]).as_bytes());
    }
    bytes
}
