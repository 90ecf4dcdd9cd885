//! A key of this process.

use core::fmt;
use std::path::Path;

use alloy_primitives::{Address, B256, hex};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use zeroize::Zeroizing;

use crate::key_file;
use crate::{InvalidKey, KeyError, SecretText, SignError, Signature, Signer};

/// Signs with a key held in memory, which is wiped when this is dropped. Prints as its address.
pub struct LocalSigner {
    /// On the heap, so that moving the signer leaves no copy.
    secret: Box<Zeroizing<[u8; 32]>>,
    address: Address,
}

impl LocalSigner {
    /// The key in the file at `path`: 32 bytes in hex, mode 0600 or less.
    ///
    /// # Errors
    /// [`KeyError`], naming the file and its mode, never its content.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let text = key_file::read(path)?;
        Self::parse(&text).map_err(|cause| KeyError::Content {
            path: path.to_owned(),
            cause,
        })
    }

    /// The key with this text: 32 bytes in hex.
    ///
    /// # Errors
    /// [`KeyError::Text`], without the text.
    pub fn from_hex(text: &SecretText) -> Result<Self, KeyError> {
        Ok(Self::parse(text.expose())?)
    }

    fn parse(text: &str) -> Result<Self, InvalidKey> {
        let mut secret = Box::new(Zeroizing::new([0; 32]));
        hex::decode_to_slice(text.trim(), &mut secret[..]).map_err(|_| InvalidKey::NotHex)?;
        let address = with_key(&secret, |key| {
            let public = PublicKey::from_secret_key(SECP256K1, key).serialize_uncompressed();
            Address::from_raw_public_key(&public[1..])
        });
        let address = address.ok_or(InvalidKey::OutOfRange)?;
        Ok(Self { secret, address })
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

    fn sign(&self, digest: B256) -> Result<Signature, SignError> {
        let message = Message::from_digest(digest.0);
        let signed = with_key(&self.secret, |key| {
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
