//! A key of this process.

use core::fmt;
use std::path::Path;

use alloy_primitives::{Address, B256};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use crate::key_file::KeyFile;
use crate::{
    InvalidKey, KeyBytes, KeyError, KeyType, PasswordSource, SecretText, SignError, Signature,
    Signer,
};

/// Signs with a key held in memory, which is wiped when this is dropped. Prints as its address.
pub struct LocalSigner {
    key: KeyBytes,
    public_key: [u8; 65],
    address: Address,
}

impl LocalSigner {
    /// The key in the file at `path`, raw hex or a Web3 keystore, mode 0600 or less; a keystore is opened with
    /// `password`.
    ///
    /// # Errors
    /// [`KeyError`], naming the file and what is wrong, never its content.
    pub fn open(path: &Path, password: &PasswordSource) -> Result<Self, KeyError> {
        Self::from_key(KeyFile::open(path)?.key(KeyType::Secp256k1, password)?)
    }

    /// The key in the file at `path` without a password: raw hex, mode 0600 or less.
    ///
    /// # Errors
    /// As [`Self::open`]; an encrypted key is refused.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        Self::open(path, &PasswordSource::Absent)
    }

    /// The key with this text: 32 bytes in hex.
    ///
    /// # Errors
    /// [`KeyError::Text`], without the text.
    pub fn from_hex(text: &SecretText) -> Result<Self, KeyError> {
        Self::from_key(KeyBytes::from_hex(KeyType::Secp256k1, text)?)
    }

    /// Signs with `key`.
    ///
    /// # Errors
    /// [`KeyError::Text`] where it is a key of another curve.
    pub fn from_key(key: KeyBytes) -> Result<Self, KeyError> {
        let public_key = match key.key_type() {
            KeyType::Secp256k1 => with_key(key.expose(), |key| {
                PublicKey::from_secret_key(SECP256K1, key).serialize_uncompressed()
            }),
            KeyType::Bls => None,
        };
        let public_key = public_key.ok_or(InvalidKey::OutOfRange)?;
        Ok(Self {
            key,
            public_key,
            address: Address::from_raw_public_key(&public_key[1..]),
        })
    }

    /// The public key, uncompressed: `0x04`, then both coordinates, big-endian.
    pub const fn public_key(&self) -> &[u8; 65] {
        &self.public_key
    }
}

/// What `use_key` makes of the key with these bytes, of which no copy is left behind; `None` where
/// they are no key.
fn with_key<T>(secret: &[u8; 32], use_key: impl FnOnce(&SecretKey) -> T) -> Option<T> {
    let mut key = SecretKey::from_byte_array(*secret).ok()?;
    let made = use_key(&key);
    key.non_secure_erase();
    Some(made)
}

impl Signer for LocalSigner {
    fn address(&self) -> Address {
        self.address
    }

    fn is_prompt(&self) -> bool {
        true
    }

    fn sign(&self, digest: B256) -> Result<Signature, SignError> {
        let message = Message::from_digest(digest.0);
        let signed = with_key(self.key.expose(), |key| {
            SECP256K1.sign_ecdsa_recoverable(message, key)
        });
        let signed = signed.expect("the bytes were a key when the signer was made");
        let (recovery_id, numbers) = signed.serialize_compact();
        let mut signature = Signature::ZERO;
        signature[..64].copy_from_slice(&numbers);
        // Ids 2 and 3 are for an `r` that was reduced, which nobody has ever seen happen.
        signature[64] = u8::from(i32::from(recovery_id) & 1 == 1);
        Ok(signature)
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalSigner").field(&self.address).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
