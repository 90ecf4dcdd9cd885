//! Encrypted keys as JSON: the Web3 secret storage definition, version 3, for secp256k1, and EIP-2335
//! (version 4) for BLS. Both derive a key from the password, encrypt with AES-128-CTR, and tell a wrong
//! password by a checksum; they differ in names, in the checksum's hash and in how a password becomes
//! bytes.

mod eip2335;

mod error;
pub use error::KeystoreError;

mod field;

mod kdf;
use kdf::Kdf;
pub use kdf::{KdfCost, KdfFunction};

mod narrow_scrypt;

mod web3;

use aes::Aes128;
use alloy_primitives::{Address, hex};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    BlsLocalSigner, BlsPublicKey, BlsSigner, KeyBytes, KeyError, KeyType, LocalSigner, SecretText,
    Signer,
};

/// The only cipher of both formats.
const CIPHER: &str = "aes-128-ctr";

/// A key under a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Keystore {
    key_type: KeyType,
    owner: Option<Owner>,
    kdf: Kdf,
    iv: [u8; 16],
    ciphertext: [u8; 32],
    checksum: [u8; 32],
}

/// Whose key it is, as the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Address(Address),
    PublicKey(BlsPublicKey),
}

impl Owner {
    fn of(key: &KeyBytes) -> Result<Self, KeyError> {
        let key = KeyBytes::new(key.key_type(), Box::new(Zeroizing::new(*key.expose())))?;
        Ok(match key.key_type() {
            KeyType::Secp256k1 => Self::Address(LocalSigner::from_key(key)?.address()),
            KeyType::Bls => Self::PublicKey(BlsLocalSigner::from_key(key)?.public_key()),
        })
    }
}

impl Keystore {
    /// Reads the JSON of either format.
    ///
    /// # Errors
    /// [`KeystoreError`], naming the field and never what is in it.
    pub fn parse(text: &str) -> Result<Self, KeystoreError> {
        let json: Value = serde_json::from_str(text).map_err(|error| KeystoreError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        match field::number(&json, "version")? {
            3 => web3::parse(&json),
            4 => eip2335::parse(&json),
            version => Err(KeystoreError::Version(version)),
        }
    }

    /// Puts `key` under `password`, in the format of its curve, with a new salt.
    ///
    /// # Errors
    /// [`KeyError`] where the system has no random bytes.
    pub fn seal(
        key: &KeyBytes,
        password: &SecretText,
        function: KdfFunction,
        cost: KdfCost,
    ) -> Result<Self, KeyError> {
        let kdf = Kdf::new(function, cost, random()?);
        let key_type = key.key_type();
        let derived = kdf.derive(&password_bytes(key_type, password));
        let iv = random()?;
        let mut ciphertext = Zeroizing::new(*key.expose());
        apply_cipher(&derived, &iv, &mut ciphertext);
        Ok(Self {
            key_type,
            owner: Some(Owner::of(key)?),
            kdf,
            iv,
            ciphertext: *ciphertext,
            checksum: checksum(key_type, &derived, &ciphertext),
        })
    }

    /// The key.
    ///
    /// # Errors
    /// [`KeystoreError::Password`] where the password is another one or the file is damaged, and
    /// [`KeystoreError::OtherKey`] where the address or public key in the file is not the key's.
    pub fn open(&self, password: &SecretText) -> Result<KeyBytes, KeystoreError> {
        let derived = self.kdf.derive(&password_bytes(self.key_type, password));
        if checksum(self.key_type, &derived, &self.ciphertext) != self.checksum {
            return Err(KeystoreError::Password);
        }
        let mut bytes = Box::new(Zeroizing::new(self.ciphertext));
        apply_cipher(&derived, &self.iv, &mut bytes);
        let key = KeyBytes::new(self.key_type, bytes).map_err(KeystoreError::Key)?;
        let owner = Owner::of(&key).map_err(|_| KeystoreError::OtherKey)?;
        if self.owner.is_some_and(|said| said != owner) {
            return Err(KeystoreError::OtherKey);
        }
        Ok(key)
    }

    /// The curve of the key.
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The address that the file says its key has. Nothing but [`Self::open`] checks it.
    pub const fn address(&self) -> Option<Address> {
        match self.owner {
            Some(Owner::Address(address)) => Some(address),
            Some(Owner::PublicKey(_)) | None => None,
        }
    }

    /// The BLS public key that the file says its key has. Nothing but [`Self::open`] checks it.
    pub const fn bls_public_key(&self) -> Option<BlsPublicKey> {
        match self.owner {
            Some(Owner::PublicKey(key)) => Some(key),
            Some(Owner::Address(_)) | None => None,
        }
    }

    /// The file's content, under a new random identifier.
    ///
    /// # Errors
    /// [`KeyError::Randomness`] where the system has no random bytes.
    pub fn to_json(&self) -> Result<String, KeyError> {
        let id = uuid(random()?);
        let json = match self.key_type {
            KeyType::Secp256k1 => web3::to_json(self, &id),
            KeyType::Bls => eip2335::to_json(self, &id),
        };
        Ok(format!("{json:#}"))
    }
}

impl core::fmt::Debug for Keystore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Keystore({}, {:?})", self.key_type, self.owner)
    }
}

fn password_bytes(key_type: KeyType, password: &SecretText) -> Zeroizing<Vec<u8>> {
    match key_type {
        KeyType::Secp256k1 => Zeroizing::new(password.expose().as_bytes().to_vec()),
        KeyType::Bls => eip2335::password_bytes(password.expose()),
    }
}

fn checksum(key_type: KeyType, derived: &[u8; 32], ciphertext: &[u8; 32]) -> [u8; 32] {
    match key_type {
        KeyType::Secp256k1 => web3::checksum(derived, ciphertext),
        KeyType::Bls => eip2335::checksum(derived, ciphertext),
    }
}

/// What is hashed for the checksum: the second half of the derived key, then the ciphertext.
fn checksum_input(derived: &[u8; 32], ciphertext: &[u8; 32]) -> Zeroizing<[u8; 48]> {
    let mut input = Zeroizing::new([0; 48]);
    input[..16].copy_from_slice(&derived[16..]);
    input[16..].copy_from_slice(ciphertext);
    input
}

/// Encrypts or decrypts in place with the first half of the derived key.
fn apply_cipher(derived: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8; 32]) {
    let mut key = Zeroizing::new([0; 16]);
    key.copy_from_slice(&derived[..16]);
    Ctr128BE::<Aes128>::new((&*key).into(), iv.into()).apply_keystream(bytes);
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

/// A UUID of version 4.
fn uuid(mut random: [u8; 16]) -> String {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let part = |range: core::ops::Range<usize>| hex::encode(&random[range]);
    [
        part(0..4),
        part(4..6),
        part(6..8),
        part(8..10),
        part(10..16),
    ]
    .join("-")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
