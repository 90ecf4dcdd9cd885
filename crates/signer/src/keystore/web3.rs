//! The Web3 secret storage definition, version 3, as geth and most wallets write it.

use alloy_primitives::{Address, hex, keccak256};
use serde_json::{Value, json};

use super::kdf::{Kdf, Paths};
use super::{CIPHER, Keystore, KeystoreError, Owner, checksum_input, field};
use crate::KeyType;

const PATHS: Paths = Paths {
    function: "crypto.kdf",
    derived: "crypto.kdfparams.dklen",
    salt: "crypto.kdfparams.salt",
    n: "crypto.kdfparams.n",
    r: "crypto.kdfparams.r",
    p: "crypto.kdfparams.p",
    c: "crypto.kdfparams.c",
    prf: "crypto.kdfparams.prf",
};

pub(super) fn parse(json: &Value) -> Result<Keystore, KeystoreError> {
    field::function(json, "crypto.cipher", CIPHER)?;
    Ok(Keystore {
        key_type: KeyType::Secp256k1,
        owner: field::optional(json, "address")?.map(|bytes| Owner::Address(Address::new(bytes))),
        kdf: Kdf::parse(json, &PATHS)?,
        iv: field::array(json, "crypto.cipherparams.iv")?,
        ciphertext: field::array(json, "crypto.ciphertext")?,
        checksum: field::array(json, "crypto.mac")?,
    })
}

pub(super) fn to_json(keystore: &Keystore, id: &str) -> Value {
    let mut json = json!({
        "crypto": {
            "cipher": CIPHER,
            "cipherparams": {"iv": hex::encode(keystore.iv)},
            "ciphertext": hex::encode(keystore.ciphertext),
            "kdf": keystore.kdf.name(),
            "kdfparams": keystore.kdf.params(),
            "mac": hex::encode(keystore.checksum),
        },
        "id": id,
        "version": 3,
    });
    if let Some(address) = keystore.address() {
        json["address"] = hex::encode(address).into();
    }
    json
}

pub(super) fn checksum(derived: &[u8; 32], ciphertext: &[u8; 32]) -> [u8; 32] {
    keccak256(&checksum_input(derived, ciphertext)[..]).0
}
